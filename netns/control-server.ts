/**
 * The lab's end of the control channel: a Unix socket that parties dial (impl/bin/control.ts). What comes in is bounded: a party that floods the
 * channel or sends nonsense is cut off and told of, so that it fails its own run and nothing else.
 */
import { createServer, type Socket } from "node:net";
import type { Order, Report } from "../impl/bin/control.ts";
import { NetnsError } from "./netns-error.ts";

/** Longest line taken, octets. chosen: a hundred times the longest record. */
const LINE_BYTES = 1 << 20;
/** Lines one process may send a second on average, over a second's allowance. chosen: a client says about twenty, a relay in trouble hundreds. */
const LINES_PER_SECOND = 20_000;

/** A party's process on the line. */
export type Line = {
  readonly pin: string | undefined;
  order(order: Order): void;
  /** Resolves when everything it sent has been heard and the connection is over. */
  readonly closed: Promise<void>;
};

export type LineEvents = {
  readonly report: (report: Exclude<Report, { type: "ready" }>) => void;
  /** It said something it must not, or too much: it has been cut off. */
  readonly broken: (why: string) => void;
};

export type ControlServer = {
  readonly path: string;
  /**
   * Resolves when the process whose job holds `token` has dialled and is ready; ask before it is launched. `events` hears of everything after that.
   * Never rejects: race it against the process's end.
   */
  expect(token: string, events: LineEvents): Promise<Line>;
  close(): Promise<void>;
};

/** Listens at `path` (at most 107 octets, unix(7)); NetnsError when that cannot be had. */
export async function openControlServer(path: string): Promise<ControlServer> {
  const waiting = new Map<string, (line: Line) => LineEvents>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => undefined); // a killed party resets its end; its exit is what counts
    converse(socket, (token, line) => {
      const welcome = waiting.get(token);
      waiting.delete(token);
      return welcome?.(line);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new NetnsError("control", `${path}: the lab cannot listen there: ${cause.message}`, cause)),
    );
    server.listen(path, resolve);
  });
  return {
    path,
    expect: (token, events) =>
      new Promise((resolve) => {
        waiting.set(token, (line) => {
          resolve(line);
          return events;
        });
      }),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Reads the first line, which must say who calls, and then everything else. `welcome` returns undefined for a caller nobody expects. */
function converse(socket: Socket, welcome: (token: string, line: Line) => LineEvents | undefined): void {
  let events: LineEvents | undefined;
  let rest = "";
  let allowance = LINES_PER_SECOND;
  let refilled = process.hrtime.bigint();
  const cut = (why: string): void => {
    socket.destroy();
    events?.broken(why);
  };
  const take = (text: string): void => {
    const report = parse(text);
    if (report === undefined) return cut(`it sent what is no report: ${text.slice(0, 200)}`);
    if (report.type !== "ready") return events === undefined ? cut("it did not say who it is") : events.report(report);
    const order = (given: Order): void => void (socket.writable && socket.write(`${JSON.stringify(given)}\n`));
    events = welcome(report.token, { pin: report.pin, order, closed });
    if (events === undefined) cut("nobody expects it");
  };
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    const now = process.hrtime.bigint();
    allowance = Math.min(LINES_PER_SECOND, allowance + (Number(now - refilled) / 1e9) * LINES_PER_SECOND);
    refilled = now;
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    allowance -= lines.length;
    for (const line of lines) if (!socket.destroyed) take(line);
    if (socket.destroyed) return;
    if (rest.length > LINE_BYTES) cut(`it sent a line of more than ${LINE_BYTES} octets`);
    else if (allowance < 0) cut(`it said more than ${LINES_PER_SECOND} things a second`);
  });
}

function parse(text: string): Report | undefined {
  try {
    const value = JSON.parse(text) as Partial<Report> | null;
    return value !== null && typeof value === "object" && typeof value.type === "string" ? (value as Report) : undefined;
  } catch {
    return undefined;
  }
}
