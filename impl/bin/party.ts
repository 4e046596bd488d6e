/** A real process around a core machine: one UDP socket, one clock, one log, and the loop that feeds the machine. */
import { type Address, parseAddress } from "../base/address.ts";
import { SOCKET_REFUSALS } from "../base/metric/readings.ts";
import type { Saying } from "../base/record.ts";
import { Instant } from "../base/units.ts";
import { type Machine, type Ports, type Runner, run, sayNetwork, type WorldInput } from "../core/effect.ts";
import { DEFAULT_SESSION, type Endpoint, type EndpointListener } from "../core/session.ts";
import { sessionStatistics } from "../core/session-statistics.ts";
import type { Certificate } from "../io/certificate.ts";
import { openEventLog } from "../io/event-log.ts";
import { watchHostNetwork } from "../io/host-network.ts";
import { askByHttp } from "../io/http-request.ts";
import type { IoError } from "../io/io-error.ts";
import { logQuota } from "../io/log-quota.ts";
import type { MetricsPort, MetricsPortOptions } from "../io/metrics-port.ts";
import { monotonicClock } from "../io/monotonic-clock.ts";
import { type EndpointOptions, openEndpoint, type QuicEndpoint } from "../io/quic-endpoint.ts";
import { reclaimer } from "../io/reclaim.ts";
import { watchStalls } from "../io/stall-watch.ts";

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
  /** The machine is done: to be closed. */
  readonly onFinished?: () => void;
  /** Where Prometheus scrapes the party; undefined: nowhere. */
  readonly metrics?: Omit<MetricsPortOptions, "labels">;
  /** The machine is told of the host's network and its changes. */
  readonly watchesNetwork?: boolean;
  /** Logs how each session is doing, once a second. */
  readonly tellsSessions?: boolean;
  /** A layer between machine and endpoint, in both directions. */
  readonly layer?: Layer;
  /** Told once when the log can no longer be written; the party goes on without it. */
  readonly onTrouble: (error: IoError) => void;
};

/** What may stand between a machine and its endpoint, like `SignallingFilter` of impl/core. */
export type Layer = { outgoing(endpoint: Endpoint): Endpoint; incoming(listener: EndpointListener): EndpointListener };

export type Party<Input> = {
  readonly local: Address;
  /** Of the metrics port, when there is one. */
  readonly metrics: Address | undefined;
  readonly now: () => Instant;
  input(input: Input): void;
  say(saying: Saying): void;
  /** Closes the socket and the log; the machine gets nothing more. */
  close(): Promise<void>;
};

export async function openParty<Input>(options: PartyOptions<Input>): Promise<Party<Input>> {
  const clock = monotonicClock(options.epoch);
  const log = openEventLog(options.log, options.who, clock.now, options.onTrouble);
  const quota = logQuota(clock.now);
  // prom-client is loaded by parties that are scraped, and by no other.
  const metrics =
    options.metrics === undefined ? undefined : await openMetrics({ ...options.metrics, labels: { party: options.who } });
  let timer: NodeJS.Timeout | undefined;
  let isOpen = true;
  const say = (saying: Saying): void => {
    if (quota.allows(saying)) log.say(saying);
    const at = clock.now();
    metrics?.read({ t: at, who: options.who, ...saying });
    options.onSaying?.(saying, at);
  };
  const runner: Runner<Input> = run(options.machine, (): Ports => ports);
  const schedule = (at: Instant | undefined): void => {
    clearTimeout(timer);
    if (at === undefined || !isOpen) return;
    timer = setTimeout(() => runner.input({ type: "wake" }), Math.min(Instant.between(clock.now(), at) / 1_000, 2 ** 31 - 1));
  };
  const memory = reclaimer();
  const listener = options.layer?.incoming(runner.listener) ?? runner.listener;
  let [stunSent, stunReceived] = [0, 0];
  const endpoint = await opened(metrics, {
    host: options.host,
    port: options.port,
    config: DEFAULT_SESSION,
    listener: {
      ...listener,
      packet: (from, bytes) => {
        stunReceived++;
        listener.packet(from, bytes);
      },
    },
    now: clock.now,
    afterFlood: memory.afterFlood,
    dropped: memory.dropped,
    ...(options.certificate === undefined ? {} : { certificate: options.certificate }),
  });
  const outgoing = options.layer?.outgoing(endpoint) ?? endpoint;
  const ports: Ports = {
    now: clock.now,
    endpoint: {
      ...outgoing,
      sendPacket: (to, bytes) => {
        stunSent++;
        outgoing.sendPacket(to, bytes);
      },
    },
    say,
    play: (pcm) => options.play?.(pcm),
    http: askByHttp,
    finish: () => options.onFinished?.(),
    schedule,
  };
  let refused = 0;
  let [retried, evicted] = [0, 0];
  const statistics = sessionStatistics();
  const unsent = new Map<string, number>();
  const traffic = (): void => {
    const {
      sentPackets,
      sentBytes,
      sentHeaderBytes,
      receivedPackets,
      receivedBytes,
      receivedHeaderBytes,
      droppedUnknown,
      ...counted
    } = endpoint.counters();
    say({
      ev: "network",
      sentPackets,
      sentBytes: sentBytes + sentHeaderBytes,
      receivedPackets,
      receivedBytes: receivedBytes + receivedHeaderBytes,
      stunSent,
      stunReceived,
    });
    if (options.tellsSessions === true) for (const saying of statistics(endpoint.paths())) say(saying);
    if (droppedUnknown > refused) say({ ev: "refused", reason: "malformed", what: SOCKET_REFUSALS.stray, count: droppedUnknown });
    if (counted.retries > retried)
      say({
        ev: "refused",
        reason: "limit",
        what: SOCKET_REFUSALS.unproved,
        count: counted.retries,
      });
    if (counted.evicted > evicted) say({ ev: "refused", reason: "limit", what: SOCKET_REFUSALS.givenUp, count: counted.evicted });
    refused = droppedUnknown;
    ({ retries: retried, evicted } = counted);
    for (const [error, errors] of counted.sendErrors) {
      if (errors > (unsent.get(error) ?? 0)) say({ ev: "unsent", error, count: errors });
      unsent.set(error, errors);
    }
    for (const text of quota.leftOut()) log.say({ ev: "note", text });
  };
  say({ ev: "process", state: "started" });
  const port = parseAddress(endpoint.local)?.port ?? options.port;
  const watch =
    options.watchesNetwork === true
      ? watchHostNetwork({
          told: (interfaces, gateway) => {
            if (!isOpen) return;
            const network = { port, interfaces, ...(gateway === undefined ? {} : { gateway }) };
            say(sayNetwork(network));
            runner.input({ type: "network", network });
          },
          stirs: () => isOpen && runner.input({ type: "network-stirs" }),
          note: (text) => say({ ev: "note", text }),
        })
      : undefined;
  const everySecond = setInterval(traffic, 1_000);
  const ignoreStalls = watchStalls(say);
  return {
    local: endpoint.local,
    metrics: metrics?.local,
    now: clock.now,
    say,
    input: (input) => runner.input(input),
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      clearTimeout(timer);
      clearInterval(everySecond);
      ignoreStalls();
      watch?.close();
      memory.close();
      await endpoint.closeAll();
      traffic();
      say({ ev: "process", state: "exited" });
      log.close();
      await metrics?.close();
    },
  };
}

const openMetrics = async (options: MetricsPortOptions): Promise<MetricsPort> =>
  (await import("../io/metrics-port.ts")).openMetricsPort(options);

/** The endpoint; where it cannot be had, the metrics port is given back. */
async function opened(metrics: MetricsPort | undefined, options: EndpointOptions): Promise<QuicEndpoint> {
  try {
    return await openEndpoint(options);
  } catch (error) {
    await metrics?.close();
    throw error;
  }
}
