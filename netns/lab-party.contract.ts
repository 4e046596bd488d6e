/** What the laboratory promises of a party, whatever launches it: processes that obey, and those that crash, hang or flood, which fail their own run alone. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Saying } from "../impl/base/record.ts";
import { monotonicClock } from "../impl/io/monotonic-clock.ts";
import { type ControlServer, openControlServer } from "./control-server.ts";
import { type LabParty, labParty } from "./lab-party.ts";
import type { Launcher } from "./launcher.ts";
import { openStandStill, type StandStill, type StillDeed } from "./stand-still.ts";

/** A party that does as it is told by its first argument; `PARTY` speaks the protocol. */
const PARTY = `
import { readFileSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
const [manner, path] = process.argv.slice(2);
const job = JSON.parse(readFileSync(path, "utf8"));
if (manner === "breaks") throw new Error("out of order");
if (manner === "sleeps") await new Promise(() => setInterval(() => {}, 1000));
const socket = connect(job.control);
const tell = (report) => socket.write(JSON.stringify(report) + "\\n");
const say = (saying) => tell({ type: "said", t: 1, saying });
socket.on("close", () => process.exit(1));
createInterface({ input: socket }).on("line", (line) => {
  const order = JSON.parse(line);
  say({ ev: "note", text: line });
  if (order.type === "go") say({ ev: "session", session: 1, state: "connecting" });
  if (order.type === "go" && manner === "chatters") for (let i = 0; i < 4e5; i++) writeSync(2, "line " + i + " of a very long story\\n");
  if (order.type === "go" && manner === "chatters") process.exit(3);
  if (order.type === "go" && manner === "gives up") { console.error("enough"); process.exit(3); }
  if (order.type === "go" && manner === "floods") for (let i = 0; i < 50000; i++) say({ ev: "note", text: "again" });
  if (order.type === "held") say({ ev: "session", session: 1, state: "closed" });
  if (order.type === "stop" && manner !== "hangs") { socket.removeAllListeners("close"); socket.end(() => process.exit(0)); }
});
tell({ type: "ready", token: job.token, pin: "pin of " + job.token });
`;

/** Resolves when `isSo` is, which is asked again and again. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate();
}

/** Describes the contract for one launcher. `missing` says why this machine cannot be asked; `open` gives a fresh launcher. */
export function labPartyContract(name: string, missing: string | undefined, open: () => Launcher): void {
  describe(`a party: ${name}`, () => {
    let folder = "";
    let server: ControlServer;
    let launcher: Launcher;
    let party: LabParty;
    let standStill: StandStill;
    beforeEach(async (context) => {
      if (missing !== undefined) context.skip(missing);
      folder = await mkdtemp(join(tmpdir(), "midcall-party-"));
      await writeFile(join(folder, "party.mjs"), PARTY);
      server = await openControlServer(join(folder, "control"));
      launcher = open();
      await launcher.adopt?.(randomBytes(4).toString("hex"), ["alice"], folder);
    });
    afterEach(async () => {
      if (missing !== undefined) return;
      await party.dispose();
      await launcher.close?.();
      await standStill.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    });

    /** What is heard of a party with `manner`, and the first reason it gives for a crash. */
    function meet(manner: string) {
      const heard: Saying[] = [];
      const crash = Promise.withResolvers<string>();
      const connected = Promise.withResolvers<void>();
      const deeds: StillDeed[] = [];
      standStill = openStandStill(
        (deed) => {
          deeds.push(deed);
          heard.push({ ev: "process", state: deed.state });
        },
        (error) => crash.resolve(String(error)),
      );
      party = labParty("alice", () => ({ role: "relay", port: 4_433, state: folder }), {
        server,
        standStill,
        launcher,
        folder,
        namespace: "none",
        entry: { module: join(folder, "party.mjs"), args: [manner] },
        patience: { readyMs: manner === "sleeps" ? 300 : 20_000, stopMs: 300 },
        said: (_t, saying) => {
          heard.push(saying);
          if (saying.ev === "session") connected.resolve();
        },
        say: (saying) => void heard.push(saying),
        touched: () => undefined,
        crash: crash.resolve,
      });
      const states = (): string[] => heard.flatMap((one) => (one.ev === "process" ? [one.state] : []));
      const orders = (): string[] => heard.flatMap((one) => (one.ev === "note" ? [JSON.parse(one.text).type] : []));
      return { crash: crash.promise, connected: connected.promise, states, orders, deeds };
    }

    test("a stand-by waits for its start, obeys in order, and stops when told, heard to the end", async () => {
      const { orders } = meet("well behaved");
      await party.standBy(1);
      expect([party.isRunning, party.pin]).toEqual([false, "pin of alice-1"]);
      await party.start(7);
      party.order({ type: "command", command: { type: "stop" } });
      await party.stop();
      expect([party.isRunning, orders()]).toEqual([false, ["go", "command", "stop"]]);
    });

    test("killed, it is gone at once; started again, it is another process, and a disturbance in force holds for that one too", async () => {
      const { states, orders } = meet("well behaved");
      await party.start(7);
      party.order({
        type: "disturb",
        fault: 3,
        seed: 1,
        direction: "up",
        effect: { duplicate: 1, reorder: 0, delay: 0, types: [] },
      });
      await party.kill();
      expect([party.isRunning, states()]).toEqual([false, ["killed"]]);
      party.order({ type: "held" }); // nobody is there to hear it
      await party.start(7);
      expect(party.pin).toBe("pin of alice-2");
      await party.stop();
      expect(orders().slice(-3)).toEqual(["go", "disturb", "stop"]);
    });

    test("what is planned for later is told at once, and once more to the process that will be there then", async () => {
      const { connected, orders } = meet("well behaved");
      const { epoch } = monotonicClock();
      await party.start(epoch);
      await connected;
      party.order({ type: "command", command: { type: "deregister" }, at: 1 });
      party.order({ type: "command", command: { type: "deregister" }, at: 3_600_000_000 });
      party.order({ type: "held" });
      await party.quiet(5_000);
      expect(orders()).toEqual(["go", "command", "command", "held"]);
      await party.kill();
      await party.start(epoch);
      await party.stop();
      expect(orders().slice(4)).toEqual(["go", "command", "stop"]);
    });

    test("paused, it hears nothing until it is resumed", async () => {
      const { connected, states, orders } = meet("well behaved");
      await party.start(7);
      await connected;
      await standStill.ready();
      party.pause();
      party.order({ type: "held" });
      await party.quiet(50); // of a paused party nothing is to be expected: at once
      expect(orders()).not.toContain("held");
      party.resume();
      await party.quiet(5_000);
      await party.stop();
      expect([states(), orders().slice(-2)]).toEqual([
        ["paused", "resumed"],
        ["held", "stop"],
      ]);
    });

    test("it takes turns until it is told to stop, and then ends as ever", async () => {
      const { connected, states, orders } = meet("well behaved");
      await party.start(7);
      await connected;
      party.takeTurns(3_600_000_000, 7_200_000_000);
      await until(() => states().includes("paused"));
      await party.stop();
      await until(() => states().includes("resumed")); // what the thread tells and the process's end come by different ways
      expect([states(), orders().at(-1)]).toEqual([["paused", "resumed"], "stop"]);
    });

    test("started again, it goes on taking turns", async () => {
      const { deeds } = meet("well behaved");
      await party.start(7);
      const end = party.takeTurns(10_000, 20_000);
      await until(() => deeds.some(({ state }) => state === "paused"));
      await party.kill();
      // By its instant: what was done to the process before may be told only now.
      const killed = monotonicClock(0).now();
      await party.start(7);
      await until(() => deeds.some(({ state, at }) => state === "paused" && at > killed));
      end();
      await party.stop();
      await until(() => deeds.at(-1)?.state === "resumed");
      const states = deeds.filter(({ at }) => at > killed).map(({ state }) => state);
      expect(states.filter((state, i) => state !== (i % 2 === 0 ? "paused" : "resumed"))).toEqual([]);
    });

    test("it is quiet when its last session has closed, or when the time is up", async () => {
      const { connected, orders } = meet("well behaved");
      await party.start(7);
      await connected;
      await party.quiet(20);
      expect(orders()).not.toContain("held");
      party.order({ type: "held" });
      await party.quiet(60_000);
      expect(orders()).toContain("held");
    });

    test.each([
      ["breaks", /^alice ended before it was ready \(exit code 1\); it wrote:\n[\s\S]*out of order/],
      ["sleeps", /^alice was not ready after 0\.3 s$/],
      ["gives up", /^alice ended on its own \(exit code 3\); it wrote:\nenough$/],
      [
        "chatters",
        /^alice ended on its own \(exit code 3\); it wrote:\n\(\d+ octets before this\)[\s\S]{1,10000}line 399999 of a very long story$/,
      ],
      ["floods", /^alice misbehaves: it said more than 20000 things a second$/],
    ])("one that %s fails the run, with what it wrote to standard error", async (manner, why) => {
      const { crash } = meet(manner);
      void party.start(7);
      expect(await crash).toMatch(why);
    });

    test("one that hangs at stop is killed, and fails the run", async () => {
      const { crash, states } = meet("hangs");
      await party.start(7);
      await party.stop();
      expect(states()).toEqual(["killed"]);
      expect(await crash).toBe("alice did not stop within 0.3 s");
    });
  });
}
