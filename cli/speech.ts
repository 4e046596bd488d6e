/** The recordings a scenario's calls speak: the package's own by name, a user's by path. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { readWav, WavError, wavBytes } from "../impl/io/wav.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import { TURNS, turns } from "../sim/turns.ts";
import { usage } from "./exit.ts";

const FIXTURES = join(import.meta.dirname, "..", "scenarios", "speech");

/** The file behind the word a scenario uses: a fixture's name or a path. */
export const speechPath = (says: string): string => (extname(says) === ".wav" ? says : join(FIXTURES, `${says}.wav`));

/**
 * Everything `scenario` speaks, by the words it uses for it, as 48 kHz mono; `tone` is made by the lab and not among them.
 * Throws a usage error for a file that is missing or not such a WAV file.
 */
export async function loadSpeech(scenario: Scenario): Promise<Map<string, Int16Array>> {
  const wanted = new Set(scenario.calls.flatMap((call) => [call.callerSays, call.calleeSays]).filter((says) => says !== "tone"));
  const speech = new Map<string, Int16Array>();
  for (const says of wanted) {
    const side = TURNS.get(says);
    const path = speechPath(side ?? says);
    if (!existsSync(path))
      throw usage(
        `${scenario.name}: it speaks ${says}, and there is no file ${path}`,
        "want tone, speech-a, speech-b, turns-a, turns-b or a WAV file",
      );
    try {
      const pcm = await readWav(path);
      speech.set(says, side === undefined ? pcm : turns(side, pcm));
    } catch (error) {
      if (error instanceof WavError) throw usage(`${scenario.name}: it speaks ${error.message}`, "want a WAV file of PCM audio");
      throw error;
    }
  }
  return speech;
}

/** As `loadSpeech`, but the files that hold it; what is made from a recording is written to `folder`, which must exist. */
export async function speechFiles(scenario: Scenario, folder: string): Promise<Map<string, string>> {
  const says = scenario.calls.flatMap((call) => [call.callerSays, call.calleeSays]).filter((one) => one !== "tone");
  const files = new Map<string, string>();
  for (const one of new Set(says)) {
    const side = TURNS.get(one);
    const path = side === undefined ? speechPath(one) : join(folder, `${one}.wav`);
    if (side !== undefined) await writeFile(path, wavBytes(turns(side, await readWav(speechPath(side)))));
    files.set(one, path);
  }
  return files;
}
