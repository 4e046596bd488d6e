import { expect, test } from "vitest";
import type { Saying } from "../base/record.ts";
import type { Call } from "./call-registry.ts";
import { type RelayedMedia, relayedMedia } from "./relayed-media.ts";

test("a word for each new pair of sessions of a call, none for a packet", () => {
  const said: Saying[] = [];
  const told: RelayedMedia = relayedMedia((saying) => said.push(saying));
  const call = { id: "c" } as Call;
  for (const [from, to] of [
    [-1, -2],
    [-2, -1],
    [-1, -2],
    [-1, -3],
    [-1, -3],
  ] as const)
    told.passed(call, from, to);
  told.passed({ id: "d" } as Call, -1, -3);
  expect(said).toEqual([
    { ev: "relayed", call: "c", from: -1, to: -2 },
    { ev: "relayed", call: "c", from: -2, to: -1 },
    { ev: "relayed", call: "c", from: -1, to: -3 },
    { ev: "relayed", call: "d", from: -1, to: -3 },
  ]);
});

test("packets for nobody: the first, powers of two, and all of them when somebody is there again", () => {
  const said: Saying[] = [];
  const media = relayedMedia((saying) => said.push(saying));
  const [call, other] = [{ id: "c" } as Call, { id: "d" } as Call];
  for (let n = 0; n < 11; n++) media.undelivered(call);
  media.passed(other, -3, -4); // of another call: nobody is back
  media.passed(call, -1, -2);
  media.passed(call, -1, -2);
  media.undelivered(call);
  const counts = said.flatMap((one) => (one.ev === "undelivered" ? [one.count] : []));
  expect(counts).toEqual([1, 2, 4, 8, 11]);
  expect(said.map((one) => one.ev).slice(-3)).toEqual(["relayed", "undelivered", "relayed"]);
});
