/** Reads what `nft list table` prints of a NAT's table back into mappings and counters. */
import type { NatModel } from "../scenarios/expanded.ts";
import { COUNTERS, type Counter } from "./nat-rules.ts";

/** A live mapping as an observer sees it; the fields that `sim` gives, and its age as far as the kernel knows it. */
export type MappingView = {
  /** `a.b.c.d:port` on the inside. */
  readonly internal: string;
  /** "" (any), a host, or `a.b.c.d:port`, by the mapping behaviour. */
  readonly remote: string;
  /** `a.b.c.d:port` on the outside. */
  readonly external: string;
  /** Microseconds since a packet last refreshed it, to about a kernel tick. */
  readonly idle: number;
};

/** Packets since the NAT was made: translated `out` and `in`, refused, and the mappings `made`. */
export type NatCounters = Readonly<Record<Counter, number>>;

/** Whom the filter lets in: an external port, and the remote as far as the filtering behaviour distinguishes remotes, joined as nft writes them. */
export type Opening = { readonly port: number; readonly key: string /** Milliseconds. */; readonly left: number };

export type NatState = {
  readonly mappings: readonly MappingView[];
  readonly openings: readonly Opening[];
  readonly counters: NatCounters;
};

const UNITS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** Milliseconds of a time as nft writes it, such as `1m2s30ms`; 0 for a text that is none. */
export const parseTime = (text: string): number =>
  [...text.matchAll(/(\d+)(ms|[dhms])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);

/** `listing` is of the table that `natRules` made for `model` and `host`; mappings come in no order. Never throws: what is not there is not told. */
export function parseState(listing: string, model: NatModel, host: string): NatState {
  const block = /^\tmap bound \{\n([\s\S]*?)^\t\}/m.exec(listing)?.[1] ?? "";
  const listed = [...block.matchAll(/([\d.]+(?: \. [\d.]+)+)(?: timeout \w+)? expires (\w+) : (\d+)/g)].map(
    ([, key = "", expires = "", port]) => {
      const [insideHost, insidePort, ...remote] = key.split(" . ");
      return {
        internal: `${insideHost}:${insidePort}`,
        remote: remote.join(":"),
        external: `${host}:${port}`,
        idle: Math.max(0, model.lifetime - parseTime(expires) * 1_000),
      };
    },
  );
  // Now and then a key is listed twice while packets pass (seen on Linux 6.18, two processors): a packet that did not find the binding made another.
  // Later packets use the newer one.
  const latest = new Map<string, MappingView>();
  for (const one of listed.toSorted((a, b) => b.idle - a.idle)) latest.set(`${one.internal} ${one.remote}`, one);
  const mappings = [...latest.values()];
  const filter = /^\tset allow \{\n([\s\S]*?)^\t\}/m.exec(listing)?.[1] ?? "";
  const openings = [...filter.matchAll(/((\d+) \. [\d.]+(?: \. \d+)?)(?: timeout \w+)? expires (\w+)/g)].map(
    ([, key = "", port, expires = ""]) => ({ port: Number(port), key, left: parseTime(expires) }),
  );
  const count = (name: Counter): number => Number(new RegExp(`counter ${name} \\{\\s+packets (\\d+)`).exec(listing)?.[1] ?? 0);
  return { mappings, openings, counters: Object.fromEntries(COUNTERS.map((name) => [name, count(name)])) as NatCounters };
}
