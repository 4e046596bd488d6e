import { join } from "node:path";
import { lacks } from "./install.ts";
import { labContract } from "./lab.contract.ts";
import { processLauncher } from "./launch-process.ts";
import { removeLeftovers } from "./leftovers.ts";

const missing = (await lacks()).map((lack) => `${lack.what}${lack.command === null ? "" : ` (${lack.command})`}`).join("; ");

labContract({
  lab: "netns",
  missing: missing === "" ? undefined : missing,
  open: () => processLauncher,
  launcher: { name: "processLauncher", module: join(import.meta.dirname, "launch-process.ts"), made: "launcher" },
  nextStart: removeLeftovers,
  traces: () => Promise.resolve([]),
});
