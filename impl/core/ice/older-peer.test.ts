/** Whole clients that could go directly, and one of the call's three parties is of a version before all that: the relay carries the call, both ways, as it always has. */
import { expect, test } from "vitest";
import type { Address } from "../../base/address.ts";
import { millis, seconds } from "../../base/units.ts";
import { fingerprintOf, Pair, played, RELAY, refusals, trusted } from "../pair.fixture.ts";

const [ALICE, BOB]: Address[] = ["198.51.100.2:5000", "198.51.100.3:5000"];
/** What offers, answers and set-ups have had since. */
const SINCE = /^(caller|callee|peer)_(reflexive_addr|direct_addr|local_addrs|mapped_addr|certificate)$/;
const TYPES_SINCE: readonly unknown[] = ["CandidateUpdate", "MediaPathReport", "Reflect", "ReflectResponse"];

/** The message as an older party says it; undefined for one it does not know. */
function before(bytes: Uint8Array): Uint8Array | undefined {
  const message = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  if (TYPES_SINCE.includes(message.type)) return undefined;
  const known = Object.entries(message).filter(([name]) => !SINCE.test(name));
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(known)));
}

test.each([
  ["the caller", ALICE],
  ["the callee", BOB],
  ["the relay", RELAY],
])("%s: the call comes up by the relay and is heard both ways, over a change of networks, whoever calls", (_, older) => {
  for (const [caller, callee] of [
    ["alice", 2],
    ["bob", 1],
  ] as const) {
    const pair = new Pair(trusted, { direct: true });
    let stripped = 0;
    pair.tamper = (bytes, from) => {
      if (from !== older) return bytes;
      const said = before(bytes);
      if (said === undefined || said.length < bytes.length) stripped++;
      return said;
    };
    pair.register(pair.alice);
    pair.register(pair.bob);
    pair.pass(millis(100));
    pair[caller].input({ type: "command", command: { type: "call", peer: fingerprintOf(callee) } });
    pair.pass(seconds(2));
    const interfaces = [{ name: "wlan0", addresses: ["10.9.9.9"], isDefault: true }];
    pair.alice.input({ type: "network", network: { port: 5000, interfaces } });
    pair.pass(seconds(2));
    expect(stripped).toBeGreaterThan(0);
    for (const who of ["alice", "bob"]) {
      expect(pair.records(who, "path").map((one) => one.path)).toEqual(["relay"]);
      expect(played(pair, who)).toBeGreaterThan(150);
      expect(refusals(pair, who, "malformed")).toBe(0);
    }
  }
});
