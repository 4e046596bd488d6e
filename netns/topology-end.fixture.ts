/** A party for tests: a process in a party's namespace that opens UDP sockets and sends and listens as its parent says over IPC. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { parseAddress } from "../impl/base/address.ts";

/** Said to an end; `id` comes back with the answer. Addresses are `host:port`. */
export type Order = { readonly id: number } & (
  | { readonly do: "open"; readonly host: string; readonly port: number }
  | { readonly do: "send"; readonly socket: number; readonly to: string; readonly text: string }
  | { readonly do: "hear"; readonly socket: number; readonly text: string; readonly within: number }
  /** Writes `text` to the candidates and to whoever writes, every `every` ms, until `rounds` are over or it heard `text` and then `heard`. */
  | {
      readonly do: "punch";
      readonly socket: number;
      readonly to: readonly string[];
      readonly text: string;
      readonly every: number;
      readonly rounds: number;
    }
  /** Sends `count` packets, one every `every` ms, unless stopped before. */
  | {
      readonly do: "stream";
      readonly socket: number;
      readonly to: string;
      readonly text: string;
      readonly every: number;
      readonly count: number;
    }
  | { readonly do: "stop"; readonly socket: number }
  /** Writes to `to` from a connected socket of its own, which the system tells of ICMP errors, until it does or `within` ms are over. */
  | { readonly do: "refused"; readonly to: string; readonly within: number }
  /** Sources of all packets since the last call, in order, each named once in a row. */
  | { readonly do: "sources"; readonly socket: number }
);
export type Answer = { readonly id: number; readonly value: unknown };

type Open = {
  readonly socket: Socket;
  readonly heard: Map<string, string>;
  sources: string[];
  streaming: boolean;
  onPacket: ((text: string, from: string) => void) | undefined;
};
const opened: Open[] = [];

const send = (socket: Socket, to: string, text: string): Promise<string> =>
  new Promise((resolve) => {
    const [host, port] = to.split(":");
    socket.send(text, Number(port), host, (error) =>
      resolve(error === null ? "" : ((error as NodeJS.ErrnoException).code ?? error.message)),
    );
  });

async function obey(order: Order): Promise<unknown> {
  if (order.do === "open") {
    const socket = createSocket("udp4");
    const one: Open = { socket, heard: new Map(), sources: [], streaming: false, onPacket: undefined };
    socket.on("error", () => {});
    socket.on("message", (message, from) => {
      const [text, source] = [message.toString(), `${from.address}:${from.port}`];
      one.heard.set(text, source);
      if (one.sources.at(-1) !== source) one.sources.push(source);
      one.onPacket?.(text, source);
      socket.emit("heard");
    });
    socket.bind({ address: order.host, port: order.port, exclusive: true });
    await once(socket, "listening");
    opened.push(one);
    return { socket: opened.length - 1, port: socket.address().port };
  }
  if (order.do === "refused") return refused(order.to, order.within);
  const one = opened[order.socket];
  if (one === undefined) throw new RangeError(`socket: none is numbered ${order.socket}`);
  switch (order.do) {
    case "send":
      return send(one.socket, order.to, order.text);
    case "hear": {
      const patience = AbortSignal.timeout(order.within);
      while (!one.heard.has(order.text) && !patience.aborted)
        await once(one.socket, "heard", { signal: patience }).catch(() => undefined);
      return one.heard.get(order.text) ?? null;
    }
    case "punch":
      return punch(one, order.to, order.text, order.every, order.rounds);
    case "stream":
      one.streaming = true;
      for (let sent = 0; sent < order.count && one.streaming; sent++) {
        await send(one.socket, order.to, order.text);
        await new Promise((resolve) => setTimeout(resolve, order.every));
      }
      return null;
    case "stop":
      one.streaming = false;
      return null;
    case "sources": {
      const { sources } = one;
      one.sources = [];
      return sources;
    }
  }
}

/** The system's error code; null when it told of none. */
async function refused(to: string, within: number): Promise<string | null> {
  const { host = "", port, family } = parseAddress(to) ?? {};
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  const told = new Promise<string>((resolve) =>
    socket.on("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? "")),
  );
  socket.connect(Number(port), host);
  await once(socket, "connect");
  const timer = setInterval(() => socket.send("refused?"), 20);
  const patience = new Promise<null>((resolve) => setTimeout(() => resolve(null), within));
  const code = await Promise.race([told, patience]);
  clearInterval(timer);
  socket.close();
  return code;
}

/** Connectivity checks in both directions, as ICE does them: a check heard is answered where it came from; done when an own check was answered. */
function punch(one: Open, to: readonly string[], text: string, every: number, rounds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const known = new Set(to);
    let round = 0;
    const finish = (value: boolean): void => {
      clearInterval(timer);
      resolve(value);
    };
    const check = (): void => {
      if (round++ >= rounds) return finish(false);
      for (const candidate of known) void send(one.socket, candidate, `check ${text}`);
    };
    one.onPacket = (said, from) => {
      if (said === `check ${text}`) {
        void send(one.socket, from, `answer ${text}`);
        if (!known.has(from)) {
          known.add(from);
          void send(one.socket, from, `check ${text}`);
        }
      }
      // it goes on answering: the peer may not be done
      if (said === `answer ${text}`) finish(true);
    };
    const timer = setInterval(check, every);
    check();
  });
}

process.on("message", (order: Order) => {
  void obey(order).then((value) => process.send?.({ id: order.id, value } satisfies Answer));
});
process.on("disconnect", () => process.exit(0));
process.send?.({ id: 0, value: "ready" } satisfies Answer);
