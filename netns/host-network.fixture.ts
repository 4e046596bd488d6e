/** A party for tests: watches the network of its namespace and writes every state that it is told of, with the CLOCK_MONOTONIC microsecond. */
import { watchHostNetwork } from "../impl/io/host-network.ts";

const [command] = process.argv.slice(2);
const write = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
const watch = watchHostNetwork({
  told: (interfaces, gateway) => write({ at: Number(process.hrtime.bigint() / 1_000n), interfaces, gateway }),
  note: (note) => write({ note }),
  ...(command === undefined ? {} : { command }),
});
process.stdin.on("end", () => watch.close()).resume();
