/** What has happened in a run so far, as far as probes ask: kept up record by record. */
import type { Address } from "../impl/base/address.ts";
import type { CallRecord, LogRecord, PathRecord, RegistrationRecord, TierRecord } from "../impl/base/record.ts";
import type { Fault, Scenario } from "../scenarios/expanded.ts";

/** What is known of the world just before a record. */
export type World = {
  readonly scenario: Scenario;
  readonly standing: Map<string, RegistrationRecord["state"]>;
  /** By `call who`; gone once ended or forgotten. */
  readonly calls: Map<string, CallRecord["state"]>;
  /** Who was killed and has not started again. */
  readonly dead: Set<string>;
  /** Faults applied and not healed, by number. */
  readonly active: Map<number, Fault>;
  /** Instant of the last loss at each place. */
  readonly lost: Map<string, number>;
  /** Instants at which each relay died. */
  readonly died: Map<string, number>;
  /** How often each client became registered. */
  readonly registrations: Map<string, number>;
  /** How often each call was resumed, by `call who`. */
  readonly resumes: Map<string, number>;
  /** The relay each client is or was registered with last. */
  readonly relays: Map<string, Address>;
  /** What each party of a call sends on, by `call who`. */
  readonly paths: Map<string, PathRecord["path"]>;
  /** What each party of a call speaks in, by `call who`. */
  readonly tiers: Map<string, TierRecord["tier"]>;
};

/** `says`: the situation, for a reader of a campaign's summary. */
export type Probe = { readonly name: string; readonly says: string };

type Seen<E extends LogRecord["ev"]> = Extract<LogRecord, { readonly ev: E }>;

/** One probe about one kind of record. */
export type Watch = {
  readonly [E in LogRecord["ev"]]: Probe & { readonly ev: E; hit(record: Seen<E>, world: World): boolean };
}[LogRecord["ev"]];

export const isRelay = (world: World, who: string): boolean => world.scenario.parties[who]?.role === "relay";
export const isUp = (world: World): boolean =>
  [...world.calls.values()].some((state) => state === "active" || state === "resumed");

/** The world before the first record. */
export const startWorld = (scenario: Scenario): World => ({
  scenario,
  standing: new Map(),
  calls: new Map(),
  dead: new Set(),
  active: new Map(),
  lost: new Map(),
  died: new Map(),
  registrations: new Map(),
  resumes: new Map(),
  relays: new Map(),
  paths: new Map(),
  tiers: new Map(),
});

/** Adds a record to the world. */
export function follow(world: World, record: LogRecord): void {
  const { who, t } = record;
  switch (record.ev) {
    case "process":
      if (record.state === "killed") {
        world.dead.add(who);
        if (world.scenario.parties[who]?.role === "relay") world.died.set(who, t);
        world.standing.delete(who);
        for (const key of world.calls.keys()) if (key.endsWith(` ${who}`)) world.calls.delete(key);
      } else if (record.state === "started") world.dead.delete(who);
      return;
    case "fault": {
      const fault = world.scenario.faults[record.fault];
      if (record.state === "healed") world.active.delete(record.fault);
      else if (fault !== undefined && fault.for !== null) world.active.set(record.fault, fault);
      return;
    }
    case "registration":
      world.standing.set(who, record.state);
      if (record.state === "registered" && record.relay !== undefined) world.relays.set(who, record.relay);
      if (record.state === "registered") world.registrations.set(who, (world.registrations.get(who) ?? 0) + 1);
      return;
    case "call": {
      const key = `${record.call} ${who}`;
      world.calls.set(key, record.state);
      if (record.state === "resumed") world.resumes.set(key, (world.resumes.get(key) ?? 0) + 1);
      return;
    }
    case "path":
      world.paths.set(`${record.call} ${who}`, record.path);
      return;
    case "tier":
      world.tiers.set(`${record.call} ${who}`, record.tier);
      return;
    case "drop":
      if (record.cause === "loss") world.lost.set(record.where, t);
      return;
    default:
  }
}
