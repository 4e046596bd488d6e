/** A lab for tests: joins one wire, given as JSON in its first argument, by the emulator with the reader of its second and the device folder of its third, and stays until it is killed. */
import { CLEAN } from "../../scenarios/impairment/link.ts";
import { attachEmulator } from "./emulator.ts";
import type { Reader } from "./tap.ts";

const [wire, reader, deviceFolder] = process.argv.slice(2) as [string, Reader, string];
await attachEmulator(
  {
    wires: [JSON.parse(wire)],
    models: () => ({ up: CLEAN, down: CLEAN, nat: null }),
    seed: 7,
    epoch: 0,
    say: () => {},
    driver: "emulator",
    deviceFolder,
  },
  reader,
);
process.send?.("attached");
