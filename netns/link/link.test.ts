import { randomBytes } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { CLEAN } from "../../scenarios/impairment/link.ts";
import { run } from "../command.ts";
import { attachLinks, offeredDrivers } from "./attach.ts";
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

test("a driver asked for that this kernel lacks is refused by its name, with what it wants", async (context) => {
  if (bare !== "") context.skip(`network namespaces: ${bare}`);
  const wire = { party: "alice", interface: "eth0", namespace: bench, inner: "i0", outer: "o0" };
  const clean = { up: CLEAN, down: CLEAN, nat: null };
  for (const driver of (["netem", "nft"] as const).filter((one) => !offered.includes(one)))
    await expect(
      attachLinks({ driver, wires: [wire], models: () => clean, seed: 1, epoch: 0, say: () => undefined }),
    ).rejects.toMatchObject({ name: "NetnsError", code: "link", message: expect.stringContaining(`no ${driver} link driver`) });
});

for (const driver of offered) linkContract(driver);
