/** What the emulator is held to at the rate it is promised for, while a call takes its part of the machine. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CLEAN } from "../../scenarios/impairment/link.ts";
import { scenario } from "../../scenarios/index.ts";
import { runNetns } from "../lab.ts";
import { offeredDrivers } from "./attach.ts";
import { cutCable } from "./cut-cable.fixture.ts";
import { attachEmulator } from "./emulator.ts";

/** Four seconds of 2,000 packets/s. */
const TRAFFIC = { count: 8_000, every: 500, bytes: 200 } as const;
const LATE = 2_000;
const CALL = scenario({
  name: "beside",
  asks: "?",
  duration: "7s",
  calls: [{ at: "200ms", answerAfter: "100ms", callerSays: "tone", calleeSays: "tone" }],
  expect: [],
});

test("of 2,000 packets a second each way, beside a running call, 99 of 100 leave within 2 ms of their time", async (context) => {
  if (process.getuid?.() !== 0) context.skip("network namespaces need root");
  const folder = await mkdtemp(join(tmpdir(), "midcall-lateness-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const cable = await cutCable();
  onTestFinished(() => cable.close());
  if (!(await offeredDrivers(cable.wire.namespace)).includes("emulator")) context.skip("the kernel has no macvtap");
  const waited: number[] = [];
  const epoch = Number(process.hrtime.bigint() / 1_000n);
  const delayed = { ...CLEAN, delay: 20_000 };
  const links = await attachEmulator({
    ...{ wires: [cable.wire], models: () => ({ up: delayed, down: delayed, nat: null }), near: () => [] },
    ...{ seed: 7, epoch, driver: "emulator" },
    say: (_, saying) => {
      if (saying.ev === "stall") waited.push(saying.micros - saying.cpuMicros);
    },
  });
  onTestFinished(() => links.close());
  links.begin(epoch);
  const isUp = Promise.withResolvers<void>();
  const calling = runNetns({
    ...{ scenario: CALL, seed: 1, folder, speech: new Map() },
    onLine: (_, record) => {
      if (record.ev === "call" && record.state === "active") isUp.resolve();
    },
  });
  await Promise.race([isUp.promise, calling]);
  await Promise.all([cable.alice.send(TRAFFIC), cable.bob.send(TRAFFIC)]);
  const { records, crashed } = await calling;
  await links.settled();
  const { up, down } = links.counters(cable.wire.party, cable.wire.interface);
  expect([crashed, records.some((one) => one.ev === "media-played")]).toEqual([undefined, true]);
  expect([up.delivered, down.delivered]).toEqual([TRAFFIC.count, TRAFFIC.count]);
  const late = [up.lateness, down.lateness];
  const words = late.map((one) => `median ${one?.p50} us, p99 ${one?.p99} us, worst ${one?.max} us`).join("; ");
  console.info(`the emulator at 2,000 packets/s each way beside a call: ${words}`);
  if (waited.length > 0) context.skip(`the emulator got no processor for ${Math.max(...waited)} us: ${words}`);
  for (const one of late) expect(one?.p99, words).toBeLessThan(LATE);
});
