import { expect, test } from "vitest";
import type { Address } from "../impl/base/address.ts";
import { randomness } from "../impl/base/random.ts";
import { Instant, seconds } from "../impl/base/units.ts";
import type { NatBehaviour, NatModel } from "../scenarios/expanded.ts";
import { Nat } from "./nat.ts";
import { hostOf } from "./remote-scope.ts";

const BEHAVIOURS: readonly NatBehaviour[] = ["endpoint-independent", "address-dependent", "address-and-port-dependent"];
const SECOND = 1_000_000;
const EXTERNAL = "203.0.113.1";

const nat = (model: Partial<NatModel> = {}, seed = 1): Nat =>
  new Nat(
    "home",
    {
      mapping: "endpoint-independent",
      filtering: "endpoint-independent",
      ports: "random",
      hairpin: "off",
      lifetime: 30 * SECOND,
      inboundRefresh: false,
      behind: null,
      ...model,
    },
    EXTERNAL,
    randomness(seed),
  );

const at = (seconds: number) => Instant(seconds * SECOND);
const out = (box: Nat, from: Address, to: Address, seconds = 0): Address => {
  const result = box.outbound(at(seconds), from, to);
  if (!result.ok) throw new Error(`outbound refused: ${result.cause}`);
  return result.source;
};
const letsIn = (box: Nat, from: Address, to: Address, seconds = 0) => box.inbound(at(seconds), from, to).ok;

const A = "192.168.1.2:4000";
const S1 = "198.51.100.1:3478";
const S1_OTHER_PORT = "198.51.100.1:3479";
const S2 = "198.51.100.2:3478";

/** What two servers of two ports each find out about a NAT, asked as RFC 5780 asks. */
function classify(box: Nat): { mapping: NatBehaviour; filtering: NatBehaviour } {
  const [first, otherPort, otherHost] = [S1, S1_OTHER_PORT, S2].map((to) => out(box, A, to));
  const mapping =
    first === otherPort && first === otherHost ? BEHAVIOURS[0] : first === otherPort ? BEHAVIOURS[1] : BEHAVIOURS[2];
  const asking = "192.168.1.2:4001";
  const mapped = out(box, asking, S1);
  const filtering = letsIn(box, S2, mapped) ? BEHAVIOURS[0] : letsIn(box, S1_OTHER_PORT, mapped) ? BEHAVIOURS[1] : BEHAVIOURS[2];
  expect(letsIn(box, S1, mapped)).toBe(true);
  return { mapping: mapping as NatBehaviour, filtering: filtering as NatBehaviour };
}

const NINE = BEHAVIOURS.flatMap((mapping) => BEHAVIOURS.map((filtering) => ({ mapping, filtering })));

test.each(NINE)(
  "two servers classify $mapping mapping with $filtering filtering as declared, under every port policy",
  (declared) => {
    for (const ports of ["preserve", "random", "sequential"] as const) {
      for (let seed = 0; seed < 10; seed++) expect(classify(nat({ ...declared, ports }, seed))).toEqual(declared);
    }
  },
);

test("what comes in reaches the inside endpoint that owns the mapping", () => {
  const box = nat();
  const [a, b] = [out(box, A, S1), out(box, "192.168.1.3:4000", S1)];
  expect(a).not.toBe(b);
  expect(hostOf(a)).toBe(EXTERNAL);
  expect(box.inbound(at(0), S2, a)).toEqual({ ok: true, destination: A });
  expect(box.inbound(at(0), S2, b)).toEqual({ ok: true, destination: "192.168.1.3:4000" });
  expect(box.inbound(at(0), S2, `${EXTERNAL}:1`)).toEqual({ ok: false, cause: "nat-no-mapping", fault: undefined });
});

test("port policies: preserve keeps the port and falls back on conflict, sequential counts, random is keyed by the endpoint", () => {
  const keep = nat({ ports: "preserve" });
  expect(out(keep, A, S1)).toBe(`${EXTERNAL}:4000`);
  const second = out(keep, "192.168.1.3:4000", S1);
  expect(second).not.toBe(`${EXTERNAL}:4000`);
  expect(out(keep, "192.168.1.3:4000", S2)).toBe(second);
  const count = nat({ ports: "sequential", mapping: "address-and-port-dependent" });
  expect([S1, S1_OTHER_PORT, S2, S1].map((to) => out(count, A, to))).toEqual(
    [50_000, 50_001, 50_002, 50_000].map((port) => `${EXTERNAL}:${port}`),
  );
  const [alone, crowded] = [nat(), nat()];
  out(crowded, "192.168.1.9:9", S1);
  expect(out(crowded, A, S1)).toBe(out(alone, A, S1));
});

test("blocks: each subscriber has ports of its own and gets nothing when they are used up, or when the pool has no block for it", () => {
  const box = nat({ ports: "block", portBlock: { size: 9, blocks: 2 } });
  for (const host of ["192.168.1.2", "192.168.1.3", "192.168.1.4"]) box.admit(host);
  const drawn = (host: string): number[] =>
    Array.from({ length: 9 }, (_, k) => Number(out(box, `${host}:${5_000 + k}`, S1).split(":")[1])).sort((a, b) => a - b);
  const range = (first: number): number[] => Array.from({ length: 9 }, (_, k) => first + k);
  expect(drawn("192.168.1.3")).toEqual(range(1_033));
  expect(drawn("192.168.1.2")).toEqual(range(1_024));
  const exhausted = { ok: false, cause: "nat-exhausted", fault: undefined };
  expect(box.outbound(at(0), "192.168.1.2:6000", S1)).toEqual(exhausted);
  expect(box.outbound(at(0), "192.168.1.4:6000", S1)).toEqual(exhausted);
  // a lifetime later the ports are free again
  expect(out(box, "192.168.1.2:6000", S1, 400)).toMatch(/:10(2[4-9]|3[0-2])$/);
  box.admit("192.168.1.9", "192.168.1.3");
  expect(Number(out(box, "192.168.1.9:1", S1, 400).split(":")[1])).toBeGreaterThanOrEqual(1_033);
});

test("when every port is taken a new mapping is refused and the old ones still work", () => {
  const box = nat({ ports: "sequential" });
  for (let i = 0; i < 64_512; i++) out(box, `10.0.${i >> 12}.1:${i & 4_095}`, S1);
  expect(box.outbound(at(0), A, S1)).toEqual({ ok: false, cause: "nat-exhausted", fault: undefined });
  expect(out(box, "10.0.0.1:0", S2)).toBe(`${EXTERNAL}:50000`);
});

test("a mapping lives for its lifetime after the last outbound packet, not longer, and inbound packets do not help", () => {
  const box = nat();
  const mapped = out(box, A, S1);
  expect(out(box, A, S2, 20)).toBe(mapped);
  for (const second of [30, 40, 49.999_999]) expect(letsIn(box, S1, mapped, second)).toBe(true);
  expect(box.inbound(at(50), S1, mapped)).toEqual({ ok: false, cause: "nat-no-mapping", fault: undefined });
  expect(box.mappings(at(50))).toEqual([]);
  expect(out(box, A, S1, 51)).not.toBe(mapped);
});

test("with inbound refresh, packets from outside keep mapping and filter alive", () => {
  const box = nat({ inboundRefresh: true, filtering: "address-and-port-dependent" });
  const mapped = out(box, A, S1);
  for (const second of [25, 50, 75]) expect(letsIn(box, S1, mapped, second)).toBe(true);
  expect(letsIn(box, S1, mapped, 105)).toBe(false);
});

test("a filter entry lapses by itself while the mapping lives on", () => {
  const box = nat({ filtering: "address-dependent" });
  const mapped = out(box, A, S1);
  out(box, A, S2, 20);
  expect([letsIn(box, S1, mapped, 29), letsIn(box, S1, mapped, 31), letsIn(box, S2, mapped, 31)]).toEqual([true, false, true]);
});

test.each(["preserve", "random", "sequential"] as const)(
  "rebind under %s moves every mapping to a new port and kills the old ones for good",
  (ports) => {
    const box = nat({ ports, filtering: "address-and-port-dependent" });
    const before = [out(box, A, S1), out(box, "192.168.1.3:5000", S1)];
    const after = box.rebind(at(1), 6);
    expect(after.map((view) => view.internal)).toEqual([A, "192.168.1.3:5000"]);
    for (const { external } of after) expect(before).not.toContain(external);
    for (const old of before) expect(box.inbound(at(1), S1, old)).toEqual({ ok: false, cause: "nat-no-mapping", fault: 6 });
    expect(letsIn(box, S1, after[0]?.external as Address, 1)).toBe(false); // filters are closed until the inside sends
    expect(box.outbound(at(2), A, S1)).toEqual({ ok: true, source: after[0]?.external, fault: 6 });
    expect(letsIn(box, S1, after[0]?.external as Address, 2)).toBe(true);
    expect(box.touched(6)).toBe(1);
    const third = box.rebind(at(3), 7);
    for (const { external } of third) expect([...before, ...after.map((view) => view.external)]).not.toContain(external);
  },
);

test("a rebind for one remote moves its mapping alone; the others keep port and filter", () => {
  for (const mapping of ["address-dependent", "address-and-port-dependent"] as const) {
    const box = nat({ mapping, filtering: "address-and-port-dependent" });
    const [before, stays] = [out(box, A, S1), out(box, A, S2)];
    const after = box.rebind(at(1), 6, new Set([hostOf(S1)]));
    expect(after).toHaveLength(2);
    expect(letsIn(box, S2, stays, 1)).toBe(true);
    expect(box.inbound(at(1), S1, before)).toEqual({ ok: false, cause: "nat-no-mapping", fault: 6 });
    expect(out(box, A, S2, 1)).toBe(stays);
    const moved = out(box, A, S1, 1);
    expect(after.map(({ external }) => external).toSorted()).toEqual([moved, stays].toSorted());
    expect(moved).not.toBe(before);
    expect(box.touched(6)).toBe(1);
  }
});

test("expiry forgets mappings and filters; drops that follow from it name the fault", () => {
  const box = nat({ ports: "preserve", filtering: "address-and-port-dependent" });
  const mapped = out(box, A, S1);
  out(box, A, S2);
  box.expire(at(1), 2);
  expect(box.mappings(at(1))).toEqual([]);
  expect(box.inbound(at(1), S1, mapped)).toEqual({ ok: false, cause: "nat-no-mapping", fault: 2 });
  expect(out(box, A, S1, 2)).toBe(mapped);
  expect(box.touched(2)).toBe(1);
  expect(letsIn(box, S1, mapped, 2)).toBe(true);
  expect(box.inbound(at(2), S2, mapped)).toEqual({ ok: false, cause: "nat-filtering", fault: 2 });
  expect(box.inbound(at(2), "198.51.100.9:1", mapped)).toEqual({ ok: false, cause: "nat-filtering", fault: undefined });
});

test("renumbering gives a new address and counts what leaves from it", () => {
  const box = nat({ ports: "preserve" });
  out(box, A, S1);
  box.renumber(at(1), "203.0.113.9", 3);
  expect(box.outbound(at(1), A, S1)).toEqual({ ok: true, source: "203.0.113.9:4000", fault: 3 });
  expect([box.host, box.touched(3)]).toEqual(["203.0.113.9", 1]);
});

test("hairpin: off refuses, internal-source shows the inside address, external-source a mapping of its own", () => {
  const B = "192.168.1.3:5000";
  const kinds = (["off", "internal-source", "external-source"] as const).map((hairpin) => {
    const box = nat({ hairpin, ports: "preserve", filtering: "address-and-port-dependent" });
    return box.hairpin(at(0), A, out(box, B, S1));
  });
  expect(kinds).toEqual([
    { ok: false, cause: "no-route", fault: undefined },
    { ok: true, source: A, destination: B },
    { ok: true, source: `${EXTERNAL}:4000`, destination: B },
  ]);
  expect(nat({ hairpin: "external-source" }).hairpin(at(0), A, `${EXTERNAL}:7`)).toMatchObject({
    ok: false,
    cause: "nat-no-mapping",
  });
});

test("a mapping on request lets anybody in, answers them from the same address, and ends with its lifetime or the box's state", () => {
  const box = nat({ mapping: "address-and-port-dependent", filtering: "address-and-port-dependent" });
  const ordinary = out(box, A, S1);
  const mapped = box.map(at(0), A, 4_000, seconds(60));
  expect(mapped).toBe(`${EXTERNAL}:4000`);
  expect(letsIn(box, S2, `${EXTERNAL}:4000`)).toBe(true);
  expect(out(box, A, S2)).toBe(mapped);
  expect(out(box, A, S1)).toBe(ordinary);
  expect(box.map(at(0), "192.168.1.3:4000", 4_000, seconds(60))).not.toBe(mapped);
  expect(letsIn(box, S2, `${EXTERNAL}:4000`, 60)).toBe(false);
  expect(box.map(at(61), A, 4_000, seconds(60))).toBe(mapped);
  box.expire(at(62), 3);
  expect(box.inbound(at(63), S2, `${EXTERNAL}:4000`)).toEqual({ ok: false, cause: "nat-no-mapping", fault: 3 });
});

test("a mapping on request is at the address that the inside endpoint has for everybody already", () => {
  const box = nat({ filtering: "address-and-port-dependent" });
  const before = out(box, A, S1);
  expect(box.map(at(1), A, 4_000, seconds(60))).toBe(before);
  expect(letsIn(box, S2, before, 2)).toBe(true);
  box.unmap(A);
  expect(letsIn(box, S2, before, 3)).toBe(false);
});
