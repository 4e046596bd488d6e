/** vitest's global set-up: gets Prometheus where that is possible. Where it is not, the tests that want it say so by name. */
import { installMissing } from "../netns/install.ts";
import { PROMETHEUS_TOOLS } from "./doctor.ts";

export default async function setup(): Promise<void> {
  try {
    await installMissing((line) => console.log(line), PROMETHEUS_TOOLS);
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error));
  }
}
