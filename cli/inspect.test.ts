import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toHex } from "../impl/base/cursor.ts";
import { Instant } from "../impl/base/units.ts";
import { nodeCrypto } from "../impl/io/node-crypto.ts";
import { CATALOGUE } from "../scenarios/catalogue.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { openSim, runSim, type SimView } from "../sim/lab.ts";
import { nullCrypto } from "../sim/null-crypto.ts";
import { sizedCodec } from "../sim/sized-codec.ts";
import { EXIT } from "./exit.ts";
import { midcall } from "./recorded-terminal.fixture.ts";
import { differences } from "./view-difference.ts";

const FAST = { codec: sizedCodec, crypto: nullCrypto };
const named = (name: string): Scenario => {
  const found = CATALOGUE.find((one) => one.name === name);
  if (found === undefined) throw new RangeError(name);
  return found;
};

describe("a run that is looked into", () => {
  test("is the same run: stopped, shown and gone on with step by step, it has the hash of one that was not", () => {
    const scenario = named("nat-rebind");
    const run = { scenario, seed: 5, keep: false };
    const session = openSim(run, FAST, true);
    session.advance(Instant(2_000_000));
    for (let i = 0; i < 500 && session.step(Instant(scenario.duration)); i++) session.view();
    expect(session.finish().hash).toBe(runSim(run, FAST).hash);
  });

  test("shows every party, NAT and packet under way, and what is on the links is what then arrives", () => {
    const scenario = named("nat-rebind");
    const session = openSim({ scenario, seed: 1 }, FAST, true);
    session.advance(Instant(3_000_000));
    const view = session.view();
    expect(Object.keys(view.parties).sort()).toEqual(Object.keys(scenario.parties).sort());
    expect(Object.keys(view.nats)).toEqual(Object.keys(scenario.nats));
    expect(view.parties.alice).toMatchObject({ process: "running", core: { call: { stage: "active" } } });
    const [number, next] = Object.entries(view.flights)[0] ?? [];
    const { arrives } = next as { arrives: number };
    session.advance(Instant(arrives - 1));
    expect(session.view().flights).toHaveProperty([number as string]);
    session.advance(Instant(arrives));
    expect(session.view().flights).not.toHaveProperty([number as string]);
  });

  test("shows no secret of any party at any time", () => {
    const secrets = new Set<string>();
    const remember = <T extends Uint8Array>(bytes: T): T => {
      secrets.add(toHex(bytes));
      return bytes;
    };
    // Everything that the engine draws from a secret goes through it: shared secrets, keys, and identities.
    const crypto = new Proxy(nodeCrypto, {
      get: (engine, name, self) => {
        const value = Reflect.get(engine, name, self);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          for (const one of given) if (one instanceof Uint8Array && one.length === 32) remember(one);
          return Reflect.apply(value, engine, given);
        };
      },
    });
    const session = openSim({ scenario: named("baseline"), seed: 1 }, { codec: sizedCodec, crypto }, true);
    let text = "";
    for (let at = 0; at <= 4_000_000; at += 200_000) {
      session.advance(Instant(at));
      text += JSON.stringify(session.view());
    }
    expect(secrets.size).toBeGreaterThan(10);
    expect([...secrets].filter((secret) => text.includes(secret))).toEqual([]);
  });
});

test("differences tell what changed, what is new and what is gone, each at its place", () => {
  const before = { a: { b: 1, gone: [1] }, list: [1, 2], same: null };
  const after = { a: { b: 2 }, list: [1, 3, { new: true }], same: null };
  expect(differences(before, after)).toEqual([
    { place: "a.b", before: 1, after: 2 },
    { place: "a.gone", before: [1], after: undefined },
    { place: "list[1]", before: 2, after: 3 },
    { place: "list[2]", before: undefined, after: { new: true } },
  ]);
});

describe("the command", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "midcall-inspect-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const run = (typed: string, ...words: string[]) =>
    midcall(folder, ["run", "relay-restart", "--codec", "sized", "--crypto", "null", ...words], undefined, typed);

  test("--inspect prints the instant asked for and writes nothing", async () => {
    const said = await run("", "--until", "5.5s", "--inspect", "--json");
    expect(said.code).toBe(EXIT.held);
    const view = JSON.parse(said.out) as SimView;
    expect(view).toMatchObject({ at: 5_500_000, parties: { r1: { process: "down" } } });
    expect(await readdir(folder)).toEqual([]);
  });

  test("--step goes on as told, and says what each action changed", async () => {
    const said = await run(
      "s\nto 5s\nl 3\nshow parties.r1.process\nshow parties.nobody\nl x\njump\nto 1s\nq\ns\n",
      "--until",
      "4.999s",
      "--step",
    );
    expect(said.code).toBe(EXIT.held);
    expect(said.out).toContain('"ev":"fault","fault":0,"kind":"kill"');
    expect(said.out).toContain('  ~ parties.r1.process  "running" -> "down"');
    expect(said.out).toContain("\n'down'\n");
    expect(said.out).toContain("show parties.nobody: there is no such place");
    expect(said.out).toContain("l x: want a whole number from 1");
    expect(said.out).toContain("jump: want one of");
    expect(said.out).toMatch(/to 1s: want an instant from 5\.\d+ s to 15\.000000 s$/);
  });

  test("stepping ends with the scenario", async () => {
    const said = await run("s 9999999\n", "--until", "14.9995s", "--step");
    expect(said.out).toContain("the scenario is at its end");
  });

  test.each([
    [["--until", "99s", "--inspect"], "--until 99s: relay-restart ends at 15s"],
    [["--until", "soon", "--inspect"], "Want a time"],
    [["--until", "9s"], "--until: nobody looks; want --inspect or --step"],
    [["baseline", "--inspect"], "2 scenarios: only one can be looked into"],
    [["--inspect", "--repeat", "2"], "'--repeat <n>'"],
  ])("refuses %j", async (words, why) => {
    const said = await run("", ...words);
    expect(said.code).toBe(EXIT.usage);
    expect(said.err).toContain(why);
  });
});
