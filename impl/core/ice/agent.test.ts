import fc from "fast-check";
import { expect, test } from "vitest";
import { Instant, millis } from "../../base/units.ts";
import { parseStun } from "../../wire/stun.ts";
import { deadline, type Effect, type Input, type State, start, step } from "./agent.ts";

const at = (ms: number): Instant => Instant.after(Instant(0), millis(ms));
const [ONE, OTHER] = ["198.51.100.1:4433", "198.51.100.2:4433"];
const network = { port: 4433, interfaces: [{ name: "eth0", addresses: ["192.168.1.2"], isDefault: true }] };
const HOST = "192.168.1.2:4433";

function gathering(servers: readonly string[]) {
  let drawn = 0;
  const config = {
    ...{ patience: millis(200), timeout: millis(2_000) },
    entropy: (length: number) => new Uint8Array(length).fill(++drawn),
  };
  let state: State = start();
  const asked = new Map<string, Uint8Array>();
  const tell = (now: Instant, input: Input): readonly Effect[] => {
    const [next, effects] = step(config, state, now, input);
    state = next;
    for (const one of effects) {
      const stun = one.type === "packet" ? parseStun(one.bytes) : undefined;
      if (one.type === "packet" && stun?.ok === true) asked.set(one.to, stun.transactionId);
    }
    return effects.filter((one) => one.type !== "packet");
  };
  tell(at(0), { type: "network", network });
  tell(at(0), { type: "gather", servers });
  return {
    tell,
    answer: (ms: number, from: string, mapped: string) =>
      tell(at(ms), { type: "response", from, transactionId: asked.get(from) ?? new Uint8Array(12), mapped }),
    deadline: () => deadline(state),
  };
}
const candidatesOf = (effects: readonly Effect[]) => effects.flatMap((one) => (one.type === "gathered" ? [one.candidates] : []));

test("with the last server's answer the gathering is done", () => {
  const { answer, deadline: due } = gathering([ONE, OTHER]);
  expect(answer(20, ONE, "203.0.113.1:9")).toEqual([]);
  expect(answer(25, OTHER, "203.0.113.1:9")).toMatchObject([
    { type: "gathered", nat: "cone", candidates: { reflexive: "203.0.113.1:9", local: [HOST] } },
  ]);
  expect(due()).toBeUndefined();
});

test("a dead server is waited for 30 ms beyond the first answer, and told of when it turns out to live", () => {
  const { tell, answer, deadline: due } = gathering([ONE, OTHER]);
  answer(20, ONE, "203.0.113.1:9");
  expect(due()).toBe(at(50));
  expect(candidatesOf(tell(at(50), { type: "wake" }))).toEqual([{ reflexive: "203.0.113.1:9", local: [HOST] }]);
  expect(answer(400, OTHER, "203.0.113.1:10")).toMatchObject([{ type: "gathered", nat: "symmetric" }]);
});

test("without any answer hosts have to do after 200 ms; asking goes on until two seconds", () => {
  const { tell, deadline: due } = gathering([ONE]);
  const yields: number[] = [];
  for (let next = due(); next !== undefined; next = due())
    if (candidatesOf(tell(next, { type: "wake" })).length > 0) yields.push(next);
  expect(yields).toEqual([at(200), at(2_000)]);
});

test("without a server it yields at once what the host has", () => {
  expect(gathering([]).deadline()).toBeUndefined();
});

test("a mapping found while one waits is in what is yielded; found or lost later it is told by itself, once", () => {
  const { tell, answer } = gathering([ONE]);
  expect(tell(at(5), { type: "mapped", address: "203.0.113.1:5000" })).toEqual([]);
  expect(candidatesOf(answer(20, ONE, "203.0.113.1:9"))).toEqual([
    { reflexive: "203.0.113.1:9", local: [HOST], mapped: "203.0.113.1:5000" },
  ]);
  expect(tell(at(30), { type: "mapped", address: "203.0.113.1:5000" })).toEqual([]);
  expect(candidatesOf(tell(at(40), { type: "mapped", address: undefined }))).toEqual([
    { reflexive: "203.0.113.1:9", local: [HOST] },
  ]);
});

test("an answer by somebody else, or to nothing we asked, is unexpected; one about the network of before says nothing of this one", () => {
  const { tell, answer } = gathering([ONE]);
  expect(
    tell(at(1), { type: "response", from: ONE, transactionId: new Uint8Array(12).fill(77), mapped: "203.0.113.1:9" }),
  ).toEqual([{ type: "unexpected" }]);
  tell(at(2), { type: "network", network: { ...network, interfaces: [] } });
  expect(answer(3, ONE, "203.0.113.1:9")).toEqual([]);
  expect(answer(4, ONE, "203.0.113.1:9")).toEqual([{ type: "unexpected" }]);
});

test("whatever comes when, a gathering yields within its patience and ends within its timeout", () => {
  const event = fc.record({ after: fc.nat(300), server: fc.constantFrom(ONE, OTHER), port: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), (events) => {
      const one = gathering([ONE, OTHER]);
      const told: number[] = [];
      let clock = 0;
      const until = (end: number): void => {
        for (let next = one.deadline(); next !== undefined && next <= at(end); next = one.deadline())
          if (candidatesOf(one.tell(next, { type: "wake" })).length > 0) told.push(next / 1_000);
        clock = end;
      };
      for (const { after, server, port } of events) {
        until(clock + after);
        if (candidatesOf(one.answer(clock, server, `203.0.113.1:${port}`)).length > 0) told.push(clock);
      }
      until(Math.max(clock, 2_000));
      expect(one.deadline()).toBeUndefined();
      expect(Math.min(...told)).toBeLessThanOrEqual(200);
    }),
    { seed: 4, numRuns: 150 },
  );
});
