import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  blackout,
  deregister,
  disturbSignalling,
  expectConcealment,
  expectRecovery,
  expectSameCall,
  hangUp,
  impair,
  interfaceDown,
  kill,
  parseScenario,
  pause,
  rebind,
  register,
  roam,
  ScenarioError,
  scenario,
  type WrittenScenario,
} from "./index.ts";
import { NAT_PRESETS } from "./nats.ts";
import { PROFILES } from "./profiles.ts";

const head = { name: "case", asks: "Is it so?" };
const read = (written: object) => {
  const parsed = parseScenario({ ...head, ...written });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.scenario;
};
const complaints = (input: unknown): string[] => {
  const parsed = parseScenario(input);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};

describe("what is left out is filled in", () => {
  test("a name and a question make a call between two clients by one relay", () => {
    const { parties, calls, faults, expect: expected, labs, duration } = read({});
    expect(Object.keys(parties)).toEqual(["alice", "bob", "r1"]);
    expect(calls).toMatchObject([{ caller: "alice", callee: "bob", relay: "r1", at: 1_000_000, answer: "AcceptTrusted" }]);
    expect(faults).toEqual([]);
    expect(expected.map((one) => one.oracle)).toEqual(["call-connects", "media-flows", "same-call"]);
    expect(labs).toEqual(["sim", "netns", "docker"]);
    expect(duration).toBe(15_000_000);
  });

  test("a party may be a profile's name, a profile with changes, or have interfaces", () => {
    const { parties, nats } = read({
      parties: {
        alice: "lte-move",
        bob: { link: { profile: "lan", loss: 0.05 }, up: { rate: "300kbit" }, nat: "home" },
        carol: {
          interfaces: {
            wlan0: { link: "wifi-ok", nat: "home" },
            wwan0: { link: "lte-move", nat: { mapping: "address-dependent" } },
          },
        },
      },
    });
    expect(parties.alice?.interfaces.eth0?.up).toEqual(PROFILES.get("lte-move")?.up);
    expect(parties.bob?.interfaces.eth0).toMatchObject({
      up: { delay: 0, rate: { bps: 300_000 } },
      down: { delay: 2_500, loss: 0.05 },
      nat: "bob-home",
    });
    expect(Object.keys(parties.carol?.interfaces ?? {})).toEqual(["wlan0", "wwan0"]);
    expect(nats["carol-home"]).toEqual(NAT_PRESETS.get("home")?.model);
    expect(nats["carol-nat"]?.mapping).toBe("address-dependent");
  });

  test("a NAT of the scenario goes before a preset of the same name, and may sit behind another", () => {
    const { parties, nats } = read({
      nats: { home: { preset: "symmetric", behind: "carrier" }, carrier: "cgnat" },
      parties: { alice: { nat: "home" } },
    });
    expect(parties.alice?.interfaces.eth0?.nat).toBe("home");
    expect(nats.home).toMatchObject({ mapping: "address-and-port-dependent", behind: "carrier" });
  });

  test("times, rates, bursts and traces become numbers", () => {
    const { faults } = read({
      faults: [
        impair("alice", {
          link: {
            delay: "20ms",
            rate: { bps: "1Mbit", queue: "100ms" },
            burst: { loss: 0.1, length: 4 },
            trace: ["lost", "1ms", -1, 0],
          },
          at: "1.5s",
          for: "2s",
        }),
      ],
    });
    expect(faults[0]).toMatchObject({
      when: { at: 1_500_000 },
      for: 2_000_000,
      interface: "eth0",
      direction: "both",
      link: {
        delay: 20_000,
        rate: { bps: 1_000_000, queueBytes: 12_500 },
        burst: { p: 0.027778, r: 0.25 },
        trace: [-1, 1_000, -1, 0],
      },
    });
  });

  test("a NAT fault finds the NAT by the only party behind it, and a profile laid over a link is that of its direction", () => {
    const { faults } = read({
      parties: { alice: { nat: "home" } },
      faults: [
        rebind("alice", { at: "2s" }),
        impair("bob", { link: { profile: "ringrtc-moderate" }, direction: "up", at: "2s" }),
      ],
    });
    expect(faults[0]).toEqual({ when: { at: 2_000_000 }, for: null, kind: "rebind", target: "alice-home" });
    expect(faults[1]).toMatchObject({ link: PROFILES.get("ringrtc-moderate")?.up });
  });

  test("an oracle's defaults are part of the expanded form", () => {
    const { expect: expected } = read({
      faults: [kill("r1", { at: "5s", for: "1s" })],
      expect: [expectRecovery({ within: "500ms" })],
    });
    expect(expected).toEqual([{ oracle: "media-recovers", within: 500_000, from: "heal" }]);
  });
});

describe("what is wrong is said with its place, its value and what would be right", () => {
  const faulty = (...faults: object[]): object => ({ ...head, faults });
  const table: readonly (readonly [string, unknown, string])[] = [
    ["no object", 5, ": 5: want an object"],
    ["no name", { asks: "?" }, "name: is missing: want text"],
    ["unknown key", { ...head, durtion: 1 }, 'durtion: unknown key "durtion": did you mean "duration"?'],
    ["bad name", { ...head, name: "A b" }, 'name: "A b": want 1 to 32 small letters, digits and hyphens, a letter first'],
    ["bad time", faulty({ kind: "kill", target: "r1", at: "5" }), 'faults[0].at: "5": want a time such as'],
    ["half a microsecond", faulty({ kind: "kill", target: "r1", at: "0.5us" }), 'faults[0].at: "0.5us": want a time such as'],
    [
      "bad rate",
      faulty({ kind: "impair", target: "alice", at: 1, link: { rate: "10kbps" } }),
      'faults[0].link.rate: "10kbps": want a rate such as',
    ],
    [
      "unknown link number",
      faulty({ kind: "impair", target: "alice", at: 1, link: { los: 1 } }),
      'faults[0].link.los: unknown key "los": did you mean "loss"?',
    ],
    [
      "share above 1",
      faulty({ kind: "impair", target: "alice", at: 1, link: { loss: 5 } }),
      "faults[0].link.loss: 5: want at most 1",
    ],
    [
      "unknown kind",
      faulty({ kind: "kil", target: "r1", at: 1 }),
      'faults[0].kind: "kil" is not known here: did you mean "kill"?',
    ],
    [
      "unknown target",
      faulty({ kind: "kill", target: "r2", at: 1 }),
      'faults[0].target: "r2" is not a party: did you mean "r1"?',
    ],
    [
      "NAT where a party belongs",
      { ...head, parties: { alice: { nat: "home" } }, faults: [{ kind: "kill", target: "alice-home", at: 1 }] },
      'faults[0].target: "alice-home" is a NAT: want a party',
    ],
    [
      "party without a NAT",
      faulty({ kind: "rebind", target: "bob", at: 1 }),
      'faults[0].target: "bob" is a party with 0 NATs: want a party behind a NAT',
    ],
    [
      "relay where a client belongs",
      faulty({ kind: "signalling", target: "r1", effect: { duplicate: 1 }, at: 1 }),
      'faults[0].target: "r1" is a relay: want a client',
    ],
    [
      "unknown interface",
      faulty({ kind: "blackout", target: "bob", interface: "wlan0", at: 1 }),
      'faults[0].interface: "wlan0" is not an interface of bob: known: eth0',
    ],
    ["fault after the end", faulty({ kind: "kill", target: "r1", at: "16s" }), "faults[0].at: 16s is after the end at 15s"],
    [
      "heal after the end",
      faulty({ kind: "kill", target: "r1", at: "14s", for: "2s" }),
      "faults[0].for: would heal at 16s, after the end at 15s",
    ],
    ["no time at all", faulty({ kind: "kill", target: "r1" }), "faults[0]: has neither at nor after: want one of them"],
    [
      "rebind undone",
      { ...head, parties: { alice: { nat: "home" } }, faults: [{ kind: "rebind", target: "alice", at: 1, for: "1s" }] },
      "faults[0].for: a rebind cannot be undone: want null",
    ],
    ["fault that does nothing", faulty({ kind: "impair", target: "bob", at: 1, link: {} }), "faults[0].link: changes nothing"],
    [
      "arrival before sending",
      faulty({ kind: "impair", target: "bob", at: 1, link: { jitter: "1s" } }),
      "faults[0].link: jitter 1s is more than delay 10ms",
    ],
    ["trigger without ev", faulty({ kind: "kill", target: "r1", after: { match: {} } }), "faults[0].after.match: has no ev"],
    [
      "trigger on an unknown field",
      faulty({ kind: "kill", target: "r1", after: { match: { ev: "call", stat: "active" } } }),
      'faults[0].after.match.stat: this record has no field "stat": did you mean "state"?',
    ],
    [
      "trigger on an unknown value",
      faulty({ kind: "kill", target: "r1", after: { match: { ev: "call", state: "activ" } } }),
      'faults[0].after.match.state: "activ" is not a value of state: did you mean "active"?',
    ],
    [
      "unknown signalling message",
      faulty({ kind: "signalling", target: "bob", at: 1, effect: { delay: "1s", types: ["Hangupp"] } }),
      'faults[0].effect.types[0]: "Hangupp" is not known here: did you mean "Hangup"?',
    ],
    [
      "unknown profile",
      { ...head, parties: { alice: "lte-mvoe" } },
      'parties.alice: "lte-mvoe" is not known here: did you mean "lte-move"?',
    ],
    [
      "unknown NAT",
      { ...head, parties: { alice: { nat: "hoem" } } },
      'parties.alice.nat: "hoem" is not a NAT of this scenario or a preset: did you mean "home"?',
    ],
    [
      "NAT behind itself",
      { ...head, nats: { a: { behind: "b" }, b: { behind: "a" } } },
      "nats.a.behind: a behind b behind a: want a chain that ends at the internet",
    ],
    [
      "relay behind a NAT",
      { ...head, parties: { r1: { role: "relay", nat: "home" } } },
      "parties.r1.nat: a relay is reached at a public address: want null",
    ],
    [
      "party named as the log names itself",
      { ...head, parties: { lab: {} } },
      'parties.lab: "lab" is what the event log calls itself',
    ],
    ["party and NAT of one name", { ...head, nats: { bob: "home" } }, 'nats.bob: "bob" is a party too'],
    [
      "link beside interfaces",
      { ...head, parties: { bob: { link: "lan", interfaces: { a: "lan" } } } },
      "parties.bob.link: belongs to an interface",
    ],
    [
      "unknown caller",
      { ...head, calls: [{ caller: "alcie" }] },
      'calls[0].caller: "alcie" is not a client: did you mean "alice"?',
    ],
    ["relay that calls", { ...head, calls: [{ caller: "r1" }] }, 'calls[0].caller: "r1" is a relay: want a client'],
    ["call to oneself", { ...head, calls: [{ caller: "bob", callee: "bob" }] }, 'calls[0].callee: "bob" calls itself'],
    ["call after the end", { ...head, calls: [{ at: "20s" }] }, "calls[0].at: 20s is after the end at 15s"],
    ["answer after the end", { ...head, calls: [{ answerAfter: "20s" }] }, "calls[0].answerAfter: the answer would come at 21s"],
    ["hang-up before the call", { ...head, calls: [{ hangUpAt: "1s" }] }, "calls[0].hangUpAt: 1s is not after the call at 1s"],
    ["unknown speech", { ...head, calls: [{ callerSays: "speech-c" }] }, 'calls[0].callerSays: "speech-c" is not a speech'],
    [
      "unknown oracle",
      { ...head, expect: ["media-flow"] },
      'expect[0]: "media-flow" is not known here: did you mean "media-flows"?',
    ],
    [
      "unknown parameter",
      { ...head, expect: [{ oracle: "media-recovers", within: "1s", form: "heal" }] },
      'expect[0].form: unknown key "form": did you mean "from"?',
    ],
    [
      "missing parameter",
      { ...head, expect: ["media-recovers"] },
      "expect[0].within: is missing: media-recovers wants it, a time",
    ],
    [
      "oracle for a relay",
      { ...head, expect: [{ oracle: "media-flows", party: "r1" }] },
      'expect[0].party: "r1" is a relay: want a client',
    ],
    [
      "oracle for a fault that is not there",
      { ...head, expect: [{ oracle: "media-recovers", within: "1s", fault: 0 }] },
      "expect[0].fault: 0: there are 0 faults",
    ],
    [
      "limit beyond the run",
      { ...head, expect: [{ oracle: "longest-gap", max: "20s" }] },
      'expect[0].max: "20s" is longer than the run of 15s',
    ],
    ["the same twice", { ...head, expect: ["same-call", "same-call"] }, "expect[1]: same-call is here twice"],
    ["tag twice", { ...head, tags: ["a", "a"] }, 'tags[1]: "a" is here twice'],
    [
      "unknown mutation",
      { ...head, twin: { mutation: "short-ring-timeot", breaks: "same-call" } },
      'twin.mutation: "short-ring-timeot" is not a mutation: did you mean "short-ring-timeout"?',
    ],
    [
      "twin that breaks what is not judged",
      { ...head, twin: { mutation: "short-ring-timeout", breaks: "longest-gap" } },
      'twin.breaks: "longest-gap" is not judged in this scenario',
    ],
    ["a day and more", { ...head, duration: "25h" }, 'duration: "25h": want 1s to 86400s'],
  ];
  test.each(table)("%s", (_, input, message) => {
    const said = complaints(input);
    expect(said.length).toBeGreaterThan(0);
    expect(
      said.some((one) => one.startsWith(message)),
      said.join("\n"),
    ).toBe(true);
  });

  test("everything wrong is told at once", () => {
    const said = complaints({
      ...head,
      calls: [{ caller: "x" }],
      faults: [kill("y", { at: "99s" })],
      expect: ["media-recovers"],
    });
    expect(said.map((one) => one.split(":")[0])).toEqual([
      "calls[0].caller",
      "faults[0].at",
      "faults[0].target",
      "expect[0].within",
    ]);
  });

  test("the builder throws one error that lists it", () => {
    const wrong = (): unknown => scenario({ ...head, faults: [kill("r2", { at: "5s" })] });
    expect(wrong).toThrow(ScenarioError);
    expect(wrong).toThrow('scenario case:\n  faults[0].target: "r2" is not a party: did you mean "r1"?');
  });
});

describe("reading never fails but by saying so", () => {
  test("of anything at all", () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true }),
        (input) => {
          const parsed = parseScenario(input);
          return parsed.ok || parsed.problems.length > 0;
        },
      ),
      { seed: 4, numRuns: 500 },
    );
  });

  test("of anything in the place of any part", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("parties", "nats", "calls", "faults", "expect", "twin", "duration", "tags"),
        fc.jsonValue(),
        (key, value) => {
          const parsed = parseScenario({ ...head, [key]: value });
          return parsed.ok || parsed.problems.every(({ message }) => message.length > 0);
        },
      ),
      { seed: 5, numRuns: 1_000 },
    );
  });
});

describe("an expanded scenario", () => {
  const at = fc.integer({ min: 1_000_000, max: 9_000_000 });
  const length = fc.integer({ min: 1, max: 5_000_000 });
  const direction = fc.constantFrom("up", "down", "both");
  const link = fc.record(
    {
      delay: fc.integer({ min: 500_000, max: 600_000 }),
      jitter: fc.integer({ min: 0, max: 500_000 }),
      loss: fc.double({ min: 0, max: 1, noNaN: true }),
      order: fc.constantFrom("keep", "free"),
      burst: fc.constantFrom(null, { p: 0.1, r: 0.5 }, { loss: 0.1, length: 3 }),
      drop: fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 3 }),
      rate: fc.constantFrom(null, "1Mbit", 64_000, { bps: "300kbit", queuePackets: 5 }),
      trace: fc.array(fc.constantFrom(-1, "lost", 0, "20ms"), { maxLength: 4 }),
      profile: fc.constantFrom("lan", "lte-move", "ringrtc-international"),
    },
    { requiredKeys: ["delay"] },
  );
  const party = fc.record(
    { link, nat: fc.constantFrom(null, ...NAT_PRESETS.keys()), driftPpm: fc.integer({ min: -100, max: 100 }) },
    { requiredKeys: [] },
  );
  const faults = fc.array(
    fc.oneof(
      fc.record({ at, for: length }).map((during) => kill("r1", during)),
      fc.record({ at }).map((during) => pause("alice", during)),
      fc.record({ at, for: length, direction }).map((on) => blackout("bob", on)),
      fc.record({ at }).map((during) => interfaceDown("carol", during)),
      fc.record({ at, overlap: length }).map((during) => roam("dave", during)),
      fc
        .record({ at, link: link.map(({ profile: _, ...numbers }) => numbers), direction })
        .map((on) => impair("alice", on as never)),
      fc
        .record({ at, effect: fc.constant({ duplicate: 1, types: ["Hangup" as const] }) })
        .map((during) => disturbSignalling("bob", during)),
      fc
        .record({ nth: fc.integer({ min: 1, max: 3 }), delay: length })
        .map((when) => kill("r1", { after: { match: { ev: "call", state: "active" }, ...when } })),
    ),
    { maxLength: 4 },
  );
  const written = fc.record(
    {
      parties: fc.record({
        alice: party,
        bob: party,
        carol: party,
        dave: fc.constant({ interfaces: { wlan0: "lan", cell0: "lan" } }),
        r1: fc.constant({ role: "relay" }),
      }),
      faults,
      calls: fc.constantFrom([], [{}], [{}, { caller: "carol", at: "2s", hangUpAt: "8s", answer: "none" }]),
      expect: fc.constantFrom([], [expectSameCall(), expectRecovery({ within: "1s" }), expectConcealment({ max: 0.1 })]),
      tags: fc.uniqueArray(fc.constantFrom("a", "b", "c")),
    },
    { requiredKeys: ["parties"] },
  );

  test("reads as itself, also through JSON", () => {
    fc.assert(
      fc.property(written, (input) => {
        const once = parseScenario({ ...head, ...input } as WrittenScenario);
        expect(once).toMatchObject({ ok: true });
        if (!once.ok) return;
        expect(parseScenario(once.scenario)).toEqual(once);
        expect(JSON.stringify(parseScenario(JSON.parse(JSON.stringify(once.scenario))))).toBe(JSON.stringify(once));
      }),
      { seed: 6, numRuns: 300 },
    );
  });
});

describe("what users do besides calling", () => {
  const relays = { r1: { role: "relay" }, r2: { role: "relay" } };
  test("is timed or triggered like a fault, and reads as itself", () => {
    const actions = [
      register("alice", "r2", { at: "5s" }),
      deregister("alice", { after: { match: { ev: "registration", who: "alice" }, delay: "1s" } }),
      hangUp("bob", { at: "6s" }),
    ];
    const one = read({ parties: relays, actions });
    expect(one.actions).toEqual([
      { when: { at: 5_000_000 }, party: "alice", does: "register", relay: "r2" },
      {
        when: { after: { match: { ev: "registration", who: "alice" }, nth: 1, delay: 1_000_000 } },
        party: "alice",
        does: "deregister",
      },
      { when: { at: 6_000_000 }, party: "bob", does: "hang-up" },
    ]);
    expect(parseScenario(JSON.parse(JSON.stringify(one)))).toEqual({ ok: true, scenario: one });
  });

  test("what cannot be is said at its place", () => {
    const wrong = (action: object, parties: object = relays): string[] => complaints({ ...head, parties, actions: [action] });
    expect(wrong({ party: "alice", does: "register", at: "5s" })).toEqual([
      'actions[0].relay: is missing: "register" wants a relay (r1, r2)',
    ]);
    expect(wrong({ party: "alice", does: "register", relay: "bob", at: "5s" })[0]).toMatch(
      /^actions\[0\]\.relay: "bob" is not a relay/,
    );
    expect(wrong({ party: "alice", does: "hang-up", relay: "r1", at: "5s" })[0]).toMatch(/belongs to "register"/);
    expect(wrong({ party: "r1", does: "deregister", at: "5s" })[0]).toMatch(/^actions\[0\]\.party: "r1" is not a client/);
    expect(wrong({ party: "alice", does: "deregister", at: "50s" })[0]).toMatch(/^actions\[0\]\.at: 50s is after the end/);
    expect(wrong({ party: "alice", does: "deregister" })[0]).toMatch(/neither at nor after/);
    expect(complaints({ ...head, parties: { phone: { identityOf: "nobody" } } })[0]).toMatch(/another client with an identity/);
    expect(complaints({ ...head, parties: { r1: { role: "relay", startsIdle: true } } })[0]).toMatch(/registers with nobody/);
    expect(complaints({ ...head, parties: { alice: { losesResetKey: true } } })[0]).toMatch(/accepts no sessions/);
  });
});
