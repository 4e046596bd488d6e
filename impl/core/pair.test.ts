import { describe, expect, it } from "vitest";
import { millis, seconds } from "../base/units.ts";
import { encodeSignal, parseSignal } from "../wire/signal.ts";
import { connected, fingerprintOf, Pair, PIN, played, RELAY, refusals, secretOf, states, trusted } from "./pair.fixture.ts";

describe("a call", () => {
  it("answered as trusted is active at both ends and carries audio both ways", () => {
    const pair = connected(trusted);
    pair.pass(seconds(2));
    expect(states(pair, "alice")).toEqual(["offering", "answered", "active"]);
    expect(states(pair, "bob")).toEqual(["ringing", "answered", "active"]);
    expect(played(pair, "alice")).toBeGreaterThan(80);
    expect(played(pair, "bob")).toBeGreaterThan(80);
  });

  it("each side is told the other's address, and the relay notes that both advertised", () => {
    const seen: string[] = [];
    const pair = new Pair(trusted);
    pair.tamper = (bytes, from) => {
      const parsed = parseSignal(bytes);
      if (parsed.ok && parsed.message.type === "CallSetup" && from === RELAY)
        seen.push(`${parsed.message.role} ${parsed.message.peer_direct_addr}`);
      return bytes;
    };
    pair.register(pair.alice);
    pair.register(pair.bob);
    pair.pass(millis(50));
    pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
    pair.pass(seconds(1));
    expect(seen.sort()).toEqual(["acceptor 198.51.100.2:5000", "dialer 198.51.100.3:5000"]);
    expect(pair.records("r1", "note").some((note) => note.text.startsWith("p2p_viable=true"))).toBe(true);
  });

  it("answered in privacy mode leaks no address of the callee, who does not even ask for it", () => {
    const fromBob: string[] = [];
    const pair = new Pair({ mode: "AcceptGeneric", after: millis(100) });
    pair.tamper = (bytes, from) => {
      if (from === "198.51.100.3:5000") fromBob.push(new TextDecoder().decode(bytes));
      return bytes;
    };
    pair.register(pair.alice);
    pair.register(pair.bob);
    pair.pass(millis(50));
    pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
    pair.pass(seconds(2));
    expect(states(pair, "bob")).toContain("active");
    expect(fromBob.filter((text) => text.includes("198.51.100.3") || text.includes('"Reflect"'))).toEqual([]);
  });

  it("rejected ends at both ends with the reason, before any media", () => {
    const pair = connected({ mode: "Reject", after: millis(10) });
    for (const who of ["alice", "bob"])
      expect(pair.records(who, "call").at(-1)).toMatchObject({ state: "ended", reason: "rejected" });
    expect(pair.records("alice", "media-sent")).toEqual([]);
  });

  it("to somebody who is not registered ends with unknown-peer", () => {
    const pair = new Pair(trusted);
    pair.register(pair.alice);
    pair.pass(millis(50));
    pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
    pair.pass(seconds(7));
    expect(states(pair, "alice")).toEqual(["offering"]); // it may just be registering
    pair.pass(seconds(3));
    expect(pair.records("alice", "call").at(-1)).toMatchObject({ state: "ended", reason: "unknown-peer" });
  });

  it("nobody answers ends after a minute at the caller and at the callee", () => {
    const pair = connected(undefined);
    pair.pass(seconds(62));
    expect(pair.records("alice", "call").at(-1)).toMatchObject({ state: "ended" });
    expect(pair.records("bob", "call").at(-1)).toMatchObject({ state: "ended" });
  });

  it("hung up frees everything at both ends and at the relay", () => {
    const pair = connected(trusted);
    pair.alice.input({ type: "command", command: { type: "hang-up", reason: "hung-up" } });
    pair.pass(millis(100));
    expect(pair.records("bob", "call").at(-1)).toMatchObject({ state: "ended", reason: "hung-up" });
    for (const who of [pair.alice, pair.bob]) who.input({ type: "command", command: { type: "stop" } });
    pair.pass(millis(500));
    for (const who of [pair.alice, pair.bob]) who.input({ type: "held" });
    pair.relay.input({ type: "held" });
    const held = pair.log.filter((record) => record.ev === "held");
    expect(held).toHaveLength(3);
    for (const record of held) expect(record).toMatchObject({ sessions: 0, calls: 0, supervisors: 0 });
  });

  it("survives a relay that restarts: the same call, numbers that go on, nothing opened twice", () => {
    const pair = connected(trusted);
    pair.pass(seconds(1));
    pair.isRelayUp = false;
    pair.restartRelay();
    pair.pass(seconds(3));
    pair.isRelayUp = true;
    pair.pass(seconds(3));
    pair.alice.input({ type: "command", command: { type: "hang-up", reason: "hung-up" } });
    pair.pass(millis(50));
    expect(states(pair, "alice")).toEqual(["offering", "answered", "active", "resuming", "resumed", "ended"]);
    expect(new Set(pair.log.flatMap((record) => (record.ev === "call" ? [record.call] : []))).size).toBe(1);
    for (const who of ["alice", "bob"]) {
      const sent = pair
        .records(who, "media-sent")
        .flatMap((record) => Array.from({ length: record.n }, (_, i) => record.seq + i));
      expect(sent).toEqual(sent.map((_, i) => i));
      const got = pair
        .records(who, "media-received")
        .flatMap((record) => Array.from({ length: record.n }, (_, i) => record.seq + i));
      expect(new Set(got).size).toBe(got.length);
      expect(got.at(-1)).toBeGreaterThan(200);
    }
  });
});

describe("the boundary", () => {
  it.each([
    ["malformed", (call: string) => new TextEncoder().encode(`{"type":"Hangup","call_id":${call}`)],
    ["unknown-type", () => new TextEncoder().encode('{"type":"Teleport"}')],
    ["unknown-call", () => encodeSignal({ type: "Hangup", call_id: "f".repeat(32) })],
    ["unexpected", () => encodeSignal({ type: "Reflect", txn: 1 })],
    [
      "duplicate",
      (call: string) => encodeSignal({ type: "CallSetup", call_id: call, role: "dialer", channel: 9, relay_path: true }),
    ],
    ["duplicate", () => encodeSignal({ type: "RegisterAck", ok: false, reason: "out" })],
  ] as const)("a message that is %s is refused, counted and without effect on the call", (reason, message) => {
    const pair = connected(trusted);
    const call = pair.records("alice", "call")[0]?.call ?? "";
    const before = pair.log.length;
    pair.alice.listener.event(pair.records("alice", "session")[0]?.session ?? 0, { type: "message", bytes: message(call) });
    const said = pair.log.slice(before).filter((record) => record.ev !== "signal");
    expect(said).toMatchObject([{ ev: "refused", reason, count: 1 }]);
    pair.pass(seconds(1));
    expect(states(pair, "alice").at(-1)).toBe("active");
    expect(pair.records("alice", "registration").at(-1)?.state).toBe("registered");
  });

  it("an offer with a forged share is refused and counted; the call never rings", () => {
    const pair = new Pair(trusted);
    pair.tamper = (bytes, from) => {
      const parsed = parseSignal(bytes);
      if (!parsed.ok || parsed.message.type !== "DirectCallOffer" || from !== RELAY) return bytes;
      const share = parsed.message.caller_share;
      const other = share.share.startsWith("0") ? "1" : "0";
      return encodeSignal({ ...parsed.message, caller_share: { ...share, share: other + share.share.slice(1) } });
    };
    pair.register(pair.alice);
    pair.register(pair.bob);
    pair.pass(millis(50));
    pair.alice.input({ type: "command", command: { type: "call", peer: fingerprintOf(2) } });
    pair.pass(seconds(1));
    expect(refusals(pair, "bob", "forged-signature")).toBe(1);
    expect(states(pair, "bob")).toEqual([]);
  });

  it("media altered on the way is refused as unauthentic and not played; the call goes on", () => {
    const pair = connected(trusted);
    let altered = 0;
    pair.tamperDatagram = (bytes, from) => {
      if (from !== RELAY || altered >= 10) return bytes;
      altered++;
      const copy = bytes.slice();
      copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1;
      return copy;
    };
    pair.pass(seconds(2));
    expect(refusals(pair, "alice", "unauthentic") + refusals(pair, "bob", "unauthentic")).toBe(10);
    expect(states(pair, "alice").at(-1)).toBe("active");
  });

  it("a replayed packet is refused as replayed, a packet for another channel as unknown-call", () => {
    const pair = connected(trusted);
    const kept: Uint8Array[] = [];
    pair.tamperDatagram = (bytes, from) => {
      if (from === RELAY && kept.length < 5) kept.push(bytes.slice());
      return bytes;
    };
    pair.pass(millis(300));
    let at = 0;
    pair.tamperDatagram = (bytes, from) => (from === RELAY && at < kept.length ? kept[at++] : bytes);
    pair.pass(millis(300));
    expect(refusals(pair, "alice", "replayed") + refusals(pair, "bob", "replayed")).toBeGreaterThan(0);
    let moved = 0;
    pair.tamperDatagram = (bytes, from) => {
      if (from !== RELAY || moved >= 4) return bytes;
      moved++;
      const copy = bytes.slice();
      copy[1] = 200;
      return copy;
    };
    pair.pass(millis(300));
    expect(refusals(pair, "alice", "unknown-call") + refusals(pair, "bob", "unknown-call")).toBe(4);
  });

  it("a relay that wants a token refuses a client without it, clearly and for good", () => {
    const pair = new Pair(trusted, { token: "sesame" });
    pair.register(pair.alice);
    pair.register(pair.bob, "sesame");
    pair.pass(seconds(3));
    expect(
      pair.records("alice", "registration").some((record) => record.state === "refused" && record.reason === "token-required"),
    ).toBe(true);
    expect(pair.records("alice", "registration").at(-1)?.state).toBe("idle");
    expect(pair.records("bob", "registration").at(-1)?.state).toBe("registered");
    expect(refusals(pair, "r1", "unauthenticated")).toBe(1);
  });

  it("a relay with another certificate than the pinned one is refused for good before the first registration, and both are named", () => {
    const pair = new Pair(trusted);
    pair.shown = "cd".repeat(32);
    pair.register(pair.alice);
    pair.pass(seconds(10));
    expect(pair.records("alice", "registration").map((record) => record.state)).toEqual(["connecting", "refused", "idle"]);
    expect(pair.records("alice", "registration")[1]?.reason).toBe(`pin-mismatch: expected ${PIN}, found ${"cd".repeat(32)}`);
    expect(pair.records("alice", "session").filter((record) => record.state === "connecting").length).toBe(1);
  });

  it("an impostor at the address of a relay that was registered with ends nothing: the client goes on trying and the call resumes", () => {
    const pair = connected(trusted);
    pair.shown = "cd".repeat(32);
    pair.restartRelay();
    pair.pass(seconds(5));
    const during = pair.records("alice", "registration").slice(2);
    expect(new Set(during.map((record) => record.state))).toEqual(new Set(["reconnecting"]));
    expect(during.at(-1)?.reason).toMatch(/^pin-mismatch: expected (ab)+, found (cd)+$/);
    pair.shown = PIN;
    pair.pass(seconds(10));
    expect(pair.records("alice", "registration").at(-1)?.state).toBe("registered");
    expect(states(pair, "alice").at(-1)).toBe("resumed");
  });

  it("a second process with the same identity displaces the first for good, and does not fight it for the registration", () => {
    const pair = connected(trusted);
    const second = pair.join("second", "198.51.100.4:5000", secretOf(2));
    pair.register(second);
    pair.pass(seconds(5));
    expect(pair.records("bob", "registration").map((record) => record.state)).toEqual([
      "connecting",
      "registered",
      "refused",
      "idle",
    ]);
    expect(pair.records("bob", "call").at(-1)).toMatchObject({ state: "ended", reason: "another client uses this identity" });
    expect(pair.records("second", "registration").map((record) => record.state)).toEqual(["connecting", "registered"]);
  });

  it("stale candidate updates are refused, fresh ones applied, in whatever order they come", () => {
    const pair = connected(trusted);
    const call = pair.records("alice", "call")[0]?.call ?? "";
    for (const generation of [2, 1, 2, 5, 4, 6]) {
      const bytes = encodeSignal({ type: "CandidateUpdate", call_id: call, generation, reflexive_addr: "203.0.113.9:1000" });
      pair.alice.listener.event(pair.records("alice", "session")[0]?.session ?? 0, { type: "message", bytes });
    }
    expect(
      pair
        .records("alice", "generation")
        .filter((one) => one.action === "applied")
        .map((one) => one.generation),
    ).toEqual([2, 5, 6]);
    expect(refusals(pair, "alice", "stale-generation")).toBe(3);
  });

  it("of a candidate update the addresses that can be read are tried, and the others skipped", () => {
    const pair = connected(trusted, { direct: true });
    const call = pair.records("alice", "call")[0]?.call ?? "";
    const from = pair.now;
    const update = { type: "CandidateUpdate", call_id: call, generation: 7 } as const;
    const local = ["nonsense", "300.1.1.1:9", "[fe80::1]:9", "203.0.113.7:70000", "10.1.1.1:7", "127.0.0.1:9"];
    for (const who of ["alice", "bob"] as const) {
      const bytes = encodeSignal({
        ...update,
        reflexive_addr: "no address",
        mapped_addr: "203.0.113.9:1000",
        local_addrs: local,
      });
      pair[who].listener.event(pair.records(who, "session")[0]?.session ?? 0, { type: "message", bytes });
      expect(pair.records(who, "generation").at(-1)).toMatchObject({ action: "applied", generation: 7 });
    }
    pair.pass(seconds(1));
    const tried = pair.packets
      .slice(-100)
      .flatMap(({ from: by, to }) => (by.startsWith("198.51.100.2") && to !== RELAY ? [to] : []));
    expect(new Set(tried.filter((to) => !to.startsWith("198.51.100.")))).toEqual(new Set(["203.0.113.9:1000", "10.1.1.1:7"]));
    expect(pair.records("alice", "call").at(-1)?.t).toBeLessThan(from);
  });
});
