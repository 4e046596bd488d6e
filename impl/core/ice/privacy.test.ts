/** Whole clients that could go directly, and a callee that does not say where it is: not in its answer, not when its network changes, not when its peer knocks. */
import { expect, test } from "vitest";
import type { Address } from "../../base/address.ts";
import { millis, seconds } from "../../base/units.ts";
import { parseStun } from "../../wire/stun.ts";
import type { AnswerPolicy } from "../client.ts";
import { fingerprintOf, Pair, PIN, played, RELAY, trusted } from "../pair.fixture.ts";

const BOB: Address = "198.51.100.3:5000";
const [HOME, AWAY] = ["192.168.7.7", "10.9.9.9"];
const at = (host: string) =>
  ({ type: "network", network: { port: 5000, interfaces: [{ name: "wlan0", addresses: [host], isDefault: true }] } }) as const;

/** A call that Bob answers so, with all that makes a client tell its addresses; and what he has told. */
function roaming(answer: AnswerPolicy) {
  const told: string[] = [];
  const pair = new Pair(answer, { direct: true });
  pair.tamper = (bytes, from) => {
    if (from === BOB) told.push(new TextDecoder().decode(bytes));
    return bytes;
  };
  pair.bob.input(at(HOME));
  pair.register(pair.alice);
  pair.register(pair.bob);
  pair.pass(millis(100));
  pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
  pair.pass(seconds(1));
  pair.bob.input(at(AWAY));
  pair.pass(seconds(1));
  pair.alice.input(at("10.8.8.8"));
  pair.pass(seconds(1));
  const asked = pair.packets.filter(({ from, bytes }) => from === BOB && parseStun(bytes).ok);
  return { pair, told: told.join("\n"), asked };
}

test("a callee in privacy mode tells no address of its own and asks nobody for one, whatever happens to its network, and is heard", () => {
  const { pair, told, asked } = roaming({ mode: "AcceptGeneric", after: millis(100) });
  for (const secret of [HOME, AWAY, "198.51.100.3", "Reflect", "CandidateUpdate", "callee_certificate"])
    expect(told).not.toContain(secret);
  expect(asked).toEqual([]);
  expect(pair.records("bob", "path").map((one) => one.path)).toEqual(["relay"]);
  expect(pair.records("bob", "session").filter((one) => one.session < 0)).toEqual([]);
  expect(played(pair, "alice")).toBeGreaterThan(100);
});

test("the same callee without it tells all of them", () => {
  const { told, asked } = roaming(trusted);
  for (const word of [HOME, AWAY, "198.51.100.3", "CandidateUpdate", "callee_certificate"]) expect(told).toContain(word);
  expect(asked.length).toBeGreaterThan(0);
});

test("a callee in privacy mode asks whether its relay lives without asking where it is asked from, and hears no address in the answers", () => {
  const pair = new Pair({ mode: "AcceptGeneric", after: millis(100) });
  pair.bob.input(at(HOME));
  pair.register(pair.alice);
  // Another address of the relay, which nobody answers at: it is asked too once the first one is silent.
  const relay = { address: RELAY, also: ["198.51.100.2:4433"], pin: PIN };
  pair.bob.input({ type: "command", command: { type: "register", relay } });
  pair.pass(millis(500));
  pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
  pair.pass(seconds(1));
  const packets = () => pair.packets.filter(({ from, to }) => from === BOB || to === BOB).map(({ bytes }) => parseStun(bytes));
  const before = packets().length;
  expect(before).toBeGreaterThan(4);
  pair.isRelayUp = false;
  pair.pass(seconds(1));
  pair.isRelayUp = true;
  pair.restartRelay();
  pair.pass(seconds(1));
  expect(packets().length).toBeGreaterThan(before + 4);
  for (const stun of packets())
    expect(stun).toEqual(
      expect.objectContaining(
        stun.ok && stun.kind === "request" ? { ok: true, unknown: [0x7fff] } : { ok: true, kind: "response" },
      ),
    );
  for (const stun of packets()) expect(stun).not.toHaveProperty("mapped");
  expect(pair.records("bob", "registration").at(-1)).toMatchObject({ state: "registered" });
});
