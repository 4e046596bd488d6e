/**
 * Looks at NATs from both sides at once and prints what it saw as JSON: a process of its own, in a namespace that has hosts inside and outside of each (RFC 5780
 * section 4, without its protocol: the answer to "where did that come from" needs no message when both ends are one process). What must
 * not arrive is told by what was sent after it and did: no step waits for silence.
 * Arguments: one JSON array of targets.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { address, parseAddress } from "../impl/base/address.ts";

/** One NAT to look at. */
export type Target = {
  readonly nat: string;
  /** Its external address. */
  readonly host: string;
  /** Two hosts inside and two outside, all of this namespace. */
  readonly inside: readonly [string, string];
  readonly outside: readonly [string, string];
  /** One more inside, and the ports it should have and no others, where ports come in blocks. */
  readonly narrow: string;
  readonly block?: Block;
  /** One host inside and two outside, where there is IPv6. */
  readonly six?: { readonly inside: string; readonly outside: readonly [string, string] };
};

/** A range of external ports. */
type Block = { readonly first: number; readonly size: number };

/** What was seen of one NAT. Addresses are `host:port`. */
export type Observation = {
  readonly nat: string;
  readonly internal: string;
  /** Where one socket seemed to be: to a server, to another port of it, to another server. */
  readonly external: readonly [first: string, otherPort: string, otherHost: string];
  /** Whether a mapping opened towards a server let in that server's other port, and another server. */
  readonly lets: { readonly otherPort: boolean; readonly otherHost: boolean };
  /** Source that a second inside host seemed to have when it wrote to the first one's external address; undefined: nothing arrived. */
  readonly hairpin: string | undefined;
  /** External ports of four sockets opened one after the other, by their internal ports. */
  readonly ports: readonly (readonly [internal: number, external: number])[];
  /** Whether two inside hosts with the same port had mappings of their own, both reachable. */
  readonly twins: boolean;
  /** What a host with a block of its own got until it was refused, or had one port more than the block has. */
  readonly block?: Block & { readonly ports: readonly number[]; readonly isRefused: boolean };
  /** Over IPv6: whether a source stays as it is, and who is let in: before anything was sent, from another port, from another host. */
  readonly six?: {
    readonly isTranslated: boolean;
    readonly lets: { readonly unasked: boolean; readonly otherPort: boolean; readonly otherHost: boolean };
  };
};

/** Milliseconds to wait for what must arrive, and attempts. chosen: the path has no delay; a loaded machine may. */
const PATIENCE = 1_000;
const ATTEMPTS = 5;

type Peer = { readonly socket: Socket; readonly host: string; readonly port: number; readonly heard: Map<string, string> };

let tokens = 0;
const newToken = (): string => `midcall-${tokens++}`;

async function open(host: string, port = 0): Promise<Peer> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const heard = new Map<string, string>();
  socket.on("message", (message, from: RemoteInfo) => {
    heard.set(message.toString(), address(from.address, from.port));
    socket.emit("heard");
  });
  socket.bind({ address: host, port, exclusive: true });
  await once(socket, "listening");
  return { socket, host, port: socket.address().port, heard };
}

const post = (from: Peer, to: string, token: string): Promise<void> =>
  new Promise((resolve) => {
    const { host, port } = parseAddress(to) ?? { host: "", port: 0 };
    // an error is a packet that did not arrive
    from.socket.send(token, port, host, () => resolve());
  });

/** Sends until one arrives; the source the receiver saw. */
async function deliver(from: Peer, to: string, receiver: Peer): Promise<string> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const token = newToken();
    await post(from, to, token);
    const patience = AbortSignal.timeout(PATIENCE);
    while (!receiver.heard.has(token) && !patience.aborted) {
      await once(receiver.socket, "heard", { signal: patience }).catch(() => undefined);
    }
    const source = receiver.heard.get(token);
    if (source !== undefined) return source;
  }
  throw new Error(`from ${from.host}:${from.port} to ${to}: nothing arrived`);
}

/** Sends once, then twice over a way that is known to be open; the source of what arrived until then. */
async function tryOnce(
  from: Peer,
  to: string,
  receiver: Peer,
  known: { readonly from: Peer; readonly to: string; readonly receiver?: Peer },
): Promise<string | undefined> {
  const token = newToken();
  await post(from, to, token);
  for (let fence = 0; fence < 2; fence++) {
    await deliver(known.from, known.to, known.receiver ?? receiver);
    await turn();
  }
  return receiver.heard.get(token);
}

const at = ({ host, port }: Peer): string => address(host, port);
const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(":") + 1));

/** The firewall of RFC 6092 that a box is for IPv6. */
async function observe6({ inside, outside }: NonNullable<Target["six"]>): Promise<NonNullable<Observation["six"]>> {
  const opened = await Promise.all([inside, inside, outside[0], outside[0], outside[1]].map((on) => open(on)));
  try {
    const [one, beside, server, otherPort, otherHost] = opened as [Peer, Peer, Peer, Peer, Peer];
    const besideSeen = await deliver(beside, at(server), server);
    const unasked = await tryOnce(otherHost, at(one), one, { from: server, to: besideSeen, receiver: beside });
    const seen = await deliver(one, at(server), server);
    const known = { from: server, to: seen };
    const lets = {
      unasked: unasked !== undefined,
      otherPort: (await tryOnce(otherPort, seen, one, known)) !== undefined,
      otherHost: (await tryOnce(otherHost, seen, one, known)) !== undefined,
    };
    return { isTranslated: seen !== at(one), lets };
  } finally {
    for (const { socket } of opened) socket.close();
  }
}

async function observe({ nat, host, inside: [a, b], outside, narrow, block }: Target): Promise<Observation> {
  const opened: Peer[] = [];
  const peer = async (on: string, port?: number): Promise<Peer> => {
    const made = await open(on, port);
    opened.push(made);
    return made;
  };
  try {
    const [server, otherPort, otherHost] = [await peer(outside[0]), await peer(outside[0]), await peer(outside[1])];

    // Someone knocks first where a port-preserving NAT will open: that must not move the mapping.
    const one = await peer(a);
    await post(otherHost, `${host}:${one.port}`, newToken());
    const external = [
      await deliver(one, at(server), server),
      await deliver(one, at(otherPort), otherPort),
      await deliver(one, at(otherHost), otherHost),
    ] as const;

    const fresh = await peer(a);
    const mapped = await deliver(fresh, at(server), server);
    const known = { from: server, to: mapped };
    const lets = {
      otherPort: (await tryOnce(otherPort, mapped, fresh, known)) !== undefined,
      otherHost: (await tryOnce(otherHost, mapped, fresh, known)) !== undefined,
    };
    const hairpin = await tryOnce(await peer(b), mapped, fresh, known);

    const ports: [number, number][] = [];
    for (let socket = 0; socket < 4; socket++) {
      const next = await peer(a);
      ports.push([next.port, portOf(await deliver(next, at(server), server))]);
    }

    const first = await peer(b);
    const twin = await peer(a, first.port).catch(() => undefined);
    let twins = true;
    if (twin !== undefined) {
      const where = [await deliver(first, at(server), server), await deliver(twin, at(server), server)] as const;
      twins = where[0] !== where[1];
      // A lost one throws: then they were one mapping.
      await deliver(server, where[0], first).catch(() => (twins = false));
      await deliver(server, where[1], twin).catch(() => (twins = false));
    }
    const observation = { nat, internal: at(one), external, lets, hairpin, ports, twins };
    if (block === undefined) return observation;
    const got = new Set<number>();
    for (let socket = 0; socket <= block.size; socket++) {
      const next = await peer(narrow);
      const source = await tryOnce(next, at(server), server, { from: one, to: at(server) });
      if (source === undefined) return { ...observation, block: { ...block, ports: [...got], isRefused: true } };
      got.add(portOf(source));
    }
    return { ...observation, block: { ...block, ports: [...got], isRefused: false } };
  } finally {
    for (const { socket } of opened) socket.close();
  }
}

const targets = JSON.parse(process.argv[2] ?? "[]") as readonly Target[];
const observeAll = async (target: Target): Promise<Observation> => {
  const [four, six] = await Promise.all([observe(target), target.six === undefined ? undefined : observe6(target.six)]);
  return six === undefined ? four : { ...four, six };
};
console.log(JSON.stringify(await Promise.all(targets.map(observeAll))));
