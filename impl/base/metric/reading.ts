/**
 * One step of a metric, and the gate every one passes: no label gets a word its domain has no room for, so that no flood of names from the network or
 * from a long run becomes a flood of series.
 */
import { type LabelsOf, METRICS, type MetricName } from "./catalogue.ts";
import { DOMAINS, type DomainName, LONGEST_WORD, OTHER } from "./domain.ts";

/** A counter grows by `value`, a gauge becomes it, a histogram counts it. Labels in the order of the catalogue. */
export type Reading = {
  readonly metric: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

/** Where readings go; labels are checked against the metric by the compiler. */
export type Tell = <Name extends MetricName>(metric: Name, labels: LabelsOf<Name>, value: number) => void;

/** A `Tell` that admits labels and hands the reading on. Open domains fill up over the life of one gate. */
export function gate(take: (reading: Reading) => void): Tell {
  const seen = new Map<DomainName, Set<string>>();
  const admitted = (name: DomainName, word: string): string => {
    const domain = DOMAINS[name];
    if (!("atMost" in domain)) return domain.includes(word) ? word : OTHER;
    const words = seen.get(name) ?? new Set();
    seen.set(name, words);
    const short = word.length > LONGEST_WORD ? word.slice(0, LONGEST_WORD).toWellFormed() : word;
    if (words.has(short)) return short;
    if (words.size >= domain.atMost) return OTHER;
    words.add(short);
    return short;
  };
  return (metric, labels, value) => {
    const given = new Map<string, string>(Object.entries(labels));
    const domains = Object.entries(METRICS.get(metric)?.labels ?? {});
    take({
      metric,
      labels: Object.fromEntries(domains.map(([label, domain]) => [label, admitted(domain, given.get(label) ?? "")])),
      value,
    });
  };
}

/** The most series a metric can have; a histogram's buckets, sum and count are one. */
export function mostSeries(metric: MetricName): number {
  const domains = Object.values(METRICS.get(metric)?.labels ?? {}).map((name) => DOMAINS[name]);
  return domains.reduce((product, domain) => product * (1 + ("atMost" in domain ? domain.atMost : domain.length)), 1);
}
