import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Address } from "../base/address.ts";
import { type Micros, millis, seconds } from "../base/units.ts";
import { encodeSignal, parseSignal, type SignalMessage, type SignalType } from "../wire/signal.ts";
import type * as client from "./client.ts";
import { fingerprintOf, Pair, RELAY, refusals, states, trusted } from "./pair.fixture.ts";

const ALICE: Address = "198.51.100.2:5000";
const BOB: Address = "198.51.100.3:5000";

/** Both registered, and alice has called bob. */
function called(answer: client.AnswerPolicy | undefined): Pair {
  const pair = new Pair(answer);
  pair.register(pair.alice);
  pair.register(pair.bob);
  pair.pass(millis(100));
  pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
  return pair;
}
/** The relay is gone for `length` and comes back as another process. */
function outage(pair: Pair, length: Micros): void {
  pair.isRelayUp = false;
  pair.restartRelay();
  pair.pass(length);
  pair.isRelayUp = true;
}
const isUp = (pair: Pair): boolean =>
  ["alice", "bob"].every((who) => ["active", "resumed"].includes(states(pair, who).at(-1) ?? ""));
const callIds = (pair: Pair): Set<string> => new Set(pair.log.flatMap((one) => (one.ev === "call" ? [one.call] : [])));
const hangUp = (pair: Pair): void => pair.alice.input({ type: "command", command: { type: "hang-up", reason: "hung-up" } });
const typeOf = (bytes: Uint8Array): SignalType | undefined => {
  const parsed = parseSignal(bytes);
  return parsed.ok ? parsed.message.type : undefined;
};

describe("a call comes up as the same call", () => {
  it("whenever the relay dies while it is set up, and however long it is away", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 200 }), (when, away) => {
        const pair = called({ mode: "AcceptTrusted", after: millis(30) });
        pair.pass(millis(when));
        const isRinging = states(pair, "bob").length > 0;
        outage(pair, millis(away * 100));
        pair.pass(isRinging ? seconds(3) : seconds(16)); // a phone that does not ring waits out its backoff
        expect(isUp(pair), `${states(pair, "alice")} | ${states(pair, "bob")}`).toBe(true);
        expect(callIds(pair).size).toBe(1);
        expect(states(pair, "bob").filter((state) => state === "ringing")).toHaveLength(1);
      }),
      { seed: 21, numRuns: 30 },
    );
  });

  it.each<SignalType>(["DirectCallOffer", "Ringing", "DirectCallAnswer", "CallSetup"])(
    "when the first %s is lost between a client and the relay, in either direction",
    (type) => {
      for (const isFromRelay of [false, true]) {
        const pair = new Pair(trusted);
        let lost = 0;
        pair.tamper = (bytes, from) => {
          if (typeOf(bytes) !== type || (from === RELAY) !== isFromRelay || lost > 0) return bytes;
          lost++;
          return undefined;
        };
        pair.register(pair.alice);
        pair.register(pair.bob);
        pair.pass(millis(100));
        pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
        pair.pass(seconds(3));
        expect(lost).toBe(type === "CallSetup" && !isFromRelay ? 0 : 1);
        expect(isUp(pair), `${states(pair, "alice")} | ${states(pair, "bob")}`).toBe(true);
      }
    },
  );

  it("when the set-up overtakes the answer", () => {
    const pair = called(trusted);
    let held: Uint8Array | undefined;
    pair.tamper = (bytes, from) => {
      if (from !== RELAY || typeOf(bytes) !== "DirectCallAnswer") return bytes;
      held ??= bytes;
      return undefined;
    };
    pair.pass(millis(300));
    expect(states(pair, "alice")).toEqual(["offering"]);
    const session = pair.records("alice", "session")[0]?.session ?? 0;
    if (held !== undefined) pair.alice.listener.event(session, { type: "message", bytes: held });
    expect(states(pair, "alice")).toEqual(["offering", "answered", "active"]);
  });

  it("when the callee is known to the relay only some seconds after it is called", () => {
    const pair = new Pair(trusted);
    pair.register(pair.alice);
    pair.pass(millis(100));
    pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
    pair.pass(seconds(5));
    pair.register(pair.bob);
    pair.pass(seconds(1));
    expect(isUp(pair)).toBe(true);
  });

  it("and goes on saying its last word when the relay, silent for seconds, is heard again", () => {
    const pair = called(undefined);
    pair.pass(seconds(1));
    const session = pair.records("alice", "session")[0]?.session ?? 0;
    pair.isRelayUp = false;
    pair.alice.listener.event(session, { type: "silent", for: seconds(1) });
    pair.pass(seconds(3));
    pair.isRelayUp = true;
    let offers = 0;
    pair.tamper = (bytes, from) => {
      if (from !== RELAY && typeOf(bytes) === "DirectCallOffer") offers++;
      return bytes;
    };
    pair.alice.listener.event(session, { type: "heard" });
    pair.pass(millis(2_500));
    expect(offers).toBe(3); // at once, and a second and two later
  });

  it("by a relay that the callee is leaving: it brings the offer again, and its guess that the caller is lost counts for nothing", () => {
    const pair = called(undefined);
    let offer: Uint8Array | undefined;
    pair.tamper = (bytes, from) => {
      if (from === RELAY && typeOf(bytes) === "DirectCallOffer") offer = bytes;
      return bytes;
    };
    pair.pass(millis(100));
    const left = pair.records("bob", "session")[0]?.session ?? 0;
    const hear = (bytes: Uint8Array): void => pair.bob.listener.event(left, { type: "message", bytes });
    const elsewhere = { address: "198.51.100.9:4433", pin: "ee".repeat(32) };
    pair.bob.input({ type: "command", command: { type: "register", relay: elsewhere } });
    hear(offer ?? new Uint8Array());
    expect(pair.records("bob", "refused")).toEqual([]);
    const id = pair.records("bob", "call")[0]?.call ?? "";
    hear(encodeSignal({ type: "Hangup", call_id: id, reason: "peer-lost" }));
    expect(states(pair, "bob")).toEqual(["ringing"]);
    expect(pair.records("bob", "refused")).toMatchObject([{ reason: "unexpected", what: "Hangup by a relay that is left" }]);
    hear(encodeSignal({ type: "Hangup", call_id: id, reason: "hung-up" }));
    expect(pair.records("bob", "call").at(-1)).toMatchObject({ state: "ended", reason: "hung-up" });
  });

  it("but by a relay that is left and still carries the call, the word that the caller is lost counts", () => {
    const pair = called(trusted);
    pair.pass(seconds(1));
    expect(states(pair, "bob").at(-1)).toBe("active");
    const left = pair.records("bob", "session")[0]?.session ?? 0;
    const elsewhere = { address: "198.51.100.9:4433", pin: "ee".repeat(32) };
    pair.bob.input({ type: "command", command: { type: "register", relay: elsewhere } });
    const id = pair.records("bob", "call")[0]?.call ?? "";
    pair.bob.listener.event(left, { type: "message", bytes: encodeSignal({ type: "Hangup", call_id: id, reason: "peer-lost" }) });
    expect(pair.records("bob", "refused")).toEqual([]);
    expect(pair.records("bob", "call").at(-1)).toMatchObject({ state: "ended", reason: "peer-lost" });
  });

  it("and asks whether the relay is back while it rings, so that no backoff delays it", () => {
    const pair = called(undefined);
    pair.pass(seconds(2));
    outage(pair, millis(14_500)); // the supervisor's attempts are at 0, 1, 3, 7 and 15 s of it
    const returned = pair.now;
    pair.pass(seconds(2));
    for (const who of ["alice", "bob"]) {
      const again = pair.records(who, "registration").at(-1);
      expect(again?.state).toBe("registered");
      expect((again?.t ?? 0) - returned).toBeLessThan(millis(130));
    }
  });
});

describe("a call that is up", () => {
  it.each<[string, (message: SignalMessage & { type: "CallResume" }) => SignalMessage]>([
    ["both prove it", (message) => message],
    ["both are of before the proof", ({ caller_share: _, callee_share: __, ...bare }) => bare],
    [
      "one is of before the proof",
      (message) => {
        const { caller_share: _, callee_share: __, ...bare } = message;
        return message.role === "caller" ? bare : message;
      },
    ],
  ])("is resumed after a restart of the relay when %s", (_who, told) => {
    const pair = called(trusted);
    pair.pass(seconds(1));
    pair.tamper = (bytes) => {
      const parsed = parseSignal(bytes);
      return parsed.ok && parsed.message.type === "CallResume" ? encodeSignal(told(parsed.message)) : bytes;
    };
    outage(pair, seconds(3));
    pair.pass(seconds(2));
    expect(isUp(pair)).toBe(true);
    const heard = pair.records("bob", "media-received").at(-1);
    expect((heard?.seq ?? 0) + (heard?.n ?? 0)).toBeGreaterThan(60); // a second before it, more after it
  });

  it("is resumed when the first CallResume is lost", () => {
    const pair = called(trusted);
    pair.pass(seconds(1));
    let lost = 0;
    pair.tamper = (bytes, from) => (typeOf(bytes) === "CallResume" && from === BOB && lost++ === 0 ? undefined : bytes);
    outage(pair, seconds(1));
    pair.pass(seconds(1));
    expect(lost).toBeGreaterThan(1);
    expect(isUp(pair)).toBe(true);
  });
});

describe("a call that is over", () => {
  it("does not ring again when its offer is repeated; whoever repeats it is told how it ended", () => {
    const offers: Uint8Array[] = [];
    const pair = called({ mode: "Reject", after: millis(10) });
    pair.tamper = (bytes) => {
      if (typeOf(bytes) === "DirectCallOffer") offers.push(bytes);
      return bytes;
    };
    pair.pass(seconds(1));
    expect(states(pair, "bob")).toEqual(["ringing", "ended"]);
    const session = pair.records("bob", "session")[0]?.session ?? 0;
    const answers = (): number =>
      pair.records("bob", "signal").filter((one) => one.type === "DirectCallAnswer" && one.dir === "sent").length;
    const before = answers();
    pair.bob.listener.event(session, { type: "message", bytes: offers.at(-1) ?? new Uint8Array() });
    expect(states(pair, "bob")).toEqual(["ringing", "ended"]);
    expect(refusals(pair, "bob", "duplicate")).toBe(1);
    expect(answers()).toBe(before + 1);
  });

  it("does not ring when its hang-up overtakes its offer", () => {
    const pair = new Pair(trusted);
    let offer: Uint8Array | undefined;
    pair.tamper = (bytes, from) => {
      if (from !== RELAY || typeOf(bytes) !== "DirectCallOffer") return bytes;
      offer = bytes;
      return undefined;
    };
    pair.register(pair.alice);
    pair.register(pair.bob);
    pair.pass(millis(100));
    pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
    pair.pass(millis(100));
    hangUp(pair);
    pair.pass(millis(100));
    const session = pair.records("bob", "session")[0]?.session ?? 0;
    if (offer !== undefined) pair.bob.listener.event(session, { type: "message", bytes: offer });
    pair.pass(seconds(1));
    expect(offer).toBeDefined();
    expect(states(pair, "bob")).toEqual([]);
  });

  it.each([
    ["up", trusted, seconds(1)],
    ["ringing", undefined, seconds(1)],
    ["answered a moment ago", trusted, millis(102)],
  ] as const)("is over at both ends when it was %s and hung up while the relay was away", (_stage, answer, before) => {
    const pair = called(answer);
    pair.pass(before);
    pair.isRelayUp = false;
    pair.restartRelay();
    pair.pass(seconds(1));
    hangUp(pair);
    pair.pass(seconds(2));
    pair.isRelayUp = true;
    pair.pass(seconds(3));
    for (const who of ["alice", "bob"])
      expect(pair.records(who, "call").at(-1)).toMatchObject({ state: "ended", reason: "hung-up" });
    pair.relay.input({ type: "held" });
    expect(pair.records("r1", "held").at(-1)).toMatchObject({ calls: 0 });
  });

  it("is hung up as often as it takes for the relay to acknowledge it, and no longer than a minute", () => {
    const pair = called(trusted);
    pair.pass(seconds(1));
    pair.tamper = (bytes) => (typeOf(bytes) === "Hangup" || typeOf(bytes) === "HangupAck" ? undefined : bytes);
    hangUp(pair);
    for (let second = 0; second < 75; second++) pair.pass(seconds(1));
    const said = pair.records("alice", "signal").filter((one) => one.type === "Hangup" && one.dir === "sent");
    expect(said.length).toBeGreaterThan(5);
    expect((said.at(-1)?.t ?? 0) - (said[0]?.t ?? 0)).toBeLessThanOrEqual(60_000_000);
    const once = called(trusted);
    once.pass(seconds(1));
    hangUp(once);
    for (let second = 0; second < 75; second++) once.pass(seconds(1));
    expect(once.records("alice", "signal").filter((one) => one.type === "Hangup" && one.dir === "sent")).toHaveLength(1);
  });

  it("is ended by a peer that lost it with its process and is shown the proof of it", () => {
    const pair = called(trusted);
    pair.pass(seconds(1));
    const reborn = pair.join("bob2", "198.51.100.3:5001", new Uint8Array(32).fill(2));
    pair.tamper = (bytes, from) => (from === BOB ? undefined : bytes); // the process before it
    pair.restartRelay();
    pair.register(reborn);
    pair.pass(seconds(3));
    expect(pair.records("alice", "call").at(-1)).toMatchObject({ state: "ended", reason: "call-lost" });
  });

  it("is ended by a caller that lost it with its process before it was answered, as often as it takes", () => {
    const pair = called({ mode: "AcceptGeneric", after: seconds(3) });
    pair.pass(seconds(1));
    const reborn = pair.join("alice2", "198.51.100.2:5001", new Uint8Array(32).fill(1));
    let lost = 0;
    pair.tamper = (bytes, from) => {
      if (from === ALICE) return undefined; // the process before it
      return typeOf(bytes) === "Hangup" && from !== RELAY && lost++ === 0 ? undefined : bytes;
    };
    pair.register(reborn);
    pair.pass(seconds(6));
    expect(states(pair, "bob")).toContain("active"); // as the relay has it
    expect(lost).toBeGreaterThan(1);
    expect(pair.records("bob", "call").at(-1)).toMatchObject({ state: "ended", reason: "call-lost" });
    const said = pair.records("alice2", "signal").filter((one) => one.type === "Hangup" && one.dir === "sent").length;
    pair.pass(seconds(20));
    expect(pair.records("alice2", "signal").filter((one) => one.type === "Hangup" && one.dir === "sent")).toHaveLength(said);
    pair.relay.input({ type: "held" });
    expect(pair.records("r1", "held").at(-1)).toMatchObject({ calls: 0 });
  });

  it("is ended by a caller that has its answer late, after the callee lost the call with its process and answered anew with another key", () => {
    const pair = called({ mode: "AcceptTrusted", after: millis(30) });
    const held: Uint8Array[] = [];
    let isDead = false;
    pair.tamper = (bytes, from) => {
      if (isDead && from === BOB) return undefined;
      if (from !== RELAY || typeOf(bytes) !== "DirectCallAnswer") return bytes;
      held.push(bytes);
      return undefined;
    };
    pair.pass(millis(100));
    expect([states(pair, "alice"), states(pair, "bob")]).toEqual([["offering"], ["ringing", "answered", "active"]]);
    isDead = true;
    pair.register(pair.join("bob2", "198.51.100.3:5001", new Uint8Array(32).fill(2)));
    pair.pass(seconds(2)); // the offer is said again
    expect(states(pair, "bob2")).toEqual(["ringing", "answered", "active"]);
    const session = pair.records("alice", "session")[0]?.session ?? 0;
    const [first, second] = [held.at(0), held.at(-1)] as [Uint8Array, Uint8Array];
    pair.alice.listener.event(session, { type: "message", bytes: first });
    expect(states(pair, "alice")).toContain("active");
    pair.alice.listener.event(session, { type: "message", bytes: first }); // said twice, the same
    expect(states(pair, "alice").at(-1)).toBe("active");
    pair.alice.listener.event(session, { type: "message", bytes: second });
    pair.pass(seconds(1));
    for (const who of ["alice", "bob2"])
      expect(pair.records(who, "call").at(-1)).toMatchObject({ state: "ended", reason: "call-lost" });
  });

  it("is not ended by a proof that is none", () => {
    const pair = called(trusted);
    pair.pass(seconds(1));
    const [call, session] = [[...callIds(pair)][0] ?? "", pair.records("alice", "session")[0]?.session ?? 0];
    let resume: (SignalMessage & { type: "CallResume" }) | undefined;
    pair.tamper = (bytes) => {
      const parsed = parseSignal(bytes);
      if (parsed.ok && parsed.message.type === "CallResume" && parsed.message.role === "callee") resume = parsed.message;
      return bytes;
    };
    outage(pair, seconds(1));
    pair.pass(seconds(1));
    hangUp(pair);
    pair.pass(seconds(1));
    const before = pair.records("alice", "signal").length;
    const forged = { ...resume, type: "CallResume", role: "caller", call_id: call } as SignalMessage;
    const bare = { type: "CallResume", call_id: call, role: "callee", peer_fingerprint: fingerprintOf(1) } as const;
    expect(resume).toBeDefined();
    for (const message of [forged, bare] as const)
      pair.alice.listener.event(pair.records("alice", "session").at(-1)?.session ?? session, {
        type: "message",
        bytes: encodeSignal(message),
      });
    expect(
      pair
        .records("alice", "signal")
        .slice(before)
        .filter((one) => one.dir === "sent"),
    ).toEqual([]);
  });
});

describe("when both call each other at once", () => {
  it("one call comes up, whoever is first and by how much", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -12, max: 12 }),
        fc.constantFrom<client.AnswerPolicy | undefined>(trusted, undefined),
        (lead, answer) => {
          const pair = new Pair(answer);
          pair.register(pair.alice);
          pair.register(pair.bob);
          pair.pass(millis(100));
          const [first, second] = lead < 0 ? [pair.alice, pair.bob] : [pair.bob, pair.alice];
          const call = (who: typeof first): void =>
            who.input({ type: "command", command: { type: "call", peer: fingerprintOf(who === pair.alice ? 2 : 1) } });
          call(first);
          pair.pass(Math.abs(lead) as never);
          call(second);
          pair.pass(seconds(3));
          const last = ["alice", "bob"].map((who) => pair.records(who, "call").findLast((one) => one.state === "active")?.call);
          expect(last[0]).toBeDefined();
          expect(last[1]).toBe(last[0]);
          expect(isUp(pair)).toBe(true);
          for (const who of ["alice", "bob"])
            for (const one of pair.records(who, "call")) if (one.state === "ended") expect(one.reason).toBe("glare");
          pair.relay.input({ type: "held" });
          expect(pair.records("r1", "held").at(-1)).toMatchObject({ calls: 1 });
        },
      ),
      { seed: 22, numRuns: 25 },
    );
  });

  it("a party in privacy mode stays in it", () => {
    const pair = new Pair({ mode: "AcceptGeneric", after: seconds(9) });
    pair.register(pair.alice);
    pair.register(pair.bob);
    pair.pass(millis(100));
    pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
    pair.bob.input({ type: "command", command: { type: "call", peer: fingerprintOf(1) } });
    pair.pass(seconds(2));
    expect(isUp(pair)).toBe(true);
    expect([...pair.records("alice", "call"), ...pair.records("bob", "call")].find((one) => one.mode !== undefined)?.mode).toBe(
      "AcceptGeneric",
    );
  });
});
