/** Where a campaign's own files go: a folder below `campaigns/` of the output folder, with campaign.html and campaign.json; `campaigns/latest` points to the newest. */
import { dirname, join, relative, resolve, sep } from "node:path";
import { pointLatest, reserveFolder, writeFiles } from "./run-folder.ts";
import { formatSeed } from "./seed.ts";
import type { Terminal } from "./terminal.ts";

/** The command line as one would type it again; words that a shell takes apart are quoted. */
export const typed = (words: readonly string[]): string =>
  ["npx", "midcall", ...words]
    .map((word) => (/^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");

/** A link from a file in the folder `from` to `path`, both absolute, as a page has it. */
export const linkFrom = (from: string, path: string): string => relative(from, path).split(sep).map(encodeURIComponent).join("/");

/**
 * Writes a campaign's folder below `out`, as the command line names it, and returns the path of its page as the user would type it. `page` is given how to link to a
 * file of a run's folder; `kind` and `seed` name the folder.
 */
export async function keepCampaign(
  out: string,
  { kind, seed }: { readonly kind: string; readonly seed: number },
  data: object,
  page: (linkTo: (dir: string, file: string) => string) => string,
  terminal: Terminal,
): Promise<string> {
  const folder = await reserveFolder(resolve(terminal.folder, out), { scenario: "campaigns", lab: kind, seed: formatSeed(seed) });
  const html = page((dir, file) => linkFrom(folder, join(resolve(terminal.folder, dir), file)));
  await writeFiles(
    folder,
    new Map([
      ["campaign.json", `${JSON.stringify(data)}\n`],
      ["campaign.html", html],
    ]),
  );
  await pointLatest(dirname(folder), folder);
  return join(relative(terminal.folder, folder), "campaign.html");
}
