/** Whole clients, a relay that lies about where their peer is, and somebody who waits there: the call goes on as it was, and he gets nothing of it. */
import { describe, expect, test } from "vitest";
import type { Address } from "../../base/address.ts";
import { millis, seconds } from "../../base/units.ts";
import { encodeDirect, KEEPALIVE, parseDirect } from "../../wire/direct.ts";
import { type CertificateProof, encodeSignal, parseSignal, type SignalMessage } from "../../wire/signal.ts";
import { connected, fingerprintOf, type Intruder, Pair, played, RELAY, refusals, states, trusted } from "../pair.fixture.ts";

const MALLORY: Address = "203.0.113.66:6666";
const [HIS, ALICES, BOBS] = ["ee".repeat(32), "c1".repeat(32), "c2".repeat(32)];

/** A call of two clients that could go directly, with Mallory about. `lie`: what becomes of what the relay says. */
function attacked(certificate: string, lie: (message: SignalMessage) => SignalMessage): { pair: Pair; mallory: Intruder } {
  const pair = new Pair(trusted, { direct: true });
  const mallory = pair.intrude(MALLORY, certificate);
  pair.tamper = (bytes, from) => {
    const parsed = from === RELAY ? parseSignal(bytes) : undefined;
    return parsed?.ok === true ? encodeSignal(lie(parsed.message)) : bytes;
  };
  pair.register(pair.alice);
  pair.register(pair.bob);
  pair.pass(millis(100));
  pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
  pair.pass(seconds(1));
  return { pair, mallory };
}

/** The peer is said to be where Mallory is, and nowhere else. */
const misled = (message: SignalMessage): SignalMessage =>
  message.type === "CallSetup"
    ? { ...message, peer_direct_addr: MALLORY, peer_local_addrs: [], peer_mapped_addr: MALLORY }
    : message;

const paths = (pair: Pair, who: string): string[] => pair.records(who, "path").map((one) => one.path);
const datagrams = ({ heard }: Intruder): number => heard.filter(({ event }) => event.type === "datagram").length;

/** The call is up at both, by the relay alone, and each hears the other. */
function unharmed(pair: Pair): void {
  pair.pass(seconds(3));
  for (const who of ["alice", "bob"]) {
    expect(states(pair, who).at(-1)).toBe("active");
    expect(paths(pair, who)).toEqual(["relay"]);
    expect(played(pair, who)).toBeGreaterThan(150);
  }
}

test("nobody lies, and the two go directly", () => {
  const pair = connected(trusted, { direct: true });
  expect([paths(pair, "alice").at(-1), paths(pair, "bob").at(-1)]).toEqual(["direct", "direct"]);
});

describe("whoever waits where the relay says the peer is", () => {
  test("with a certificate of his own has no session, not to speak of a packet", () => {
    const { pair, mallory } = attacked(HIS, misled);
    unharmed(pair);
    expect(refusals(pair, "alice", "unauthentic") + refusals(pair, "bob", "unauthentic")).toBeGreaterThan(0);
    expect([mallory.accepted, mallory.heard]).toEqual([[], []]);
  });

  test.each([
    ["says nothing", () => undefined],
    [
      "answers the dialler's word with itself, and sends what looks like media",
      (mallory: Intruder, session: number, bytes: Uint8Array) => {
        const hello = parseDirect(bytes);
        mallory.send(session, bytes);
        if (hello?.type === "DirectHello")
          mallory.send(session, encodeDirect({ type: "DirectReady", call_id: hello.call_id, proof: hello.proof }));
        mallory.sendDatagram(session, KEEPALIVE);
        mallory.sendDatagram(session, new Uint8Array(80).fill(1));
      },
    ],
  ] as const)(
    "with the peer's own certificate, stolen with its key, who %s: hears a proof that is of no use, and no packet",
    (_, answer) => {
      // Whichever of the two dials, it takes him for its peer.
      for (const stolen of [ALICES, BOBS]) {
        const pair = new Pair(trusted, { direct: true });
        const mallory = pair.intrude(MALLORY, stolen);
        pair.tamper = (bytes, from) => {
          const parsed = from === RELAY ? parseSignal(bytes) : undefined;
          return parsed?.ok === true ? encodeSignal(misled(parsed.message)) : bytes;
        };
        pair.register(pair.alice);
        pair.register(pair.bob);
        pair.pass(millis(100));
        pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
        for (let done = 0, passed = 0; passed < 1_000; passed++) {
          pair.pass(millis(1));
          for (; done < mallory.heard.length; done++) {
            const one = mallory.heard[done];
            if (one?.event.type === "message") answer(mallory, one.session, one.event.bytes);
          }
        }
        unharmed(pair);
        expect(datagrams(mallory)).toBe(0);
        const words = mallory.heard.flatMap(({ event }) => (event.type === "message" ? [parseDirect(event.bytes)?.type] : []));
        expect(words.every((word) => word === "DirectHello")).toBe(true);
        expect(words.length > 0).toBe(stolen === BOBS);
      }
    },
  );

  test("and whose certificate the relay passes off as the peer's is not even dialled: the peer has signed its own", () => {
    const forged = (message: SignalMessage): SignalMessage => {
      const lied = misled(message);
      const passedOff = (own: CertificateProof | undefined) => ({
        fingerprint: HIS,
        signature: own?.signature ?? "00".repeat(64),
      });
      if (lied.type === "DirectCallOffer") return { ...lied, caller_certificate: passedOff(lied.caller_certificate) };
      return lied.type === "DirectCallAnswer" ? { ...lied, callee_certificate: passedOff(lied.callee_certificate) } : lied;
    };
    const { pair, mallory } = attacked(HIS, forged);
    pair.pass(seconds(3));
    expect(refusals(pair, "alice", "forged-signature") + refusals(pair, "bob", "forged-signature")).toBeGreaterThan(0);
    expect([mallory.accepted, mallory.heard]).toEqual([[], []]);
    expect([...paths(pair, "alice"), ...paths(pair, "bob")]).not.toContain("direct");
  });
});

test("whoever dials both parties of a call by himself gets no word and no packet of them", () => {
  const pair = connected(trusted, { direct: true });
  const before = [played(pair, "alice"), played(pair, "bob")];
  const mallory = pair.intrude(MALLORY, HIS);
  mallory.connect(1, "198.51.100.2:5000", ALICES);
  mallory.connect(2, "198.51.100.3:5000", BOBS);
  pair.pass(millis(10));
  for (const session of [1, 2]) {
    mallory.send(
      session,
      encodeDirect({ type: "DirectHello", call_id: "00".repeat(16), nonce: "00".repeat(16), proof: "00".repeat(32) }),
    );
    mallory.sendDatagram(session, new Uint8Array(80).fill(1));
  }
  pair.pass(seconds(3));
  expect(mallory.heard.filter(({ event }) => event.type === "message" || event.type === "datagram")).toEqual([]);
  expect(mallory.heard.filter(({ event }) => event.type === "closed")).toHaveLength(2);
  expect([paths(pair, "alice").at(-1), paths(pair, "bob").at(-1)]).toEqual(["direct", "direct"]);
  expect([played(pair, "alice"), played(pair, "bob")].map((now, i) => now - (before[i] ?? 0) > 140)).toEqual([true, true]);
});
