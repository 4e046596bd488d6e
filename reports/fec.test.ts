import { expect, test } from "vitest";
import { measureFec } from "./fec.ts";
import { aLog, CALL_ID } from "./log-builder.ts";

const fec = (givenBack: number, holdMs: number) =>
  ({
    ev: "fec",
    call: CALL_ID,
    scheme: "rs 4+2",
    payloadBytes: 100 * givenBack,
    sealedBytes: 250 * givenBack,
    repairPacketsSent: 3 * givenBack,
    repairPacketsReceived: 0,
    givenBack,
    holdMs,
  }) as const;

test("the last figures of a call count, the longest hold, and frames by what gave them back", () => {
  const frames = { at: 1, step: 20_000 } as const;
  const records = aLog()
    .say(1, "alice", fec(1, 180))
    .say(2, "alice", fec(4, 60))
    .say(3, "alice", { ev: "media-played", call: CALL_ID, kind: "recovered", seq: 3, by: "rs", n: 2, ...frames })
    .say(4, "alice", { ev: "media-played", call: CALL_ID, kind: "recovered", seq: 9, n: 1, ...frames })
    .say(5, "alice", { ev: "media-played", call: CALL_ID, kind: "recovered", seq: 12, by: "rs", n: 3, ...frames })
    .records();
  expect(measureFec(records, ["alice", "bob"])).toEqual({
    alice: {
      scheme: "rs 4+2",
      wireRatio: 2.5,
      repairPacketsSent: 12,
      framesGivenBack: 4,
      framesPlayedBy: { lbrr: 1, rs: 5 },
      holdMs: 180,
    },
  });
});

test("a run in which nobody says anything of it has no figures", () => {
  expect(measureFec(aLog().records(), ["alice"])).toEqual({});
});
