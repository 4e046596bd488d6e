/** The recordings a scenario's calls speak: the package's own by name, a user's by path. */
import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { readWav, WavError } from "../impl/io/wav.ts";
import type { Scenario } from "../scenarios/expanded.ts";
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
    const path = speechPath(says);
    if (!existsSync(path))
      throw usage(
        `${scenario.name}: it speaks ${says}, and there is no file ${path}`,
        "want tone, speech-a, speech-b or a WAV file",
      );
    try {
      speech.set(says, await readWav(path));
    } catch (error) {
      if (error instanceof WavError) throw usage(`${scenario.name}: it speaks ${error.message}`, "want a WAV file of PCM audio");
      throw error;
    }
  }
  return speech;
}
