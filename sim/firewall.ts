/**
 * The IPv6 side of a router: forwards packets as they are, and lets in only what an inside endpoint has asked for (RFC 6092: a stateful firewall without
 * translation). It filters and forgets as the NAT beside it does; RFC 6092 REC-14 asks for two minutes at least, as RFC 4787 REQ-5.
 * Left out on purpose: holes made on request (PCP), rules by hand, ICMPv6.
 */
import type { Address } from "../impl/base/address.ts";
import type { Instant } from "../impl/base/units.ts";
import type { NatModel } from "../scenarios/expanded.ts";
import { scope } from "./remote-scope.ts";

/** Whether a packet may come in; `fault` names what took the state it needed. */
export type Admission = { readonly ok: true } | { readonly ok: false; readonly fault: number | undefined };

type Flow = { used: Instant };

const ADMITTED: Admission = { ok: true };

export class Firewall {
  readonly #model: Pick<NatModel, "filtering" | "lifetime" | "inboundRefresh">;
  /** By inside endpoint and what the filter tells apart of a remote. */
  readonly #flows: Map<Address, Map<string, Flow>> = new Map();
  /** Flows that a fault made it forget, and which. */
  readonly #lost: Map<string, number | undefined> = new Map();

  /** The model is trusted to be valid (scenarios check it). */
  constructor(model: Pick<NatModel, "filtering" | "lifetime" | "inboundRefresh">) {
    this.#model = model;
  }

  /** A packet leaves: who may answer it is let in from now on. */
  outbound(now: Instant, source: Address, destination: Address): void {
    const remote = scope(this.#model.filtering, destination);
    const flows = this.#flows.get(source);
    const flow = flows?.get(remote);
    if (flow !== undefined) flow.used = now;
    else if (flows !== undefined) flows.set(remote, { used: now });
    else this.#flows.set(source, new Map([[remote, { used: now }]]));
  }

  inbound(now: Instant, source: Address, destination: Address): Admission {
    const remote = scope(this.#model.filtering, source);
    const flow = this.#flows.get(destination)?.get(remote);
    if (flow === undefined) return { ok: false, fault: this.#lost.get(`${destination} ${remote}`) };
    if (now - flow.used >= this.#model.lifetime) return { ok: false, fault: undefined };
    if (this.#model.inboundRefresh) flow.used = now;
    return ADMITTED;
  }

  /** Forgets all flows, as a restart of the box does. */
  expire(now: Instant, fault: number | undefined): void {
    for (const [inside, flows] of this.#flows)
      for (const [remote, { used }] of flows) if (now - used < this.#model.lifetime) this.#lost.set(`${inside} ${remote}`, fault);
    this.#flows.clear();
  }
}
