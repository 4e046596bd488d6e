import { randomBytes } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { run } from "../command.ts";
import { offeredDrivers } from "./attach.ts";
import { linkContract } from "./link.contract.ts";
import type { DriverName } from "./links.ts";

/** Drivers of this machine: every one that its kernel and tools offer is held to the contract. */
const bench = `mc-${randomBytes(3).toString("hex")}-probe`;
const bare =
  process.getuid?.() === 0 ? await run("ip", ["netns", "add", bench]).catch((cause: Error) => cause.message) : "needs root";
const offered: readonly DriverName[] = bare === "" ? await offeredDrivers(bench) : [];
afterAll(async () => {
  if (bare === "") await run("ip", ["netns", "del", bench]);
});

test("this machine offers a link driver that does everything", (context) => {
  if (bare !== "") context.skip(`network namespaces: ${bare}`);
  expect(offered).toContain("emulator");
});

for (const driver of offered) linkContract(driver);
