/** vitest's global set-up: gets Codec2 where that is possible. Where it is not, the tests that want it say so by name. */
import { CODEC2_PACKAGES, loadCodec2 } from "../impl/io/codec2.ts";
import { installPackages } from "../netns/install.ts";

export default async function setup(): Promise<void> {
  if (!("reason" in loadCodec2())) return;
  for (const name of CODEC2_PACKAGES) {
    try {
      await installPackages((line) => console.log(line), [name]);
      return;
    } catch (error) {
      console.log(error instanceof Error ? error.message : String(error));
    }
  }
}
