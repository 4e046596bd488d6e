/** `midcall bench`: figures measured on this machine. */
import type { Command } from "commander";
import type { SimBench } from "../bench-sim.ts";
import { type Context, example } from "../context.ts";
import { EXIT, usage } from "../exit.ts";
import { catalogue } from "../scenario-choice.ts";
import type { Terminal } from "../terminal.ts";
import { commit, version } from "../version.ts";

/** Subjects of docs/contract.md that this version does not have. */
const NOT_YET: readonly string[] = ["fec", "jitter", "codec", "aead", "relay", "lab"];

export function addBench(root: Command, { terminal, end }: Context): void {
  root
    .command("bench")
    .description("Measures on this machine: sim, the virtual-time laboratory's speed and memory.")
    .argument("<subject>", "sim")
    .option("--json", "as JSON")
    .addHelpText("after", example("midcall bench sim"))
    .action(async (subject: string, options: { json?: boolean }) => {
      await bench(subject, options.json === true, terminal);
      end(EXIT.held);
    });
}

async function bench(subject: string, json: boolean, terminal: Terminal): Promise<void> {
  if (NOT_YET.includes(subject))
    throw usage(`midcall bench ${subject} is not part of version ${version()}`, "want midcall bench sim");
  if (subject !== "sim") throw usage(`midcall bench ${subject}: there is no such subject`, "want midcall bench sim");
  const baseline = (await catalogue()).find((scenario) => scenario.name === "baseline");
  if (baseline === undefined) throw new Error("the catalogue has no baseline");
  const { benchSim } = await import("../bench-sim.ts");
  const measured = await benchSim(baseline, (stage) => terminal.progress({ stage }));
  terminal.quiet();
  if (json)
    terminal.out(
      JSON.stringify({ schema: "midcall/bench-sim@1", node: process.version, commit: commit(), ...measured }, null, 2),
    );
  else print(measured, terminal);
}

function print({ speed, memory }: SimBench, terminal: Terminal): void {
  terminal.out(`one relayed two-party call, ${process.version}, commit ${commit()}`);
  for (const one of speed) {
    terminal.out(
      `  ${one.codec} codec, ${one.crypto} crypto: ${one.timesRealTime.toFixed(0)} x real time ` +
        `(${one.virtualS.toFixed(0)} s in ${one.wallS.toFixed(3)} s, median of ${one.rounds}; ${one.events} events, ${megabytes(one.logBytes)} of log); ` +
        `${one.timesRealTimeCpu.toFixed(0)} x by processor time (${one.cpuS.toFixed(3)} s), ` +
        `${one.timesFloor.toFixed(1)} x the floor of an empty kernel loop (${one.floorS.toFixed(3)} s)`,
    );
  }
  terminal.out(
    `  one hour: ${memory.wallS.toFixed(1)} s; live heap ${megabytes(memory.heapAtMinute5)} at minute 5, ${megabytes(memory.heapAtEnd)} at the end ` +
      `(${(memory.growthRatio * 100).toFixed(1)} %)`,
  );
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
