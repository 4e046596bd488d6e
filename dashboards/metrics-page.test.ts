import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { METRICS } from "../impl/base/metric/catalogue.ts";
import { metricsPage } from "./metrics-page.ts";

const PAGE = join(import.meta.dirname, "../docs/metrics.md");

test("docs/metrics.md is what the catalogue says, every metric once", async () => {
  const page = metricsPage();
  for (const name of METRICS.keys()) expect(page.split(`| \`${name}\` `).length, name).toBe(2);
  if (process.env.MIDCALL_WRITE === "1") await writeFile(PAGE, page);
  expect(await readFile(PAGE, "utf8")).toBe(page);
});
