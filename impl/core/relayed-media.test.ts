import { expect, test } from "vitest";
import type { Saying } from "../base/record.ts";
import type { Call } from "./call-registry.ts";
import { relayedMedia } from "./relayed-media.ts";

test("a word for each new pair of sessions of a call, none for a packet", () => {
  const said: Saying[] = [];
  const told = relayedMedia((saying) => said.push(saying));
  const call = { id: "c" } as Call;
  for (const [from, to] of [
    [-1, -2],
    [-2, -1],
    [-1, -2],
    [-1, -3],
    [-1, -3],
  ] as const)
    told(call, from, to);
  told({ id: "d" } as Call, -1, -3);
  expect(said).toEqual([
    { ev: "relayed", call: "c", from: -1, to: -2 },
    { ev: "relayed", call: "c", from: -2, to: -1 },
    { ev: "relayed", call: "c", from: -1, to: -3 },
    { ev: "relayed", call: "d", from: -1, to: -3 },
  ]);
});
