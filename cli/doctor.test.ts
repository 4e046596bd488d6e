import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { type Check, canSimulate, examine, remedies } from "./doctor.ts";
import { midcall } from "./recorded-terminal.fixture.ts";

const missing = (part: string, need: Check["for"], fix: string | null): Check => ({
  part,
  for: need,
  ok: false,
  detail: "",
  fix,
});

test("this machine, which runs the tests, can simulate: each part was tried and says what it found", async () => {
  const checks = await examine();
  expect(canSimulate(checks)).toBe(true);
  for (const check of checks) expect(check.detail, check.part).not.toBe("");
  for (const check of checks.filter((one) => one.ok)) expect(check.fix, check.part).toBeNull();
});

test("only what the simulator needs makes simulating impossible", () => {
  expect(canSimulate([missing("docker", "docker", null), missing("nft", "netns", null)])).toBe(true);
  expect(canSimulate([missing("Opus", "sim", "npm ci")])).toBe(false);
});

test("remedies name each command once and ask apt for everything at once", () => {
  const checks = [
    missing("Opus", "sim", "npm ci"),
    missing("QUIC", "relay and client", "npm ci"),
    missing("root", "netns", "sudo -i"),
    missing("nft", "netns", "apt-get install -y nftables"),
    missing("conntrack", "netns", "apt-get install -y conntrack"),
    missing("namespaces", "netns", null),
  ];
  expect(remedies(checks)).toEqual(["npm ci", "apt-get update", "apt-get install -y nftables conntrack"]);
  expect(remedies(checks.map((check) => ({ ...check, ok: true })))).toEqual([]);
});

test("what has a substitute is not got", () => {
  expect(remedies([{ ...missing("netem", "netns", "modprobe sch_netem"), optional: true }])).toEqual([]);
});

test("doctor prints one line a part: ok, or missing with the command that gets it", async () => {
  const said = await midcall(tmpdir(), ["doctor"]);
  expect(said.code).toBe(0);
  const lines = said.out.split("\n").filter((line) => line.startsWith("  "));
  const checks: Check[] = JSON.parse((await midcall(tmpdir(), ["doctor", "--json"])).out);
  expect(lines).toHaveLength(checks.length);
  for (const line of lines) expect(line).toMatch(/^ {2}(ok|missing|without) /);
});
