import { expect, test } from "vitest";
import { METRICS } from "./catalogue.ts";
import { BUCKETS, DOMAINS } from "./domain.ts";

const rows = [...METRICS];

test.each(rows)("%s follows Prometheus' conventions", (name, { type, unit, labels, meaning, buckets }) => {
  expect(name).toMatch(/^midcall(_[a-z]+)+$/);
  expect(name.endsWith("_total"), "what only grows, and nothing else, ends in _total").toBe(type === "counter");
  if (unit !== null) expect(name.replace(/_total$/, "").endsWith(`_${unit}`), "the name ends in its unit").toBe(true);
  for (const word of ["seconds", "bytes", "packets", "frames", "samples", "ratio"])
    if (name.replace(/_total$/, "").endsWith(`_${word}`)) expect(unit).toBe(word);
  expect(buckets !== undefined, "a histogram has buckets, and nothing else has").toBe(type === "histogram");
  expect(meaning).toMatch(/^[A-Z0-9].*[.]$/);
  for (const label of Object.keys(labels)) expect(label).toMatch(/^(?!le$|run$|job$|instance$|quantile$)[a-z_]+$/);
});

test("buckets ascend, and words of a closed domain are there once each", () => {
  for (const bounds of Object.values(BUCKETS)) expect(bounds).toEqual([...new Set(bounds)].sort((a, b) => a - b));
  for (const domain of Object.values(DOMAINS)) if (!("atMost" in domain)) expect(new Set(domain).size).toBe(domain.length);
});

test("every domain is used", () => {
  expect(new Set(rows.flatMap(([, { labels }]) => Object.values(labels)))).toEqual(new Set(Object.keys(DOMAINS)));
});
