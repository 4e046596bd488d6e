/** A lab for tests: joins one wire, given as JSON in its first argument, by the emulator with the reader of its second, and stays until it is killed. */
import { CLEAN } from "../../scenarios/impairment/link.ts";
import { attachEmulator } from "./emulator.ts";
import type { Reader } from "./tap.ts";

const [wire, reader] = process.argv.slice(2) as [string, Reader];
await attachEmulator(
  {
    wires: [JSON.parse(wire)],
    models: () => ({ up: CLEAN, down: CLEAN, nat: null }),
    seed: 7,
    epoch: 0,
    say: () => {},
    driver: "emulator",
  },
  reader,
);
process.send?.("attached");
