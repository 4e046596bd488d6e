/**
 * Every pair of the nine NATs of RFC 4787 (three mappings by three filterings), against what theory predicts. The theory is computed here from nothing but
 * the two behaviours: each side sends to every address of the other it knows of, whatever gets through teaches its source, and a path exists when
 * two addresses reach each other both ways. For the five textbook kinds it is the table of RFC 5128's hole punching.
 */
import { expect, test } from "vitest";
import type { NatBehaviour } from "../scenarios/expanded.ts";
import { scenario } from "../scenarios/scenario.ts";
import { runSim } from "./lab.ts";
import { nullCrypto } from "./null-crypto.ts";
import { sizedCodec } from "./sized-codec.ts";

type Kind = { readonly mapping: NatBehaviour; readonly filtering: NatBehaviour };
const BEHAVIOURS: readonly NatBehaviour[] = ["endpoint-independent", "address-dependent", "address-and-port-dependent"];
const KINDS: readonly Kind[] = BEHAVIOURS.flatMap((mapping) => BEHAVIOURS.map((filtering) => ({ mapping, filtering })));
const short = { "endpoint-independent": "EI", "address-dependent": "AD", "address-and-port-dependent": "APD" };
const nameOf = (kind: Kind): string => `${short[kind.mapping]}M+${short[kind.filtering]}F`;

/** What a NAT's outside address is keyed by, and whom it lets in there. Addresses are `host:port` with ports made up of the key. */
class Box {
  readonly #kind: Kind;
  readonly #host: string;
  readonly #sentTo = new Map<string, Set<string>>();
  constructor(kind: Kind, host: string) {
    this.#kind = kind;
    this.#host = host;
  }
  static scope(behaviour: NatBehaviour, of: string): string {
    if (behaviour === "endpoint-independent") return "any";
    return behaviour === "address-dependent" ? (of.split(":")[0] ?? "") : of.replace(":", "#");
  }
  /** The address that a packet to `to` leaves by. */
  out(to: string): string {
    const own = `${this.#host}:${Box.scope(this.#kind.mapping, to)}`;
    this.#sentTo.set(own, (this.#sentTo.get(own) ?? new Set()).add(Box.scope(this.#kind.filtering, to)));
    return own;
  }
  isOpen(own: string, from: string): boolean {
    const open = this.#sentTo.get(own);
    return open !== undefined && (open.has("any") || open.has(Box.scope(this.#kind.filtering, from)));
  }
}

function isPossible(a: Kind, b: Kind): boolean {
  const boxes = [new Box(a, "A"), new Box(b, "B")] as const;
  const known = [new Set([boxes[1].out("S:1")]), new Set([boxes[0].out("S:1")])] as const;
  for (let round = 0; round < 6; round++)
    for (const side of [0, 1] as const)
      for (const to of [...known[side]]) {
        const from = boxes[side].out(to);
        if (boxes[1 - side]?.isOpen(to, from)) known[1 - side]?.add(from);
      }
  return [...known[0]].some((far) => {
    const near = boxes[0].out(far);
    return known[1].has(near) && boxes[1].out(near) === far && boxes[1].isOpen(far, near) && boxes[0].isOpen(near, far);
  });
}

/** 12.5 ms one way on each client's link: 50 ms round trip. */
const link = { profile: "broadband", delay: "12500us" };
const ROUND_TRIP = 50_000;

function called(a: Kind, b: Kind): { readonly isDirect: boolean; readonly after: number } {
  const nat = { preset: "symmetric", ports: "random" } as const;
  const run = runSim(
    {
      scenario: scenario({
        ...{ name: "pair", asks: "Do they meet?", duration: "5s", iceTransportPolicy: "all" },
        parties: { alice: { nat: { ...nat, ...a }, link }, bob: { nat: { ...nat, ...b }, link } },
      }),
      seed: 7,
    },
    { codec: sizedCodec, crypto: nullCrypto },
  );
  const steps = run.records.flatMap((one) => (one.ev === "path" ? [one] : []));
  const last = new Map(steps.map((one) => [one.who, one.path]));
  const began = steps.find((one) => one.path === "relay")?.t ?? 0;
  const direct = steps.filter((one) => one.path === "direct").map((one) => one.t);
  const isDirect = last.get("alice") === "direct" && last.get("bob") === "direct";
  expect(isDirect || [...last.values()].every((path) => path === "relay")).toBe(true);
  return { isDirect, after: Math.max(...direct) - began };
}

test("the theory is the textbook's where there is one", () => {
  const textbook: Readonly<Record<string, Kind>> = {
    "full cone": { mapping: "endpoint-independent", filtering: "endpoint-independent" },
    restricted: { mapping: "endpoint-independent", filtering: "address-dependent" },
    "port restricted": { mapping: "endpoint-independent", filtering: "address-and-port-dependent" },
    symmetric: { mapping: "address-and-port-dependent", filtering: "address-and-port-dependent" },
  };
  const impossible = Object.entries(textbook).flatMap(([one, a]) =>
    Object.entries(textbook).flatMap(([other, b]) => (isPossible(a, b) ? [] : [`${one} - ${other}`])),
  );
  expect(impossible).toEqual(["port restricted - symmetric", "symmetric - port restricted", "symmetric - symmetric"]);
});

test.each(KINDS)("direct wherever theory allows, within 2.5 round trips and 100 ms of the set-up: $mapping, $filtering", (a) => {
  for (const b of KINDS) {
    const { isDirect, after } = called(a, b);
    expect(isDirect, `${nameOf(a)} calls ${nameOf(b)}`).toBe(isPossible(a, b));
    if (isDirect) expect(after, `${nameOf(a)} calls ${nameOf(b)}`).toBeLessThanOrEqual(2.5 * ROUND_TRIP + 100_000);
  }
});
