/** A real process around a core machine: one UDP socket, one clock, one log, and the loop that feeds the machine. */
import { isIPv6 } from "node:net";
import type { Address } from "../base/address.ts";
import type { Saying } from "../base/record.ts";
import { Instant } from "../base/units.ts";
import { type Machine, type Ports, type Runner, run, type WorldInput } from "../core/effect.ts";
import { DEFAULT_SESSION, type Endpoint, type EndpointListener } from "../core/session.ts";
import type { Certificate } from "../io/certificate.ts";
import { openEventLog } from "../io/event-log.ts";
import type { IoError } from "../io/io-error.ts";
import { logQuota } from "../io/log-quota.ts";
import { monotonicClock } from "../io/monotonic-clock.ts";
import { openEndpoint } from "../io/quic-endpoint.ts";

export type PartyOptions<Input> = {
  readonly who: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log: string | undefined;
  /** CLOCK_MONOTONIC microsecond that the log counts from; undefined: now. */
  readonly epoch: number | undefined;
  /** Accepts sessions when given. */
  readonly certificate?: Certificate;
  readonly machine: Machine<Input | WorldInput>;
  /** Told everything the machine says, after it is logged, with the instant it was said at. */
  readonly onSaying?: (saying: Saying, at: Instant) => void;
  readonly play?: (pcm: Int16Array) => void;
  /** A layer between machine and endpoint, in both directions. */
  readonly layer?: Layer;
  /** Told once when the log can no longer be written; the party goes on without it. */
  readonly onTrouble: (error: IoError) => void;
};

/** What may stand between a machine and its endpoint, like `SignallingFilter` of impl/core. */
export type Layer = { outgoing(endpoint: Endpoint): Endpoint; incoming(listener: EndpointListener): EndpointListener };

export type Party<Input> = {
  readonly local: Address;
  readonly now: () => Instant;
  input(input: Input): void;
  say(saying: Saying): void;
  /** Closes the socket and the log; the machine gets nothing more. */
  close(): Promise<void>;
};

/** Octets of the UDP and IP headers of a packet: 8 + 20 (RFC 791) or 8 + 40 (RFC 8200). */
const HEADERS = { 4: 28, 6: 48 } as const;

export async function openParty<Input>(options: PartyOptions<Input>): Promise<Party<Input>> {
  const clock = monotonicClock(options.epoch);
  const log = openEventLog(options.log, options.who, clock.now, options.onTrouble);
  const quota = logQuota(clock.now);
  let timer: NodeJS.Timeout | undefined;
  let isOpen = true;
  const say = (saying: Saying): void => {
    if (quota.allows(saying)) log.say(saying);
    options.onSaying?.(saying, clock.now());
  };
  const runner: Runner<Input> = run(options.machine, (): Ports => ports);
  const schedule = (at: Instant | undefined): void => {
    clearTimeout(timer);
    if (at === undefined || !isOpen) return;
    timer = setTimeout(() => runner.input({ type: "wake" }), Math.min(Instant.between(clock.now(), at) / 1_000, 2 ** 31 - 1));
  };
  const endpoint = await openEndpoint({
    host: options.host,
    port: options.port,
    config: DEFAULT_SESSION,
    listener: options.layer?.incoming(runner.listener) ?? runner.listener,
    now: clock.now,
    ...(options.certificate === undefined ? {} : { certificate: options.certificate }),
  });
  const ports: Ports = {
    now: clock.now,
    endpoint: options.layer?.outgoing(endpoint) ?? endpoint,
    say,
    play: (pcm) => options.play?.(pcm),
    schedule,
  };
  const headers = HEADERS[isIPv6(options.host) ? 6 : 4];
  let refused = 0;
  let [retried, evicted] = [0, 0];
  const traffic = (): void => {
    const { sentPackets, sentBytes, receivedPackets, receivedBytes, droppedUnknown, ...counted } = endpoint.counters();
    say({
      ev: "network",
      sentPackets,
      sentBytes: sentBytes + sentPackets * headers,
      receivedPackets,
      receivedBytes: receivedBytes + receivedPackets * headers,
    });
    if (droppedUnknown > refused)
      say({ ev: "refused", reason: "malformed", what: "UDP datagrams that are no packet of ours", count: droppedUnknown });
    if (counted.retries > retried)
      say({
        ev: "refused",
        reason: "limit",
        what: "first packets whose senders were asked to prove their address",
        count: counted.retries,
      });
    if (counted.evicted > evicted)
      say({ ev: "refused", reason: "limit", what: "handshakes given up for newer ones", count: counted.evicted });
    refused = droppedUnknown;
    ({ retries: retried, evicted } = counted);
    for (const text of quota.leftOut()) log.say({ ev: "note", text });
  };
  say({ ev: "process", state: "started" });
  const everySecond = setInterval(traffic, 1_000);
  return {
    local: endpoint.local,
    now: clock.now,
    say,
    input: (input) => runner.input(input),
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      clearTimeout(timer);
      clearInterval(everySecond);
      await endpoint.closeAll();
      traffic();
      say({ ev: "process", state: "exited" });
      log.close();
    },
  };
}
