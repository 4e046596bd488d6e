/** A client's identity on disk: the twelve words of its BIP-39 phrase, readable by its owner only. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { type Identity, identityFromMnemonic, makeMnemonic } from "../impl/core/identity.ts";
import { nodeCrypto } from "../impl/io/node-crypto.ts";
import { lacking, usage } from "./exit.ts";

/** Reads the identity in `path`, or makes a fresh one there. Throws a usage error when the file holds something else, `lacking` when it cannot be made. */
export async function loadOrMakeIdentity(path: string): Promise<{ readonly identity: Identity; readonly made: boolean }> {
  const found = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw usage(`${path}: ${error.message}`, "want a file with a BIP-39 phrase, or a path where one can be made");
  });
  const words = found ?? makeMnemonic(new Uint8Array(randomBytes(16)));
  const read = identityFromMnemonic(nodeCrypto, words);
  if (!read.ok) throw usage(`${path}: ${read.reason}`, "want a BIP-39 phrase, or no file to have one made");
  // wx: two clients started at once with the same path must not end up with different identities.
  if (found === undefined) {
    try {
      await writeFile(path, `${words}\n`, { mode: 0o600, flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return loadOrMakeIdentity(path);
      throw lacking(
        `${path}: an identity cannot be made there (${(error as Error).message})`,
        "name a file in a folder that can be written",
        error,
      );
    }
  }
  return { identity: read.identity, made: found === undefined };
}
