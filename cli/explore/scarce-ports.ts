/**
 * Carriers that run out of ports under a call. Only where the flow to the relay keeps the port that it took first, before there was a call: one whose mapping is
 * lost comes last, finds every port taken by ways to the peer, and nothing could be promised of the run. So there is one way out, it maps by destination, nothing
 * has it give out ports anew, and its flows are idle for no longer than it remembers them.
 */
import fc from "fast-check";
import type { Fault, NatModel } from "../../scenarios/expanded.ts";
import { natsOfParty, type Topology } from "./explored-topology.ts";

/** RFC 4787 REQ-5's least; explored outages are shorter. */
const LIFETIME = 120_000_000;

/** Faults after which a NAT maps flows again. */
const ANEW: ReadonlySet<Fault["kind"]> = new Set<Fault["kind"]>(["rebind", "renumber", "expire"]);

/** `topology` with so few ports for some of the clients that their calls may have none left for a direct path. */
export function scarcePorts(topology: Topology, faults: readonly Fault[]): fc.Arbitrary<Topology> {
  const chains = Object.entries(topology.parties).map(([name, party]) => ({
    name,
    party,
    nats: natsOfParty(party, topology.nats),
  }));
  const scarce = chains.flatMap(({ name, party, nats }) => {
    const [nat] = nats;
    const model = nat === undefined ? undefined : topology.nats[nat];
    const isFit =
      party.role === "client" &&
      nats.length === 1 &&
      Object.keys(party.interfaces).length === 1 &&
      model !== undefined &&
      model.mapping !== "endpoint-independent" &&
      !chains.some((other) => other.name !== name && other.nats.some((one) => one === nat)) &&
      !faults.some((one) => ANEW.has(one.kind) && one.target === nat);
    return isFit && nat !== undefined ? [[nat, model] as const] : [];
  });
  return fc
    .tuple(
      ...scarce.map(([name, model]) => fc.integer({ min: 2, max: 6 }).map((size) => [name, withPorts(model, size)] as const)),
    )
    .map((changed) => ({ ...topology, nats: { ...topology.nats, ...Object.fromEntries(changed) } }));
}

const withPorts = (model: NatModel, size: number): NatModel => ({
  ...model,
  ports: "block",
  portBlock: { size },
  lifetime: Math.max(model.lifetime, LIFETIME),
});
