/** vitest's global set-up: gets a Chromium where that is possible. Where it is not, the tests that want it say so by name. */
import { installMissing } from "../netns/install.ts";
import { CHROMIUM } from "./doctor.ts";

export default async function setup(): Promise<void> {
  try {
    await installMissing((line) => console.log(line), [CHROMIUM]);
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error));
  }
}
