/** Writes the links of a benchmark as files: `<link>-<seed>.txt` and the speech as it arrives over it, `<link>-<seed>.rtpdump`. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import { readWav } from "../impl/io/wav.ts";
import { PACKETS, SEEDS, speak } from "./bench-jitter.ts";
import { usage } from "./exit.ts";
import { GRID } from "./fec-grid.ts";
import { CONDITIONS, type Condition } from "./jitter-conditions.ts";
import { conditionOf } from "./jitter-grid.ts";
import { rtpdump, traceText } from "./link-trace.ts";
import { LINKS } from "./neteq-trial.ts";
import { speechPath } from "./speech.ts";

/** Every link, by default those of `bench jitter`, with every seed; `folder` is made when it is not there. */
export async function writeTraces(
  folder: string,
  conditions: readonly Pick<Condition, "name" | "declaredLossPercent" | "delays">[] = CONDITIONS,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const pcm = await readWav(speechPath("speech-a"));
  const opus = await loadOpusWasm({ encoders: 1, decoders: 1 });
  const spoken = new Map<number | undefined, readonly Uint8Array[]>();
  for (const { name, declaredLossPercent, delays } of conditions) {
    const packets = spoken.get(declaredLossPercent) ?? (await speak(opus, pcm, declaredLossPercent)).packets;
    spoken.set(declaredLossPercent, packets);
    for (const seed of SEEDS) {
      const list = delays(seed, PACKETS);
      const path = join(folder, `${name.replaceAll(/[^a-z0-9.]+/giu, "-")}-${seed}`);
      await writeFile(`${path}.txt`, traceText(list));
      await writeFile(`${path}.rtpdump`, rtpdump(packets, list));
    }
  }
}

/** The links that `bench` of this subject uses, those whose names hold `words`. A usage error for a subject whose links are no lists. */
export function tracedLinks(subject: string, isGrid: boolean, words = ""): Parameters<typeof writeTraces>[1] {
  if (subject === "neteq") return LINKS.filter(({ name }) => name.includes(words));
  if (isGrid && (subject === "fec" || subject === "jitter"))
    return GRID.filter(({ name }) => name.includes(words)).map(conditionOf);
  if (subject === "jitter") return CONDITIONS;
  throw usage(`--traces: bench ${subject} has no lists`, "want bench jitter or neteq, or bench fec --grid");
}
