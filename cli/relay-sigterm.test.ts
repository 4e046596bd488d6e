/** A relay that its service manager stops (SIGTERM): parties of a call are told where to go, go there and talk on, and the process ends by itself; told twice, it ends at once. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import type { Address } from "../impl/base/address.ts";
import { millis } from "../impl/base/units.ts";
import { type RunningClient, runClient } from "../impl/bin/client.ts";
import type { ClientEvent } from "../impl/core/client-event.ts";
import { identityFromSecret } from "../impl/core/identity.ts";
import type { RelayTarget } from "../impl/core/supervisor.ts";
import { nodeCrypto } from "../impl/io/node-crypto.ts";
import { relayClients } from "./relay-clients.ts";

const MIDCALL = fileURLToPath(new URL("midcall.mjs", import.meta.url));
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanup.splice(0).reverse()) await one();
}, 30_000);

/** A relay process; its lines on standard error are in `said`. */
async function relay(...words: readonly string[]): Promise<{ child: ChildProcess; at: RelayTarget; said: () => string }> {
  const folder = await mkdtemp(join(tmpdir(), "midcall-sigterm-"));
  const child = spawn(process.execPath, [MIDCALL, "relay", "--listen", "127.0.0.1:0", "--state", folder, ...words]);
  cleanup.push(async () => {
    if (child.exitCode === null) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });
  let [out, said] = ["", ""];
  child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (said += piece.toString()));
  const told = async (what: string): Promise<string> =>
    vi.waitFor(
      () => new RegExp(`^${what} (\\S+)$`, "m").exec(out)?.[1] ?? Promise.reject(new Error(`no ${what}: ${said}`)),
      20_000,
    );
  return { child, at: { address: (await told("listening")) as Address, pin: await told("pin") }, said: () => said };
}

test("SIGTERM sends a call to another relay, where it goes on, and ends the process once nobody is left", async () => {
  const next = await relay();
  const old = await relay("--refuge", `${next.at.address},${next.at.pin}`, "--drain", "10s");
  const events = new Map<string, ClientEvent[]>();
  let heard = 0;
  const client = async (name: string, byte: number): Promise<RunningClient> => {
    const seen: ClientEvent[] = [];
    events.set(name, seen);
    const made = await runClient({
      ...{ name, relay: old.at, voice: "tone", identity: identityFromSecret(nodeCrypto, new Uint8Array(32).fill(byte)) },
      answer: { mode: "AcceptGeneric", after: millis(0) },
      onEvent: (event) => seen.push(event),
      onSaying: (saying) => {
        if (saying.ev === "media-played" && saying.kind === "source") heard += saying.n;
      },
    });
    cleanup.push(() => made.stop());
    return made;
  };
  const has = (name: string, type: ClientEvent["type"]): boolean => events.get(name)?.some((one) => one.type === type) === true;
  const both = (type: ClientEvent["type"]): Promise<void> =>
    vi.waitFor(() => expect([has("alice", type), has("bob", type)]).toEqual([true, true]), 20_000);
  const alice = await client("alice", 1);
  await client("bob", 2);
  await both("registered");
  alice.command({ type: "call", peer: identityFromSecret(nodeCrypto, new Uint8Array(32).fill(2)).fingerprint });
  await both("active");
  const gone = once(old.child, "exit");
  old.child.kill("SIGTERM");
  await both("switched");
  expect(await gone).toEqual([143, null]);
  expect(old.said()).toContain("draining");
  const before = heard;
  await vi.waitFor(() => expect(heard).toBeGreaterThan(before + 50), 20_000);
  expect([has("alice", "ended"), has("bob", "ended")]).toEqual([false, false]);
}, 90_000);

test("a second SIGTERM ends a relay that waits for clients who do not leave", async () => {
  const { child, at, said } = await relay("--drain", "60s");
  const stubborn = await relayClients(at, 1, () => undefined);
  cleanup.push(() => stubborn.close());
  child.kill("SIGTERM");
  await vi.waitFor(() => expect(said()).toContain("draining"), 20_000);
  await new Promise((resolve) => setTimeout(resolve, 600)); // within half a second it would be the same signal, delivered twice
  expect(child.exitCode).toBeNull();
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  expect(await gone).toEqual([143, null]);
}, 60_000);
