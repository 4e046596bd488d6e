import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex } from "../base/cursor.ts";
import { checkSignal, encodeSignal, MAX_SIGNAL_BYTES, parseSignal, type SignalMessage, type SignalType } from "./signal.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const json = (value: unknown): Uint8Array => text(JSON.stringify(value));

const hex = (octets: number): fc.Arbitrary<string> => fc.uint8Array({ minLength: octets, maxLength: octets }).map(toHex);
const addr = fc.oneof(
  fc.constantFrom("192.0.2.1:4433", "[2001:db8::1]:9", ""),
  fc.string({ maxLength: 64, unit: fc.constantFrom(...' ~"\\/a1:.[]') }),
);
const addrs = fc.array(addr, { maxLength: 16 });
const share = fc.record({ identity: hex(32), share: hex(32), signature: hex(64) });
const reason = fc
  .string({ maxLength: 100, unit: "grapheme-composite" })
  .filter((words) => words.length <= 200 && !/[\p{Cc}\p{Bidi_C}\p{Zl}\p{Zp}]/u.test(words));
const channel = fc.integer({ min: 0, max: 255 });
const whole = fc.maxSafeNat();
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }, requiredKeys: (keyof T)[]): fc.Arbitrary<T> =>
  fc.record(fields, { requiredKeys } as never) as fc.Arbitrary<T>;

type Fields = {
  readonly required: Record<string, fc.Arbitrary<unknown>>;
  readonly optional?: Record<string, fc.Arbitrary<unknown>>;
};
const ours: { readonly [T in SignalType]: Fields } = {
  Register: {
    required: { identity: hex(32), nonce: hex(16), signature: hex(64) },
    optional: { name: reason.filter((n) => n.length <= 64), token: addr },
  },
  RegisterAck: { required: { ok: fc.boolean() }, optional: { reason, resumed: fc.boolean(), relay: addr } },
  Reflect: { required: { txn: whole } },
  ReflectResponse: { required: { txn: whole, addr } },
  DirectCallOffer: {
    required: { call_id: hex(16), caller_fingerprint: hex(16), callee_fingerprint: hex(16), caller_share: share },
    optional: { caller_reflexive_addr: addr, caller_local_addrs: addrs, caller_mapped_addr: addr },
  },
  DirectCallAnswer: {
    required: {
      call_id: hex(16),
      mode: fc.constantFrom("AcceptTrusted", "AcceptGeneric", "Reject"),
      callee_fingerprint: hex(16),
    },
    optional: { callee_share: share, callee_reflexive_addr: addr, callee_local_addrs: addrs, callee_mapped_addr: addr, reason },
  },
  CallSetup: {
    required: { call_id: hex(16), role: fc.constantFrom("dialer", "acceptor"), channel, relay_path: fc.boolean() },
    optional: { peer_direct_addr: addr, peer_local_addrs: addrs, peer_mapped_addr: addr },
  },
  Hangup: { required: { call_id: hex(16) }, optional: { reason } },
  HangupAck: { required: { call_id: hex(16) } },
  CandidateUpdate: {
    required: { call_id: hex(16), generation: whole },
    optional: { reflexive_addr: addr, local_addrs: addrs, mapped_addr: addr },
  },
  MediaPathReport: {
    required: { call_id: hex(16), path: fc.constantFrom("relay", "direct") },
    optional: { candidate: fc.constantFrom("host", "mapped", "reflexive", "relay") },
  },
  CallResume: {
    required: { call_id: hex(16), peer_fingerprint: hex(16), role: fc.constantFrom("caller", "callee") },
    optional: { channel, caller_share: share, callee_share: share },
  },
  CallResumed: { required: { call_id: hex(16), channel, peer_present: fc.boolean() } },
  FederatedSignalForward: {
    required: {
      from_relay: addr,
      to: hex(16),
      message: fc.dictionary(
        fc.string({ maxLength: 5 }).filter((key) => key !== "__proto__"),
        fc.jsonValue({ maxDepth: 2 }),
        { maxKeys: 3 },
      ),
    },
    optional: { from: hex(16) },
  },
  FederationHello: { required: { relay: addr, identity: hex(32), nonce: hex(16), signature: hex(64) } },
  FederationHelloAck: { required: { ok: fc.boolean() }, optional: { reason } },
  FederationUsers: {
    required: {
      whole: fc.boolean(),
      added: fc.array(hex(16), { maxLength: 3 }),
      removed: fc.array(hex(16), { maxLength: 3 }),
    },
  },
  FederationChannel: { required: { call_id: hex(16), from: hex(16), number: fc.nat(0xffff) } },
  Ringing: { required: { call_id: hex(16) } },
  Refusal: { required: { re: fc.constantFrom("Register", ""), reason }, optional: { call_id: hex(16) } },
  RelayDraining: {
    required: {},
    optional: { deadline_ms: fc.nat(), alternatives: fc.array(fc.record({ addr, pin: hex(32) }), { maxLength: 3 }) },
  },
};
const types = Object.keys(ours) as SignalType[];
const messageOf = (type: SignalType): fc.Arbitrary<SignalMessage> => {
  const { required, optional = {} } = ours[type];
  return record(
    { type: fc.constant(type), ...required, ...optional } as never,
    ["type", ...Object.keys(required)] as never,
  ) as fc.Arbitrary<SignalMessage>;
};
/** JSON has no -0 and gives plain prototypes. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe.each(types)("%s", (type) => {
  const { required, optional = {} } = ours[type];
  const settings = { seed: 50, numRuns: 100 };

  test("survives the wire with any choice of optional fields, absent ones elided", () => {
    fc.assert(
      fc.property(messageOf(type), (message) => {
        const bytes = encodeSignal(message);
        expect(parseSignal(bytes)).toStrictEqual({ ok: true, message: plain(message) });
        const withUndefined = { ...Object.fromEntries(Object.keys(optional).map((key) => [key, undefined])), ...message };
        expect(parseSignal(encodeSignal(withUndefined))).toStrictEqual({ ok: true, message: plain(message) });
      }),
      settings,
    );
  });

  test("from an older peer: the required fields alone are enough", () => {
    fc.assert(
      fc.property(fc.record(required), (fields) => {
        expect(parseSignal(json({ type, ...fields }))).toStrictEqual({ ok: true, message: plain({ type, ...fields }) });
      }),
      settings,
    );
  });

  test("from a newer peer: fields nobody knows here are ignored", () => {
    fc.assert(
      fc.property(messageOf(type), fc.jsonValue(), (message, value) => {
        const newer = text(
          JSON.stringify({ ...message, later_field: value, constructor: 1 }).replace("{", '{"__proto__":{"ok":true},'),
        );
        expect(parseSignal(newer)).toStrictEqual({ ok: true, message: plain(message) });
      }),
      settings,
    );
  });

  test("without any one of its required fields, or with one of another shape, it is malformed", () => {
    const wrong = fc.constantFrom<unknown>(null, 7.5, -1, {}, [], "x".repeat(3_000), {
      a: { a: { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } } },
    });
    for (const field of Object.keys(required)) {
      fc.assert(
        fc.property(messageOf(type), wrong, (message, value) => {
          const { [field]: _, ...rest } = message as Record<string, unknown>;
          expect(parseSignal(json(rest))).toEqual({ ok: false, reason: "malformed", type });
          fc.pre(!(field === "message" && JSON.stringify(value) === "{}"));
          fc.pre(!((field === "added" || field === "removed") && Array.isArray(value)));
          expect(parseSignal(json({ ...rest, [field]: value }))).toEqual({ ok: false, reason: "malformed", type });
        }),
        { ...settings, numRuns: 20 },
      );
    }
  });

  test("an optional field of another shape is malformed too: a peer's bug is not guessed at", () => {
    for (const key of Object.keys(optional)) {
      fc.assert(
        fc.property(messageOf(type), fc.constantFrom<unknown>(null, 7.5, {}, "x".repeat(3_000)), (message, value) => {
          expect(parseSignal(json({ ...message, [key]: value }))).toEqual({ ok: false, reason: "malformed", type });
        }),
        { seed: 51, numRuns: 10 },
      );
    }
  });
});

const CALL = "0123456789abcdef0123456789abcdef";
test.each([
  ["no octets", text(""), { reason: "malformed" }],
  ["not UTF-8", Uint8Array.of(0x22, 0xff, 0x22), { reason: "malformed" }],
  [
    "a name that is not UTF-8",
    Uint8Array.of(...text('{"type":"Hangup","call_id":"0123456789abcdef0123456789abcdef","reason":"'), 0xff, 0x22, 0x7d),
    { reason: "malformed" },
  ],
  ["a byte order mark", text(`\ufeff{"type":"Ringing","call_id":"${CALL}"}`), { reason: "malformed" }],
  ["half an object", text('{"type":"Ringing"'), { reason: "malformed" }],
  ["a list", json([]), { reason: "malformed" }],
  ["null", json(null), { reason: "malformed" }],
  ["no type", json({}), { reason: "malformed" }],
  ["a type that is a number", json({ type: 5 }), { reason: "malformed" }],
  ["a type unfit for a log", json({ type: "Hang\nup" }), { reason: "malformed" }],
  ["a type 41 characters long", json({ type: "T".repeat(41) }), { reason: "malformed" }],
  ["a type of tomorrow", json({ type: "RoomJoin", room: 1 }), { reason: "unknown-type", type: "RoomJoin" }],
  ["a type that is in every object", json({ type: "constructor" }), { reason: "unknown-type", type: "constructor" }],
  ["upper-case hex", json({ type: "Ringing", call_id: CALL.toUpperCase() }), { reason: "malformed", type: "Ringing" }],
  [
    "seventeen addresses",
    json({ type: "CandidateUpdate", call_id: CALL, generation: 1, local_addrs: Array(17).fill("") }),
    { reason: "malformed", type: "CandidateUpdate" },
  ],
  ...(
    [
      ["an escape sequence", "\u001b[2J"],
      ["two lines", "two\nlines"],
      ["a C1 control", "\u009b31m"],
      ["text that runs backwards", "\u202eback"],
      ["a line separator", "\u2028"],
    ] as const
  ).map(([name, words]): [string, Uint8Array, object] => [
    `a reason with ${name}`,
    json({ type: "Hangup", call_id: CALL, reason: words }),
    { reason: "malformed", type: "Hangup" },
  ]),
  ["no generation", json({ type: "CandidateUpdate", call_id: CALL }), { reason: "malformed", type: "CandidateUpdate" }],
  [
    "a generation past 2^53",
    text(`{"type":"CandidateUpdate","call_id":"${CALL}","generation":9007199254740993}`),
    { reason: "malformed", type: "CandidateUpdate" },
  ],
  [
    "a generation that is infinite",
    text(`{"type":"CandidateUpdate","call_id":"${CALL}","generation":1e999}`),
    { reason: "malformed", type: "CandidateUpdate" },
  ],
  [
    "channel 256",
    json({ type: "CallResumed", call_id: CALL, channel: 256, peer_present: true }),
    { reason: "malformed", type: "CallResumed" },
  ],
  [
    "an address of 65 characters",
    json({ type: "ReflectResponse", txn: 1, addr: "1".repeat(65) }),
    { reason: "malformed", type: "ReflectResponse" },
  ],
  [
    "a mode nobody knows",
    json({ type: "DirectCallAnswer", call_id: CALL, callee_fingerprint: CALL, mode: "accepttrusted" }),
    { reason: "malformed", type: "DirectCallAnswer" },
  ],
  ["one octet too many", new Uint8Array(MAX_SIGNAL_BYTES + 1).fill(0x20), { reason: "oversized" }],
  ["brackets all the way down", text("[".repeat(MAX_SIGNAL_BYTES)), { reason: "malformed" }],
])("%s is refused", (_, bytes, refusal) => {
  expect(parseSignal(bytes)).toEqual({ ok: false, ...refusal });
});

test("octets at random, and messages with octets altered, never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => !parseSignal(bytes).ok),
    { seed: 52, numRuns: 2_000 },
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...types).chain(messageOf),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      (message, edits) => {
        const bytes = encodeSignal(message);
        for (const [at, octet] of edits) bytes[at % bytes.length] = octet;
        const result = parseSignal(bytes);
        if (result.ok) expect(parseSignal(encodeSignal(result.message))).toEqual(result);
      },
    ),
    { seed: 53, numRuns: 2_000 },
  );
});

test("a forward carries a message of a type its relays do not know, judged only at the end", () => {
  const inner = { type: "RoomJoin", room: { name: "x" } };
  const forward = parseSignal(json({ type: "FederatedSignalForward", from_relay: "r1", to: CALL, message: inner }));
  expect(forward).toEqual({ ok: true, message: { type: "FederatedSignalForward", from_relay: "r1", to: CALL, message: inner } });
  expect(checkSignal(inner)).toEqual({ ok: false, reason: "unknown-type", type: "RoomJoin" });
  expect(checkSignal({ type: "Ringing", call_id: CALL })).toEqual({ ok: true, message: { type: "Ringing", call_id: CALL } });
});

test("the largest message of every type but a forward fits half the limit, so a forward of it fits too", () => {
  const most = {
    reason: "\ud800".repeat(200), // half a character becomes six octets in JSON
    name: "\ud800".repeat(64),
    token: '"'.repeat(1_024),
    relay: '"'.repeat(128),
    re: '"'.repeat(40),
  } as Record<string, unknown>;
  const big = '"'.repeat(64);
  for (const type of types.filter((name) => name !== "FederatedSignalForward")) {
    const { required, optional = {} } = ours[type];
    const sample = fc.sample(fc.record({ ...required, ...optional }), { seed: 54, numRuns: 1 })[0] as Record<string, unknown>;
    const filled = Object.fromEntries(
      Object.entries(sample).map(([key, value]) => [
        key,
        key.endsWith("addrs") ? Array(16).fill(big) : key.endsWith("addr") ? big : (most[key] ?? value),
      ]),
    );
    const result = parseSignal(json({ type, ...filled }));
    expect(result).toMatchObject({ ok: true });
    expect(json({ type, ...filled }).length).toBeLessThan(MAX_SIGNAL_BYTES / 2);
  }
  const tooLong = { type: "Refusal", re: "Hangup", reason: "x".repeat(MAX_SIGNAL_BYTES) } as const;
  expect(() => encodeSignal(tooLong)).toThrow(RangeError);
});
