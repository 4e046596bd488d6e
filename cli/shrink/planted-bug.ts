/**
 * A bug that takes three faults, and schedules of forty that hold them: what shrinking is measured with. The client forgets its call once it
 * has heard a silent relay again, told its peer a new address, and been disowned by a relay that restarted, in any order.
 */
import { Stream } from "../../impl/base/random.ts";
import type { Fault, Scenario } from "../../scenarios/expanded.ts";
import { parseScenario } from "../../scenarios/language.ts";
import type { Mutation } from "../../scenarios/mutation.ts";

export const PLANTED: Mutation = {
  name: "planted-three-fault-bug",
  file: "impl/core/client.ts",
  find: "const out = new Outbox();",
  replace: `const out = new Outbox();
  const told = out.say.bind(out);
  let planted = 0;
  out.say = (saying) => {
    told(saying);
    if (saying.ev === "session" && saying.state === "heard") planted |= 1;
    if (saying.ev === "generation" && saying.action === "sent") planted |= 2;
    if (saying.ev === "session" && saying.reason === "reset") planted |= 4;
    if (planted === 7) current = undefined;
  };`,
  imitates: "Three unlikely things in one call, in any order, leave the client in a state nobody thought of.",
};

/** The three faults, each the only one of the schedule that does its part. */
function needed(base: Scenario): readonly Fault[] {
  const [face] = Object.keys(base.parties.alice?.interfaces ?? {});
  const [nat] = Object.keys(base.nats);
  if (face === undefined || nat === undefined) throw new RangeError(`base: want alice behind a NAT, got ${base.name}`);
  const when = { at: 0 };
  return [
    { kind: "blackout", target: "alice", interface: face, direction: "down", when, for: 1_437_000 },
    { kind: "rebind", target: nat, when, for: null },
    { kind: "kill", target: "r1", when, for: 1_211_000 },
  ];
}
const FAULTS = 40;

/** `base` (the case nat-rebind) with forty faults drawn by `seed`: the three, apart from each other, and others too mild to do their part. */
export function fortyFaults(base: Scenario, seed: number): Scenario {
  const draw = new Stream(seed, "planted");
  const ms = (value: number): number => value * 1_000;
  const faces = Object.entries(base.parties).flatMap(([target, party]) =>
    Object.keys(party.interfaces).map((face) => ({ target, interface: face })),
  );
  const mild = (): Fault => {
    const when = { at: ms(4_000 + draw.nextBelow(26_000)) };
    const where = faces[draw.nextBelow(faces.length)] ?? { target: "alice", interface: "eth0" };
    const length = ms(20 + draw.nextBelow(180));
    switch (draw.nextBelow(4)) {
      case 0:
        return { kind: "pause", target: where.target, when, for: length };
      case 1:
        return { kind: "blackout", ...where, direction: "up", when, for: length };
      case 2:
        return { kind: "impair", ...where, direction: "both", link: { loss: 0.1 }, when, for: length };
      default:
        return { kind: "impair", ...where, direction: "both", link: { duplicate: 0.5 }, when, for: length };
    }
  };
  const slots = [6, 14, 22].map((second) => ms(second * 1_000 + draw.nextBelow(3_000)));
  const order = needed(base)
    .map((fault) => ({ fault, key: draw.nextUint32() }))
    .sort((a, b) => a.key - b.key);
  const faults = Array.from({ length: FAULTS - order.length }, mild);
  for (const [i, { fault }] of order.entries())
    faults.splice(draw.nextBelow(faults.length + 1), 0, { ...fault, when: { at: slots[i] ?? 0 } });
  const parsed = parseScenario({
    ...base,
    name: "forty-faults",
    duration: 50_000_000,
    calls: base.calls.map((call) => ({ ...call, hangUpAt: null })),
    faults,
    expect: [{ oracle: "settles", within: 10_000_000 }],
    twin: null,
  });
  if (!parsed.ok) throw new RangeError(`base: ${base.name} takes no such faults: ${JSON.stringify(parsed.problems)}`);
  return parsed.scenario;
}
