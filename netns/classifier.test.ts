import { describe, expect, test, vi } from "vitest";
import type { NatBehaviour, NatModel } from "../scenarios/expanded.ts";
import { classify, type Kind, kindOf, refuseOthers } from "./classifier.ts";
import type { Observation } from "./classifier-probe.ts";
import { configure } from "./command.ts";
import { FIREWALL, firewallRules } from "./firewall-rules.ts";
import { namespaces } from "./leftovers.ts";
import { natRules, WAN } from "./nat-rules.ts";
import { HOME, party, withBench } from "./topology-bench.fixture.ts";

/** A loaded machine takes its time: what hangs is told by deadlines inside. */
vi.setConfig({ testTimeout: 120_000 });

const BEHAVIOURS: readonly NatBehaviour[] = ["endpoint-independent", "address-dependent", "address-and-port-dependent"];
const PORTS = ["preserve", "random", "sequential"] as const;
const HAIRPINS = ["off", "internal-source", "external-source"] as const;
const PARTIES = { alice: party({ eth0: null }), r1: party({ eth0: null }, "relay") };

/** All nine behaviours, every port policy and hairpin with each mapping, both refreshes. */
const NINE: Readonly<Record<string, NatModel>> = Object.fromEntries(
  BEHAVIOURS.flatMap((mapping, m) =>
    BEHAVIOURS.map((filtering, f): [string, NatModel] => [
      `nat${m}${f}`,
      {
        ...HOME,
        mapping,
        filtering,
        // either is met by each of the others' three values
        ports: PORTS[(m + f) % 3] ?? "preserve",
        hairpin: HAIRPINS[(m + 2 * f) % 3] ?? "off",
        inboundRefresh: (m + f) % 2 === 0,
      },
    ]),
  ),
);

const declared = ({ mapping, filtering, ports, hairpin }: NatModel): object => ({
  mapping,
  filtering,
  ports,
  hairpin,
  twins: true,
});

describe("the classifier on the kernel's NATs", () => {
  test("finds each of the nine behaviours to be what it is declared", (context) =>
    withBench(context, async (bench) => {
      const { kinds } = await bench.build(NINE, PARTIES);
      expect(Object.fromEntries(kinds)).toEqual(
        Object.fromEntries(Object.entries(NINE).map(([name, model]) => [name, declared(model)])),
      );
    }));

  test("finds a NAT behind another to be what it is by itself", (context) =>
    withBench(context, async (bench) => {
      const nats = {
        home: { ...HOME, behind: "carrier" },
        carrier: { ...HOME, filtering: "endpoint-independent", hairpin: "external-source" } as const,
      };
      const { kinds } = await bench.build(nats, PARTIES);
      expect(Object.fromEntries(kinds)).toEqual({ home: declared(nats.home), carrier: declared(nats.carrier) });
    }));

  test("finds blocks of ports to be of the size declared, and refuses a NAT whose blocks are smaller", (context) =>
    withBench(context, async (bench) => {
      const block = (size: number): NatModel => ({ ...HOME, ports: "block", portBlock: { size } });
      const nats = {
        tiny: block(1),
        small: { ...block(40), hairpin: "external-source", mapping: "address-and-port-dependent" },
      } as const;
      const topology = await bench.build(nats, PARTIES);
      expect(Object.fromEntries(topology.kinds)).toEqual({
        tiny: { ...declared(nats.tiny), block: 1 },
        small: { ...declared(nats.small), block: 40 },
      });
      const smaller = new Map(topology.kinds).set("small", { ...declared(nats.small), block: 39 } as Kind);
      expect(() => refuseOthers(topology.plan, smaller)).toThrow("nat small: blocks declared to have 40 ports, found 39");
    }));

  test("finds how each firewall filters IPv6, behind another one too, and refuses one that filters otherwise, translates or does neither", (context) =>
    withBench(context, async (bench) => {
      const nats = {
        open: { ...HOME, filtering: "endpoint-independent" },
        middling: { ...HOME, filtering: "address-dependent", behind: "open" },
        strict: HOME,
      } as const;
      const topology = await bench.build(nats, { ...PARTIES, alice: party({ eth0: "strict" }) }, { willHaveV6: true });
      for (const [name, { filtering }] of Object.entries(nats)) expect(topology.kinds.get(name)?.firewall).toBe(filtering);
      const [strict] = [topology.boxes.get("strict")];
      if (strict === undefined) throw new Error("no NAT");
      const inside = (nft: string) =>
        configure({ namespace: strict.plan.namespace, nft: `delete table ip6 ${FIREWALL}\n${nft}` });
      await inside(firewallRules({ ...HOME, filtering: "address-dependent" }));
      const kind = await classify(topology, "strict");
      expect(() => refuseOthers(topology.plan, new Map([...topology.kinds, ["strict", kind]]))).toThrow(
        "nat strict: filtering of IPv6 declared address-and-port-dependent, found address-dependent",
      );
      const translating = ` chain post { type nat hook postrouting priority srcnat; oifname ${WAN} meta l4proto udp snat to ${strict.plan.prefix6}99; }`;
      await inside(`table ip6 nat66 {\n${translating}\n}`);
      const sixty = await classify(topology, "strict");
      expect(() => refuseOthers(topology.plan, new Map([...topology.kinds, ["strict", sixty]]))).toThrow(
        "nat strict: filtering of IPv6 declared address-and-port-dependent, found translating",
      );
      await configure({ namespace: strict.plan.namespace, nft: "delete table ip6 nat66" });
      expect((await classify(topology, "strict")).firewall).toBe("open");
    }));

  test("leaves no trace: no mapping, no count, no namespace, and the first port is still to come", (context) =>
    withBench(context, async (bench) => {
      const topology = await bench.build(
        { home: { ...HOME, ports: "sequential" } },
        { ...PARTIES, alice: party({ eth0: "home" }) },
      );
      expect(await topology.mappings("home")).toEqual([]);
      expect(Object.values(await topology.counters("home")).every((count) => count === 0)).toBe(true);
      expect(await namespaces()).not.toContain(topology.plan.probe);
    }));

  test("refuses a NAT that is not what was declared, in every respect", (context) =>
    withBench(context, async (bench) => {
      const topology = await bench.build({ home: HOME }, PARTIES);
      const box = topology.boxes.get("home");
      if (box === undefined) throw new Error("no NAT");
      const others: readonly NatModel[] = [
        { ...HOME, mapping: "address-dependent", ports: "random" },
        { ...HOME, filtering: "address-dependent" },
        { ...HOME, hairpin: "external-source" },
      ];
      for (const model of others) {
        const pool = Array.from({ length: 64 }, (_, k) => 20_000 + 7 * ((k * 29) % 64));
        const pools = [{ hosts: "all", ports: pool }] as const;
        await configure({
          namespace: box.plan.namespace,
          nft: natRules({ model, host: box.host, pools, dead: [], carried: [] }),
        });
        const kind = await classify(topology, "home");
        expect(kind).toMatchObject(declared(model));
        const differing = (["mapping", "filtering", "hairpin", "ports"] as const).filter(
          (aspect) => model[aspect] !== HOME[aspect],
        );
        expect(() => refuseOthers(topology.plan, new Map([["home", kind]]))).toThrow(
          expect.objectContaining({ code: "nat-differs" }),
        );
        for (const aspect of differing) {
          const told = `nat home: ${aspect} declared ${HOME[aspect]}, found ${model[aspect]}`;
          expect(() => refuseOthers(topology.plan, new Map([["home", kind]]))).toThrow(told);
        }
      }
    }));
});

describe("what an observation says", () => {
  const seen: Observation = {
    nat: "home",
    internal: "192.168.1.253:4000",
    external: ["203.0.113.1:1", "203.0.113.1:1", "203.0.113.1:1"],
    lets: { otherPort: false, otherHost: false },
    hairpin: undefined,
    ports: [
      [1, 9],
      [2, 4],
      [3, 7],
    ],
    twins: true,
  };
  test.each([
    [["a:1", "a:1", "a:1"], "endpoint-independent"],
    [["a:1", "a:1", "a:2"], "address-dependent"],
    [["a:1", "a:2", "a:3"], "address-and-port-dependent"],
    [["a:1", "a:2", "a:1"], "inconsistent"],
    [["a:1", "a:2", "a:2"], "inconsistent"],
  ] as const)("external addresses %j: mapping %s", (external, mapping) =>
    expect(kindOf({ ...seen, external }).mapping).toBe(mapping),
  );
  test("letting in another host but not the same one's other port is no behaviour", () =>
    expect(kindOf({ ...seen, lets: { otherPort: false, otherHost: true } }).filtering).toBe("inconsistent"));
  test.each([
    [
      [
        [1, 1],
        [5, 5],
      ],
      "preserve",
    ],
    [
      [
        [1, 7],
        [5, 8],
      ],
      "sequential",
    ],
    [
      [
        [1, 7],
        [5, 3],
      ],
      "random",
    ],
  ] as const)("ports %j: %s", (ports, policy) => expect(kindOf({ ...seen, ports }).ports).toBe(policy));
  test.each([
    [undefined, "off"],
    ["192.168.1.254:99", "internal-source"],
    ["203.0.113.1:99", "external-source"],
  ] as const)("a hairpinned packet from %s: %s", (hairpin, kind) => expect(kindOf({ ...seen, hairpin }).hairpin).toBe(kind));
});
