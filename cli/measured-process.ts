/** A process under measurement: what it has used of the processor and of memory, and what its UDP sockets have lost, as the kernel counts them (proc(5)). */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { type Resident, residentOf } from "./resident-memory.ts";

/** Clock ticks a second of /proc/PID/stat (sysconf(3), _SC_CLK_TCK: 100 on every Linux that Node.js runs on). */
const TICKS = 100;

export type MeasuredProcess = {
  readonly pid: number;
  /** Lines of its output. */
  readonly line: (starts: string) => Promise<string>;
  /** Seconds of processor time so far, of all its threads. */
  cpuSeconds(): Promise<number>;
  /** Resident memory, octets. */
  residentBytes(): Promise<number>;
  /** ... and whose it is: a look that takes some milliseconds. */
  resident(): Promise<Resident>;
  /** Rejects, with the last it said, when it ends before it is asked to. */
  readonly lost: Promise<never>;
  end(): Promise<void>;
};

export async function startMeasured(program: string, words: readonly string[]): Promise<MeasuredProcess> {
  const child: ChildProcess = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  const { pid, stdout, stderr } = child;
  if (pid === undefined || stdout === null || stderr === null) {
    const [error] = await once(child, "error");
    throw error as Error;
  }
  const lines: string[] = [];
  const tail: string[] = [];
  const waiting: { readonly starts: string; readonly told: (line: string) => void }[] = [];
  createInterface({ input: stdout }).on("line", (line) => {
    lines.push(line);
    for (const one of waiting) if (line.startsWith(one.starts)) one.told(line);
  });
  createInterface({ input: stderr }).on("line", (line) => void (tail.push(line) > 20 && tail.shift()));
  const gone = once(child, "exit");
  let isAsked = false;
  const lost = gone.then(([code, signal]) => {
    if (isAsked) return new Promise<never>(() => undefined);
    throw new Error(`${program} ended with ${signal ?? code} while it was measured: ${tail.join("\n")}`);
  });
  lost.catch(() => undefined); // told to whoever waits for it
  return {
    pid,
    lost,
    line: (starts) =>
      new Promise((resolve, reject) => {
        const known = lines.find((line) => line.startsWith(starts));
        if (known !== undefined) return resolve(known);
        waiting.push({ starts, told: resolve });
        void gone.then(([code]) =>
          reject(new Error(`${program} ended with ${code} before it said ${starts}: ${tail.join("\n")}`)),
        );
      }),
    cpuSeconds: async () => {
      const text = await readFile(`/proc/${pid}/stat`, "utf8");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) / TICKS;
    },
    residentBytes: async () =>
      1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN),
    resident: async () => residentOf(await readFile(`/proc/${pid}/smaps`, "utf8")),
    end: async () => {
      isAsked = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGINT");
      const limit = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await gone;
      clearTimeout(limit);
    },
  };
}

/** Packets that the sockets on these UDP ports of this machine's IPv4 could not take because their buffers were full. */
export async function droppedAt(ports: readonly number[]): Promise<number> {
  const ends = new Set(ports.map((port) => port.toString(16).toUpperCase().padStart(4, "0")));
  const rows = (await readFile("/proc/net/udp", "utf8")).split("\n").map((line) => line.trim().split(/\s+/));
  return rows.filter((row) => ends.has(row[1]?.split(":")[1] ?? "")).reduce((sum, row) => sum + Number(row.at(-1)), 0);
}
