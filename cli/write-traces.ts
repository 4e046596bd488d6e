/** Writes the links of `midcall bench jitter` as files: `<link>-<seed>.txt` and the speech as it arrives over it, `<link>-<seed>.rtpdump`. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadOpusWasm } from "../impl/io/opus-wasm.ts";
import { readWav } from "../impl/io/wav.ts";
import { PACKETS, SEEDS, speak } from "./bench-jitter.ts";
import { CONDITIONS } from "./jitter-conditions.ts";
import { rtpdump, traceText } from "./link-trace.ts";
import { speechPath } from "./speech.ts";

/** Every condition and seed; `folder` is made when it is not there. */
export async function writeTraces(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const pcm = await readWav(speechPath("speech-a"));
  const opus = await loadOpusWasm({ encoders: 1, decoders: 1 });
  for (const { name, declaredLossPercent, delays } of CONDITIONS) {
    const { packets } = await speak(opus, pcm, declaredLossPercent);
    for (const seed of SEEDS) {
      const list = delays(seed, PACKETS);
      const path = join(folder, `${name.replaceAll(/[^a-z0-9.]+/giu, "-")}-${seed}`);
      await writeFile(`${path}.txt`, traceText(list));
      await writeFile(`${path}.rtpdump`, rtpdump(packets, list));
    }
  }
}
