import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "./catalogue.ts";
import { parseScenario } from "./language.ts";

test("every case file is in the catalogue, under its own name, once", () => {
  const files = readdirSync(new URL("./cases/", import.meta.url)).map((file) => file.replace(/\.ts$/, ""));
  expect(CATALOGUE.map((one) => one.name).toSorted()).toEqual(files.toSorted());
});

describe.each(CATALOGUE)("case $name", (one) => {
  test("reads as itself from its own JSON", () => {
    expect(parseScenario(JSON.parse(JSON.stringify(one)))).toEqual({ ok: true, scenario: one });
  });

  test("has a twin that must break, runs in every laboratory and ends within half a minute, or says that it is long", () => {
    expect(one.twin).not.toBeNull();
    // Crowds, and what asks for direct paths and was not yet seen to hold on a real kernel, run in virtual time.
    const isVirtual = one.labs.length === 1 && one.tags.some((tag) => tag === "ice" || tag === "crowd");
    expect(one.labs).toEqual(isVirtual ? ["sim"] : ["sim", "netns", "docker"]);
    expect(one.duration).toBeLessThanOrEqual(one.tags.includes("long") ? 80_000_000 : 30_000_000);
  });

  test("asks a question and expects more than that something happens", () => {
    expect(one.asks).toMatch(/\?$/);
    expect(one.expect.length).toBeGreaterThan(1);
  });
});
