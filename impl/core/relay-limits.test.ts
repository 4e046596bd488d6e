/** What one client, one address and all together may cost a relay; and that other relays get through to one that is full. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Stream } from "../base/random.ts";
import { Instant } from "../base/units.ts";
import type { Effect } from "./effect.ts";
import { identityFromSecret } from "./identity.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { RateLimit } from "./rate-limit.ts";
import { signRegistration } from "./registration.ts";
import { accept, alice, bob, media, offer, other, PIN, refusedFor, world } from "./relay-world.fixture.ts";

const closes = (effects: readonly Effect[]): unknown[] => effects.flatMap((one) => (one.type === "close" ? [one.detail] : []));

test("a rate lets a burst through and then so many a second, whenever they come", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 100 }),
      (perSecond, burst, gaps) => {
        const limit = new RateLimit<string>({ perSecond, burst }, 10);
        let now = 0;
        const granted: number[] = [];
        for (const gap of gaps) {
          now += gap;
          if (limit.take("one", Instant(now))) granted.push(now);
        }
        // Any window of time holds at most a burst and what has come in meanwhile.
        for (const [i, from] of granted.entries())
          for (const [j, to] of granted.entries())
            if (j >= i) expect(j - i + 1).toBeLessThanOrEqual(burst + ((to - from) * perSecond) / 1e6 + 1e-6);
        // And who waits long enough is never refused.
        expect(limit.take("one", Instant(now + Math.ceil((burst * 1e6) / perSecond)))).toBe(true);
      },
    ),
    { seed: 7, numRuns: 200 },
  );
});

test("rates of many are remembered within a bound", () => {
  const limit = new RateLimit<number>({ perSecond: 1, burst: 5 }, 100);
  for (let who = 0; who < 10_000; who++) limit.take(who, Instant(who));
  expect(limit.size).toBeLessThanOrEqual(100);
});

test("one address has so many sessions and no more, whatever its ports; another is not concerned", () => {
  const w = world([], { maxSessionsPerAddress: 3 });
  const accept = (session: number, remote: string): unknown[] => closes(w.step({ type: "accepted", session, remote }));
  expect([10, 11, 12].map((n) => accept(-n, `203.0.113.5:${n}`))).toEqual([[], [], []]);
  expect(accept(-13, "203.0.113.5:13")).toEqual(["too many sessions from this address"]);
  expect(accept(-14, "203.0.113.6:13")).toEqual([]);
  w.step({ type: "session", session: -10, event: { type: "closed", reason: "peer" } });
  expect(accept(-15, "203.0.113.5:15")).toEqual([]);
});

test("a session that another of the same client replaces gives its place back", () => {
  const w = world([], { maxSessionsPerAddress: 2 });
  const moves = (session: number): unknown[] => {
    const refused = closes(w.step({ type: "accepted", session, remote: `203.0.113.5:${-session}` }));
    const nonce = new Uint8Array(16).fill(-session);
    const effects = w.say(session, { type: "Register", ...signRegistration(nobleCrypto, alice, PIN, nonce) });
    return [...refused, ...effects.flatMap((one) => (one.type === "say" && one.saying.ev === "session" ? [one.saying] : []))];
  };
  const closed = (session: number): object => ({ ev: "session", session, state: "closed", reason: "local" });
  expect([-10, -11, -12, -13].map(moves)).toEqual([[], [closed(-10)], [closed(-11)], [closed(-12)]]);
});

test("one address opens so many sessions a second", () => {
  const w = world([], { sessionRate: { perSecond: 1, burst: 2 } });
  const accept = (session: number): unknown[] => {
    const effects = w.step({ type: "accepted", session, remote: "203.0.113.5:1" });
    w.step({ type: "session", session, event: { type: "closed", reason: "peer" } });
    return closes(effects);
  };
  expect([-10, -11, -12].map(accept)).toEqual([[], [], ["too many new sessions from this address"]]);
  w.pass(1);
  expect(accept(-13)).toEqual([]);
});

test("a client that says more than anybody has to say is not heard for the rest, and its session lives on", () => {
  const w = world([alice], { messageRate: { perSecond: 10, burst: 4 } });
  const answers = (): number => w.say(-1, { type: "Reflect", txn: 1 }).filter(({ type }) => type === "send").length;
  expect([1, 2, 3, 4, 5].map(answers)).toEqual([1, 1, 1, 0, 0]); // registering was one
  w.pass(0.1);
  expect(answers()).toBe(1);
});

test("a full relay takes in no client, and still the relay it federates with", () => {
  const west = identityFromSecret(nobleCrypto, new Uint8Array(32).fill(21));
  const w = world([alice, bob], {
    maxSessions: 3,
    federation: {
      name: "zenith",
      identity: west,
      entropy: (length) => new Uint8Array(length),
      backoff: [],
      peers: [{ name: "west", address: "192.0.2.200:4433", pin: "ef".repeat(32), fingerprint: west.fingerprint }],
    },
  });
  const full = w.step({ type: "accepted", session: -9, remote: "203.0.113.9:1" });
  expect([closes(full), refusedFor(full)]).toEqual([["relay full"], ["limit"]]);
  expect(closes(w.step({ type: "accepted", session: -10, remote: "192.0.2.200:4433" }))).toEqual([]);
});

test("of sessions that never register, whatever they say, and of strangers' packets nothing is kept when they are gone", () => {
  const w = world();
  w.say(-1, offer());
  w.say(-2, accept);
  w.pass(20);
  w.pass(20); // who came first is remembered no more
  const [before, luck] = [w.view(), new Stream(15, "flood")];
  expect(w.deadline()).toBe(undefined);
  const nonsense = (): void => {
    w.step({ type: "packet", from: `192.0.2.99:${1 + luck.nextBelow(9_999)}`, bytes: luck.nextBytes(luck.nextBelow(100)) });
  };
  const forged = signRegistration(nobleCrypto, alice, "ab".repeat(32), new Uint8Array(16));
  for (let flood = 0; flood < 3; flood++) {
    const open = new Set<number>();
    for (let n = 1; n <= 200; n++) {
      const session = -1_000 * (flood + 1) - n;
      const refused = closes(w.step({ type: "accepted", session, remote: `198.51.${n >> 4}.${n & 15}:${n}` }));
      expect(refused).toEqual([]);
      open.add(session);
      w.raw(session, luck.nextBytes(luck.nextBelow(60)));
      w.say(session, { type: "Register", ...forged });
      w.say(session, offer(other(n)));
      w.say(session, { type: "Reflect", txn: n });
      w.datagram(session, media(n & 0xff));
      nonsense();
      if (n % 3 > 0) continue;
      open.delete(session);
      w.step({ type: "session", session, event: { type: "closed", reason: "peer" } }); // while it waits
    }
    expect(w.view()).not.toEqual(before);
    // Registrations are looked at in turn, and whoever is not registered in time is closed.
    for (let tenths = 0; tenths < 100; tenths++)
      for (const one of w.pass(0.1)) {
        if (one.type !== "close") continue;
        w.step({ type: "session", session: one.session, event: { type: "closed", reason: "local" } });
        open.delete(one.session);
      }
    expect(open.size).toBe(0);
    expect(w.view()).toEqual(before);
    expect(w.deadline(), "nobody waits for anything").toBe(undefined);
  }
});
