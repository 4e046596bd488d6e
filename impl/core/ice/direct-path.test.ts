import { expect, test } from "vitest";
import { millis, seconds } from "../../base/units.ts";
import { parseDirect } from "../../wire/direct.ts";
import { connected, type Pair, played, trusted } from "../pair.fixture.ts";

const ADDRESSES = { alice: "198.51.100.2", bob: "198.51.100.3" } as const;
const paths = (pair: Pair, who: string): string[] => pair.records(who, "path").map((one) => one.path);
/** Sessions between the two that were proved and have ended, and why. */
const ended = (pair: Pair, who: string): (string | undefined)[] =>
  pair.records(who, "candidate-pair").flatMap((one) => (one.state === "closed" ? [one.reason] : []));

test("a direct path is kept until what replaces it has been heard, and gone back to when the peer chose otherwise", () => {
  const pair = connected(trusted, { direct: true });
  pair.pass(seconds(3));
  const dialler = pair.records("alice", "candidate-pair").some((one) => one.session > 0) ? "alice" : "bob";
  const acceptor = dialler === "alice" ? "bob" : "alice";
  expect([paths(pair, dialler).at(-1), paths(pair, acceptor).at(-1)]).toEqual(["direct", "direct"]);
  const [before, at] = [played(pair, acceptor), pair.now];
  let lost = 0;
  // The acceptor takes another session, and its word for that never arrives: the dialler gives it up after two seconds.
  pair.tamper = (bytes) => {
    if (parseDirect(bytes)?.type !== "DirectReady") return bytes;
    lost++;
    return undefined;
  };
  const interfaces = [{ name: "wlan0", addresses: [ADDRESSES[dialler]], isDefault: true }];
  pair[dialler].input({ type: "network", network: { port: 5000, interfaces } });
  pair.pass(millis(1_500));
  expect(lost).toBeGreaterThan(0);
  expect([ended(pair, dialler), ended(pair, acceptor)]).toEqual([[], []]);
  pair.pass(millis(1_500));
  expect(ended(pair, acceptor)).not.toContain("replaced");
  expect(ended(pair, dialler)).toEqual([]);
  expect([paths(pair, dialler).at(-1), paths(pair, acceptor).at(-1)]).toEqual(["direct", "direct"]);
  pair.pass(seconds(1));
  expect(played(pair, acceptor) - before).toBeGreaterThanOrEqual((pair.now - at) / 20_000 - 5);
});
