/** The relay process: one UDP port, a certificate kept in a folder so that a restarted relay is recognised at once. */
import { randomBytes } from "node:crypto";
import type { Address } from "../base/address.ts";
import type { Saying } from "../base/record.ts";
import { type Instant, millis } from "../base/units.ts";
import type { PeerRelay } from "../core/federation/link.ts";
import type { Identity } from "../core/identity.ts";
import * as relay from "../core/relay.ts";
import { DEFAULT_BACKOFF, type RelayTarget } from "../core/supervisor.ts";
import { loadOrMakeCertificate } from "../io/certificate.ts";
import { nodeCrypto } from "../io/node-crypto.ts";
import { type Layer, openParty } from "./party.ts";

export type RelayOptions = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Folder of the certificate; made when absent. */
  readonly stateDir: string;
  /** Makes a new key for its stateless resets, so that sessions of the process before do not know them (RFC 9000 section 10.3.2). */
  readonly losesResetKey?: boolean;
  readonly token?: string;
  /** Sessions and calls at once; relay.DEFAULTS when not given. */
  readonly limits?: Partial<Pick<relay.Config, "maxSessions" | "maxCalls">>;
  /** Relays it shares its users with, and who it is to them. */
  readonly federation?: { readonly identity: Identity; readonly peers: readonly PeerRelay[] };
  readonly log?: string;
  readonly epoch?: number;
  readonly onSaying?: (saying: Saying, at: Instant) => void;
  readonly layer?: Layer;
  /** Address and TCP port that Prometheus scrapes; undefined: none. */
  readonly metrics?: { readonly host: string; readonly port: number };
  /** Told once when it has drained: it holds nothing more and is to be stopped. */
  readonly onDrained?: () => void;
  /** Told once when the log can no longer be written; the relay goes on without it. */
  readonly onTrouble?: (error: Error) => void;
};

export type RunningRelay = {
  readonly local: Address;
  /** Of the metrics port, when there is one. */
  readonly metrics: Address | undefined;
  /** SHA-256 of the certificate, lowercase hex: what clients pin. */
  readonly pin: string;
  /** Has it say what it holds. */
  held(): void;
  /** Asks all clients to go to `refuges` (those it federates with, unless others are named) within that time, takes in nobody new, and is then done (`onDrained`). */
  drain(withinMs: number, refuges?: readonly RelayTarget[]): void;
  /** Closes every session and the socket. */
  stop(): Promise<void>;
};

export async function runRelay(options: RelayOptions): Promise<RunningRelay> {
  const kept = await loadOrMakeCertificate(options.stateDir);
  const certificate = options.losesResetKey === true ? { ...kept, resetKey: new Uint8Array(randomBytes(32)) } : kept;
  /** Why it takes in nobody at all: it starts, or its own records say that it drains. */
  let unready: string | undefined = "starting";
  const machine = relay.relay({
    ...relay.DEFAULTS,
    ...options.limits,
    fingerprint: certificate.fingerprint,
    crypto: nodeCrypto,
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.federation === undefined
      ? {}
      : {
          federation: {
            name: options.name,
            ...options.federation,
            entropy: (length) => new Uint8Array(randomBytes(length)),
            backoff: DEFAULT_BACKOFF,
          },
        }),
  });
  /** A relay that is full still serves those it has: whoever spreads newcomers over relays is told by readiness. */
  const whyUnready = (): string | undefined => {
    const full = machine.full();
    return unready ?? (full === undefined ? undefined : `full: ${full}`);
  };
  const party = await openParty<relay.Input>({
    who: options.name,
    host: options.host,
    port: options.port,
    log: options.log,
    epoch: options.epoch,
    certificate,
    machine,
    onSaying: (saying, at) => {
      if (saying.ev === "drain") unready = "draining";
      options.onSaying?.(saying, at);
    },
    ...(options.layer === undefined ? {} : { layer: options.layer }),
    ...(options.metrics === undefined
      ? {}
      : { metrics: { ...options.metrics, sources: ["process", "relay"], unready: whyUnready } }),
    onFinished: () => options.onDrained?.(),
    onTrouble: (error) => options.onTrouble?.(error),
  });
  unready = undefined;
  party.input({ type: "start" });
  return {
    local: party.local,
    metrics: party.metrics,
    pin: certificate.fingerprint,
    held: () => party.input({ type: "held" }),
    drain: (withinMs, refuges) =>
      party.input({ type: "drain", within: millis(withinMs), ...(refuges === undefined ? {} : { refuges }) }),
    stop: async () => {
      party.input({ type: "held" });
      party.input({ type: "stop" });
      await party.close();
    },
  };
}
