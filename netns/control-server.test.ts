import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Order, Report } from "../impl/bin/control.ts";
import { type ControlServer, type LineEvents, openControlServer } from "./control-server.ts";
import { NetnsError } from "./netns-error.ts";

let folder = "";
let server: ControlServer;
let sockets: Socket[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-control-"));
  server = await openControlServer(join(folder, "control"));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const dial = (...lines: (Report | string)[]): Socket => {
  const socket = connect(server.path);
  sockets.push(socket);
  socket.on("error", () => undefined);
  socket.write(lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  return socket;
};
const ended = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.resume().once("close", () => resolve()));
const ready: Report = { type: "ready", token: "alice-1" };
const said = (t: number): Report => ({ type: "said", t, saying: { ev: "note", text: "" } });

/** What the lab hears of one line, and when it is cut off. */
function ears() {
  const heard: Parameters<LineEvents["report"]>[0][] = [];
  const broken = Promise.withResolvers<string>();
  return {
    heard,
    broken: broken.promise,
    events: { report: (one) => void heard.push(one), broken: broken.resolve } satisfies LineEvents,
  };
}

test("a party says who it is and is heard in order; what the lab orders arrives", async () => {
  const { heard, events } = ears();
  const expected = server.expect("alice-1", events);
  const socket = dial({ ...ready, pin: "ab" }, said(1), said(2));
  const line = await expected;
  expect(line.pin).toBe("ab");
  const order: Order = { type: "go", epoch: 7 };
  line.order(order);
  const [text] = await new Promise<string[]>((resolve) => socket.once("data", (chunk: Buffer) => resolve([chunk.toString()])));
  expect(JSON.parse(text ?? "")).toEqual(order);
  socket.end(`${JSON.stringify(said(3))}\n`);
  await line.closed;
  expect(heard).toEqual([said(1), said(2), said(3)]);
});

test("whoever is not expected, or speaks before saying who it is, is cut off", async () => {
  const { events } = ears();
  void server.expect("alice-1", events);
  await Promise.all([ended(dial({ ...ready, token: "mallory-1" })), ended(dial(said(1)))]);
  const bob = server.expect("bob-1", ears().events);
  dial({ ...ready, token: "bob-1" });
  expect((await bob).pin).toBeUndefined();
});

test.each([
  ["nonsense", () => ["no report"], /^it sent what is no report: no report$/],
  ["a line without an end", () => ["x".repeat(2 << 20)], /^it sent /],
  ["a flood", () => new Array<Report>(30_000).fill(said(1)), /^it said more than 20000 things a second$/],
])("%s ends the connection, and the lab is told why", async (_, lines, why) => {
  const { events, broken } = ears();
  const expected = server.expect("alice-1", events);
  const socket = dial(ready, ...lines());
  await expected;
  expect(await broken).toMatch(why);
  await ended(socket);
});

test("a path that cannot be had is an error of the machine", async () => {
  await expect(openControlServer(join(folder, "missing", "control"))).rejects.toBeInstanceOf(NetnsError);
});
