#!/usr/bin/env node
/**
 * The `midcall` command, whatever Node.js it is started with: older ones (18 and up) hand over to the Node.js 24 that the
 * `node` package brings. In a checkout it runs the TypeScript sources, in an installed package the compiled ones. Plain
 * JavaScript on purpose: this file must be understood by the older Node.js.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as modules from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** First version that runs TypeScript without a flag or a warning on stderr, and has module.registerHooks. */
const WANTED = 24;
/** CONTRACT: the machine lacks something. */
const EXIT_LACKING = 5;

const here = dirname(fileURLToPath(import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= WANTED) {
  const sources = join(here, "main.ts");
  const isCheckout = existsSync(sources);
  if (isCheckout) keepStripped();
  await import(pathToFileURL(isCheckout ? sources : join(here, "..", "dist", "cli", "main.js")).href);
} else {
  const newer = bundledNode();
  if (newer === undefined) {
    console.error(
      `midcall: needs Node.js ${WANTED} or newer, this is ${process.version}, and the "node" package that brings one is not installed; run: npm install node@${WANTED}`,
    );
    process.exitCode = EXIT_LACKING;
  } else {
    handOver(newer);
  }
}

/**
 * Types are stripped once, and not by every thread and process of every run: Node.js keeps what it made of a source, by the source's own text, beside the packages,
 * where only who may change the sources may write. By the environment, so that threads and parties do the same.
 */
function keepStripped() {
  process.env.NODE_COMPILE_CACHE ??= join(here, "..", "node_modules", ".cache", "midcall");
  modules.enableCompileCache(process.env.NODE_COMPILE_CACHE);
}

/** The binary of the `node` package, or undefined when it is absent (or its install script was not allowed to run). */
function bundledNode() {
  try {
    const manifest = modules.createRequire(import.meta.url).resolve("node/package.json");
    const binary = join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** Runs this file again with `binary`; signals go to it, and this process ends the way it does. */
function handOver(binary) {
  const child = spawn(binary, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`midcall: cannot start ${binary}: ${error.message}; run: npm install node@${WANTED}`);
    process.exitCode = EXIT_LACKING;
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}
