/**
 * One direction of a link as a seeded machine without a clock: a packet in, its fate out. Faults are overlays laid over the base model.
 * Order of effects: exact drops, traces and bursts, independent loss; then the largest packet and the bottleneck; then delay, jitter, trace delay, reordering,
 * duplication, corruption.
 * Every draw is a hash of (seed, link, purpose, instant), so a knob turned or a fault removed leaves all other draws as they were; the instant is
 * told by the slot of 20 ms and the packet's place in it, so that luck belongs to the time and not to how much was sent before: two laboratories in
 * which a client says a little more or less meet the same bursts at the same moments. Drop lists and traces count packets: that is what they are for.
 *
 * Overlays: a knob that an overlay sets hides the base's. Where several overlays set the same knob, `loss` is the greatest, each `burst`, `drop`
 * and `trace` may lose the packet, and for anything else the overlay laid last decides.
 * Sources: tc-netem(8) for the vocabulary, RFC 8868 for jitter with order kept. Corruption is that which a checksum does not see: what one sees is loss.
 */
import type { Randomness, Stream } from "../../impl/base/random.ts";
import type { Instant } from "../../impl/base/units.ts";
import type { LinkModel } from "../expanded.ts";
import { Bottleneck } from "./bottleneck.ts";
import { Deliveries } from "./deliveries.ts";
import { type Chain, lossOf, moveChain, SLOT, startChain } from "./gilbert-elliott.ts";
import { truncatedNormal } from "./truncated-normal.ts";

/** A link that does nothing to packets. */
export const CLEAN: LinkModel = {
  delay: 0,
  jitter: 0,
  jitterShape: "uniform",
  order: "keep",
  loss: 0,
  burst: null,
  drop: [],
  duplicate: 0,
  reorder: null,
  rate: null,
  trace: [],
};

/** What becomes of one packet. `fault` is that of the overlay to blame, undefined when it was the base model. */
export type Fate =
  | {
      readonly ok: true;
      readonly at: Instant;
      /** Arrival of the second copy, if any. */
      readonly copyAt: Instant | undefined;
      /** Which bit of the payload is another on arrival, as a share of its length (0 up to 1); absent: none. */
      readonly corrupt?: { readonly bit: number; readonly fault: number | undefined };
    }
  | { readonly ok: false; readonly cause: "loss" | "queue" | "mtu"; readonly fault: number | undefined };

/** The base model with every overlay taken into account: what a packet sent now meets. For drivers that have other means than `send`. */
export type InForce = {
  /** Its `loss` is the greatest; `burst`, `drop` and `trace` lose packets as `losers` says. */
  readonly model: LinkModel;
  /** Every layer that may lose the packet by a drop list, a trace or a burst; the one laid last comes first. */
  readonly losers: readonly {
    readonly fault: number | undefined;
    readonly drop: readonly number[];
    readonly trace: readonly number[];
    readonly burst: LinkModel["burst"];
  }[];
  /** The fault of the overlay that a knob's value comes from; undefined: the base's own. */
  readonly by: { readonly [Knob in "loss" | "rate" | "duplicate" | "reorder"]: number | undefined };
  /** Faults whose overlays alter the timing of every packet. */
  readonly shapers: readonly (number | undefined)[];
};

type Layer = {
  readonly model: Partial<LinkModel>;
  readonly fault: number | undefined;
  /** Number of the first packet it governs: its drop list and trace count from there. */
  readonly first: number;
  readonly chain: Chain | undefined;
  /** Packets it altered without losing them. */
  touched: number;
};

/** Ways of one layer to lose a packet, knobs hidden by overlays taken out. */
type LossRule = {
  readonly layer: Layer;
  readonly drop: ReadonlySet<number> | undefined;
  readonly trace: readonly number[];
  readonly chain: Chain | undefined;
};

/** Knobs of which a packet's fate names the layer that set them. */
type Owned = "loss" | "rate" | "deliveries" | "mtu" | "corrupt" | "trace" | "duplicate" | "reorder";

/** What `send` reads of a model. Models are of many shapes, after the knobs they have; this is one, which the engine reads without a search. */
type Knobs = Pick<LinkModel, "delay" | "jitter" | "jitterShape" | "order" | "duplicate" | "reorder" | "rate" | "trace"> & {
  readonly deliveries: LinkModel["deliveries"] | undefined;
  readonly mtu: number;
  readonly corrupt: number;
};

const knobsOf = (model: LinkModel): Knobs => ({
  delay: model.delay,
  jitter: model.jitter,
  jitterShape: model.jitterShape,
  order: model.order,
  duplicate: model.duplicate,
  reorder: model.reorder,
  rate: model.rate,
  trace: model.trace,
  deliveries: model.deliveries,
  mtu: model.mtu ?? Number.POSITIVE_INFINITY,
  corrupt: model.corrupt ?? 0,
});

/** The layers boiled down to what a packet needs. */
type Plan = {
  /** Every chain, hidden ones too: its state depends on the time alone. */
  readonly chains: readonly Chain[];
  readonly rules: readonly LossRule[];
  readonly loss: number;
  readonly model: LinkModel;
  readonly knobs: Knobs;
  readonly by: { readonly [Knob in Owned]: Layer };
  /** Overlays that alter the timing of every packet that passes. */
  readonly shapers: readonly Layer[];
};

const UNIT = 1 / 0x1_0000_0000;
/** Draws of each purpose in a slot. chosen: 200,000 packets a second, before neighbours share draws; after six hours they come around again. */
const DRAWS = 4_096;

export class Link {
  readonly #draws: { readonly [purpose in Purpose]: Stream };
  readonly #base: Layer;
  #overlays: Layer[] = [];
  #plan: Plan;
  readonly #bottleneck: Bottleneck = new Bottleneck();
  readonly #deliveries: Deliveries = new Deliveries();
  #packets = 0;
  /** The slot of the latest packet, and how many were sent in it before. */
  #slot = 0;
  #place = 0;
  readonly #burstDraw = (slot: number): number => this.#draws.burst.at(slot) * UNIT;
  /** Latest arrival so far of packets that were not held back. */
  #last = 0;
  /** Touched counts of overlays that are gone, by fault. */
  readonly #past: Map<number, number> = new Map();

  /** `name` keys the draws: two links of one name and seed share their luck. The model is trusted to be valid (scenarios check it). */
  constructor(name: string, model: LinkModel, randomness: Randomness) {
    this.#draws = drawsOf(name, randomness);
    this.#base = layer(model, undefined, 0);
    this.#plan = planOf(model, this.#base, []);
  }

  /** Puts a packet of `bytes` octets on the link at `now` (never earlier than the call before) and tells its fate at once. */
  send(now: Instant, bytes: number): Fate {
    const { knobs, rules, chains, shapers, by, loss } = this.#plan;
    const number = this.#packets++;
    const slot = Math.floor(now / SLOT);
    this.#place = slot === this.#slot ? this.#place + 1 : 0;
    this.#slot = slot;
    const draw = slot * DRAWS + this.#place;
    for (const chain of chains) moveChain(chain, slot, this.#burstDraw);
    for (const rule of rules) if (this.#loses(rule, number, draw)) return { ok: false, cause: "loss", fault: rule.layer.fault };
    if (loss > 0 && this.#draws.loss.at(draw) * UNIT < loss) return { ok: false, cause: "loss", fault: by.loss.fault };

    if (bytes > knobs.mtu) return { ok: false, cause: "mtu", fault: by.mtu.fault };

    let departs = now;
    if (knobs.deliveries !== undefined) {
      const left = this.#deliveries.offer(now, bytes, knobs.deliveries);
      if (left === undefined) return { ok: false, cause: "queue", fault: by.deliveries.fault };
      departs = Math.max(left, this.#bottleneck.free) as Instant;
    } else if (knobs.rate !== null) {
      const left = this.#bottleneck.offer(now, bytes, knobs.rate);
      if (left === undefined) return { ok: false, cause: "queue", fault: by.rate.fault };
      departs = left;
    } else if (this.#bottleneck.free > now) departs = this.#bottleneck.free;

    const extra = knobs.trace.length === 0 ? 0 : Math.max(0, traceAt(by.trace, knobs.trace, number));
    const at = this.#arrival(departs, extra, knobs, this.#draws.jitter, draw);
    for (const shaper of shapers) shaper.touched++;
    let heldBack = 0;
    if (knobs.reorder !== null && this.#draws.reorder.at(draw) * UNIT < knobs.reorder.share) {
      heldBack = knobs.reorder.by;
      by.reorder.touched++;
    } else if (at > this.#last) this.#last = at;

    let copyAt: Instant | undefined;
    if (knobs.duplicate > 0 && this.#draws.duplicate.at(draw) * UNIT < knobs.duplicate) {
      copyAt = this.#arrival(departs, extra, knobs, this.#draws.copy, draw);
      if (copyAt > this.#last) this.#last = copyAt;
      by.duplicate.touched++;
    }
    const fate = { ok: true, at: (at + heldBack) as Instant, copyAt } as const;
    if (knobs.corrupt === 0 || this.#draws.corrupt.at(draw) * UNIT >= knobs.corrupt) return fate;
    return { ...fate, corrupt: { bit: this.#draws.bit.at(draw) * UNIT, fault: by.corrupt.fault } };
  }

  /** When the last packet that the bottleneck accepted has left. */
  get queuedUntil(): Instant {
    return this.#bottleneck.free;
  }

  /** Lays `overlay` over the model from the next packet on; the returned function takes it off again (once; later calls do nothing). */
  lay(overlay: Partial<LinkModel>, fault?: number): () => void {
    const laid = layer(overlay, fault, this.#packets);
    this.#overlays = [...this.#overlays, laid];
    this.#replan();
    return () => {
      if (!this.#overlays.includes(laid)) return;
      this.#overlays = this.#overlays.filter((other) => other !== laid);
      if (fault !== undefined) this.#past.set(fault, (this.#past.get(fault) ?? 0) + laid.touched);
      this.#replan();
    };
  }

  /** What a packet sent now would meet. */
  get inForce(): InForce {
    const { model, loss, rules, by, shapers } = this.#plan;
    return {
      model: { ...model, loss },
      losers: rules.map((rule) => ({
        fault: rule.layer.fault,
        drop: [...(rule.drop ?? [])],
        trace: rule.trace,
        burst: rule.chain?.model ?? null,
      })),
      by: { loss: by.loss.fault, rate: by.rate.fault, duplicate: by.duplicate.fault, reorder: by.reorder.fault },
      shapers: shapers.map((one) => one.fault),
    };
  }

  /** How often overlays of `fault` altered a packet without losing it: retimed, held back or copied. */
  touched(fault: number): number {
    let sum = this.#past.get(fault) ?? 0;
    for (const overlay of this.#overlays) if (overlay.fault === fault) sum += overlay.touched;
    return sum;
  }

  #replan(): void {
    this.#plan = planOf(this.#base.model as LinkModel, this.#base, this.#overlays);
  }

  #loses(rule: LossRule, number: number, draw: number): boolean {
    if (rule.drop?.has(number - rule.layer.first + 1)) return true;
    if (rule.trace.length > 0 && traceAt(rule.layer, rule.trace, number) === -1) return true;
    return rule.chain !== undefined && this.#draws.burstLoss.at(draw) * UNIT < lossOf(rule.chain);
  }

  #arrival(departs: Instant, extra: number, model: Knobs, draws: Stream, draw: number): Instant {
    let delay = model.delay + extra;
    if (model.jitter > 0) {
      const unit = draws.at(draw) * UNIT;
      if (model.jitterShape === "uniform") delay += Math.floor(unit * (2 * model.jitter + 1)) - model.jitter;
      else delay += Math.round(truncatedNormal(unit) * model.jitter);
    }
    const at = departs + Math.max(0, delay);
    return (model.order === "keep" && at < this.#last ? this.#last : at) as Instant;
  }
}

type Purpose = "loss" | "burst" | "burstLoss" | "jitter" | "copy" | "duplicate" | "reorder" | "corrupt" | "bit";

const drawsOf = (name: string, randomness: Randomness): { readonly [purpose in Purpose]: Stream } => ({
  loss: randomness.stream(`${name}/loss`),
  burst: randomness.stream(`${name}/burst`),
  burstLoss: randomness.stream(`${name}/burst-loss`),
  jitter: randomness.stream(`${name}/jitter`),
  copy: randomness.stream(`${name}/copy`),
  duplicate: randomness.stream(`${name}/duplicate`),
  reorder: randomness.stream(`${name}/reorder`),
  corrupt: randomness.stream(`${name}/corrupt`),
  bit: randomness.stream(`${name}/bit`),
});

const layer = (model: Partial<LinkModel>, fault: number | undefined, first: number): Layer => ({
  model,
  fault,
  first,
  chain: model.burst ? startChain(model.burst) : undefined,
  touched: 0,
});

const traceAt = (by: Layer, trace: readonly number[], number: number): number => trace[(number - by.first) % trace.length] ?? 0;

function planOf(base: LinkModel, baseLayer: Layer, overlays: readonly Layer[]): Plan {
  const latest = [...overlays].reverse();
  const owner = (knob: keyof LinkModel): Layer => latest.find((one) => one.model[knob] !== undefined) ?? baseLayer;
  const all: LinkModel = Object.assign({}, base, ...overlays.map((one) => one.model));
  // A rate laid over recorded deliveries takes their place, and the other way round.
  const line = latest.find((one) => one.model.rate !== undefined || one.model.deliveries !== undefined) ?? baseLayer;
  const { deliveries, ...others } = all;
  const model: LinkModel = line.model.deliveries === undefined || deliveries === undefined ? others : all;
  const losers = latest.filter((one) => one.model.loss !== undefined);
  const lossBy = losers.reduce(
    (most, one) => ((one.model.loss ?? 0) > (most.model.loss ?? 0) ? one : most),
    losers[0] ?? baseLayer,
  );
  const hidden = (one: Layer, knob: keyof LinkModel): boolean => one === baseLayer && owner(knob) !== baseLayer;
  const rules = [...latest, baseLayer].map((one) => ({
    layer: one,
    drop: one.model.drop?.length && !hidden(one, "drop") ? new Set(one.model.drop) : undefined,
    trace: one.model.trace?.includes(-1) && !hidden(one, "trace") ? one.model.trace : [],
    chain: hidden(one, "burst") ? undefined : one.chain,
  }));
  return {
    model,
    knobs: knobsOf(model),
    chains: [...overlays, baseLayer].flatMap((one) => one.chain ?? []),
    rules: rules.filter((rule) => rule.drop !== undefined || rule.trace.length > 0 || rule.chain !== undefined),
    loss: lossBy.model.loss ?? 0,
    by: {
      loss: lossBy,
      rate: owner("rate"),
      deliveries: owner("deliveries"),
      mtu: owner("mtu"),
      corrupt: owner("corrupt"),
      trace: owner("trace"),
      duplicate: owner("duplicate"),
      reorder: owner("reorder"),
    },
    shapers: overlays.filter((one) => TIMING.some((knob) => owner(knob) === one && !same(one.model[knob], base[knob]))),
  };
}

/** Knobs that alter when every packet arrives. */
const TIMING = ["delay", "jitter", "jitterShape", "rate", "deliveries", "trace"] as const;

/** Whether two values of one knob are equal: plain data of at most two levels, keys in the language's order. */
const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);
