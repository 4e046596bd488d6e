/** vitest's global set-up: gets what the kernel laboratories need where that is possible. Where it is not, their tests say by name what they lack. */
import { installMissing } from "./install.ts";

export default async function setup(): Promise<void> {
  try {
    await installMissing((line) => console.log(line));
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error));
  }
}
