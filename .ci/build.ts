/** `npm run build`: compiles the rooms into dist/ and puts beside them what compiled code reads at run time. */
import { execFileSync } from "node:child_process";
import { cp, glob, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkoutCommit } from "../cli/version.ts";

const ROOT = join(import.meta.dirname, "..");

/** Files that modules read from beside themselves, or users: speech, schemas, page templates, an image. */
const ASSETS = "{impl,sim,scenarios,netns,reports,dashboards,cli}/**/{*.{wav,json,html,css},Dockerfile}";

await rm(join(ROOT, "dist"), { recursive: true, force: true });
execFileSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "--project", "tsconfig.build.json"], {
  cwd: ROOT,
  stdio: "inherit",
});
// What runs in a browser knows another world of globals.
execFileSync(
  process.execPath,
  [
    join(ROOT, "node_modules/typescript/bin/tsc"),
    "--project",
    "tsconfig.page.json",
    "--noEmit",
    "false",
    "--rootDir",
    ".",
    "--outDir",
    "dist",
  ],
  { cwd: ROOT, stdio: "inherit" },
);
for await (const path of glob(ASSETS, { cwd: ROOT })) await cp(join(ROOT, path), join(ROOT, "dist", path));
await writeFile(join(ROOT, "dist", "build.json"), `${JSON.stringify({ commit: checkoutCommit() })}\n`);
