/** Starts a party in a container, says so on standard output, and waits to be killed: `node launcher-that-dies.fixture.ts RUN MODULE FOLDER`. */
import { containerLauncher } from "./launch-container.ts";

const [run = "", module = "", folder = ""] = process.argv.slice(2);
const launcher = containerLauncher();
await launcher.adopt?.(run, ["alice"], folder);
const { pid } = await launcher.start({ name: "alice", namespace: "", module, args: [], folder });
process.kill(pid, "SIGSTOP");
console.log(pid);
setInterval(() => undefined, 1_000);
