/** What the core asks its driver to do, and the runner that does it: the one piece of glue between machines and any world. */
import type { Address } from "../base/address.ts";
import type { Saying } from "../base/record.ts";
import type { Instant } from "../base/units.ts";
import type { View } from "../base/view.ts";
import type { Endpoint, EndpointListener, SessionEvent, SessionId } from "./session.ts";

/** Effects every machine may have. */
export type Effect =
  | { readonly type: "connect"; readonly session: SessionId; readonly remote: Address; readonly pin: string }
  | { readonly type: "send"; readonly session: SessionId; readonly bytes: Uint8Array }
  | { readonly type: "datagram"; readonly session: SessionId; readonly bytes: Uint8Array }
  | { readonly type: "close"; readonly session: SessionId; readonly detail: string }
  | { readonly type: "packet"; readonly to: Address; readonly bytes: Uint8Array }
  | { readonly type: "http"; readonly request: HttpRequest }
  /** 960 samples for the loudspeaker. */
  | { readonly type: "play"; readonly pcm: Int16Array }
  | { readonly type: "say"; readonly saying: Saying }
  /** The machine is done for good: its driver lets go of everything and ends. */
  | { readonly type: "finish" };

/** Inputs every machine takes from its endpoint and its clock. */
export type WorldInput =
  | { readonly type: "accepted"; readonly session: SessionId; readonly remote: Address }
  | { readonly type: "session"; readonly session: SessionId; readonly event: SessionEvent }
  | { readonly type: "packet"; readonly from: Address; readonly bytes: Uint8Array }
  /** The outcome of an `http` effect; undefined: no answer. */
  | { readonly type: "http"; readonly id: number; readonly response: HttpResponse | undefined }
  /** Something about the host's network is changing: what there is then will be told as `network`, if it differs. */
  | { readonly type: "network-stirs" }
  /** The host's network as it stands: told once at the start and again after every change. */
  | { readonly type: "network"; readonly network: HostNetwork }
  | { readonly type: "wake" };

/** GET, or with `soap` POST, of `path` at an address, over TCP. `id` names it in the answer. */
export type HttpRequest = {
  readonly id: number;
  readonly to: Address;
  readonly path: string;
  readonly soap?: { readonly action: string; readonly body: string };
};
/** `body`: at most so much as its reader takes, else there is no answer. */
export type HttpResponse = { readonly status: number; readonly body: string };

/** What a host knows of its own network. `port`: of the one UDP socket, bound on every interface. `gateway`: IPv4 address that the default route leads to. */
export type HostNetwork = {
  readonly port: number;
  readonly interfaces: readonly NetworkInterface[];
  readonly gateway?: string;
};

/**
 * An interface that is up. `addresses` are IP addresses without port, IPv6 without brackets, those that may be sent from; `isDefault`: what has no nearer route leaves here.
 * `temporary` (RFC 8981) and `deprecated` (RFC 4862 section 5.5.4) ones are among them.
 */
export type NetworkInterface = {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly isDefault: boolean;
  readonly temporary?: readonly string[];
  readonly deprecated?: readonly string[];
};

/** What a driver logs of a network it is about to tell its machine. */
export function sayNetwork({ interfaces }: HostNetwork): Saying {
  const way = interfaces.find((one) => one.isDefault)?.name;
  const told = interfaces.map(({ name, addresses, isDefault }) => ({ name, addresses, isDefault }));
  return { ev: "interfaces", interfaces: told, ...(way === undefined ? {} : { default: way }) };
}

/** A machine as the runner sees it: `step` mutates privately and returns what to do. */
export type Machine<Input> = {
  step(now: Instant, input: Input): readonly Effect[];
  deadline(): Instant | undefined;
  /** Where it stands, for a debugger: changes nothing, holds no secret. */
  view(): View;
};

/** The world a machine runs in. */
export type Ports = {
  now(): Instant;
  endpoint: Endpoint;
  say(saying: Saying): void;
  play(pcm: Int16Array): void;
  /** Ask for a `wake` at `at` at the earliest (undefined: none). A new call replaces the last one. */
  schedule(at: Instant | undefined): void;
  /** Worlds without it answer no request. */
  http?(request: HttpRequest, answered: (response: HttpResponse | undefined) => void): void;
  /** The machine is done. */
  finish?(): void;
};

export type Runner<Input> = { readonly listener: EndpointListener; input(input: Input | WorldInput): void };

/** Drives `machine`: one input, then all its effects, then the next input. */
export function run<Input>(machine: Machine<Input | WorldInput>, ports: () => Ports): Runner<Input> {
  const pending: (Input | WorldInput)[] = [];
  let busy = false;
  let scheduled: Instant | undefined;
  const input = (first: Input | WorldInput): void => {
    if (busy) {
      pending.push(first);
      return;
    }
    busy = true;
    const world = ports();
    try {
      for (let next: typeof first | undefined = first; next !== undefined; next = pending.shift())
        for (const effect of machine.step(world.now(), next)) perform(world, effect, input);
    } finally {
      busy = false;
    }
    const at = machine.deadline();
    if (at !== scheduled) {
      scheduled = at;
      world.schedule(at);
    }
  };
  const listener: EndpointListener = {
    accepted: (session, remote) => input({ type: "accepted", session, remote }),
    event: (session, event) => input({ type: "session", session, event }),
    packet: (from, bytes) => input({ type: "packet", from, bytes }),
  };
  return {
    listener,
    input: (given) => {
      if ((given as WorldInput).type === "wake") scheduled = undefined;
      input(given);
    },
  };
}

function perform(world: Ports, effect: Effect, input: (answer: WorldInput) => void): void {
  switch (effect.type) {
    case "datagram":
      return world.endpoint.sendDatagram(effect.session, effect.bytes);
    case "play":
      return world.play(effect.pcm);
    case "finish":
      return world.finish?.();
    case "say":
      return world.say(effect.saying);
    case "send":
      return world.endpoint.send(effect.session, effect.bytes);
    case "connect":
      return world.endpoint.connect(effect.session, effect.remote, effect.pin);
    case "close":
      return world.endpoint.close(effect.session, effect.detail);
    case "packet":
      return world.endpoint.sendPacket(effect.to, effect.bytes);
    case "http":
      return world.http?.(effect.request, (response) => input({ type: "http", id: effect.request.id, response }));
  }
}
