/** A relay: who is registered, which calls it carries, what it refuses, and how its process fares. */
import { type Dashboard, increase, type Row, rate, series } from "./panel.ts";

/** Series that prom-client adds for a process that is scraped; a run's metrics.om has none. */
const ofProcess = (name: string): string => `${name}{run=~"$run",party=~"$party"}`;
/** The relays chosen. */
const RELAY = 'party=~"$party"';
const WHO = "{{party}}";

const service: Row = {
  title: "Service",
  panels: [
    {
      title: "Registered clients",
      description: "Sessions whose client is registered with this relay.",
      kind: "lines",
      unit: "short",
      width: 8,
      targets: [{ expr: series("midcall_relay_registrations", RELAY), legend: WHO }],
    },
    {
      title: "Calls",
      description: "Calls that have a session here.",
      kind: "lines",
      unit: "short",
      width: 8,
      targets: [{ expr: series("midcall_relay_calls", RELAY), legend: WHO }],
    },
    {
      title: "Sessions",
      description: "QUIC sessions that are connected.",
      kind: "lines",
      unit: "short",
      width: 8,
      targets: [{ expr: series("midcall_sessions", RELAY), legend: WHO }],
    },
    {
      title: "Calls set up or resumed",
      description: "After a restart every call that comes back counts again: the relay keeps nothing.",
      kind: "bars",
      unit: "short",
      width: 8,
      targets: [{ expr: increase(series("midcall_relay_calls_total", RELAY)), legend: WHO }],
    },
    {
      title: "Session events",
      description: "States that sessions entered.",
      kind: "bars",
      unit: "short",
      width: 8,
      targets: [{ expr: increase(series("midcall_session_events_total", RELAY)), legend: `${WHO} {{state}}` }],
    },
    {
      title: "Sessions closed",
      description: "By reason: resets and time-outs are clients that lost their network or their process.",
      kind: "bars",
      unit: "short",
      width: 8,
      targets: [{ expr: increase(series("midcall_sessions_closed_total", RELAY)), legend: `${WHO} {{reason}}` }],
    },
  ],
};

const traffic: Row = {
  title: "Traffic",
  panels: [
    {
      title: "Packets",
      description: "UDP packets a second, and those the system refused to send; a call is about 100 each way.",
      kind: "lines",
      unit: "pps",
      width: 8,
      targets: [
        { expr: rate(series("midcall_udp_packets_total", RELAY)), legend: `${WHO} {{direction}}` },
        { expr: rate(series("midcall_udp_unsent_packets_total", RELAY)), legend: `${WHO} {{error}}` },
      ],
    },
    {
      title: "Bandwidth",
      description: "UDP with its headers.",
      kind: "lines",
      unit: "bps",
      width: 8,
      targets: [{ expr: `8 * ${rate(series("midcall_udp_bytes_total", RELAY))}`, legend: `${WHO} {{direction}}` }],
    },
    {
      title: "Signalling",
      description: "Messages by type and direction.",
      kind: "bars",
      unit: "short",
      width: 8,
      targets: [{ expr: increase(series("midcall_signal_messages_total", RELAY)), legend: `${WHO} {{direction}} {{type}}` }],
    },
    {
      title: "Refused at the trust boundary",
      description: "By reason: malformed and forged inputs are attacks or bugs, replayed ones may be a network's doing.",
      kind: "bars",
      unit: "short",
      width: 8,
      targets: [{ expr: increase(series("midcall_refused_total", RELAY)), legend: `${WHO} {{reason}}` }],
    },
    {
      title: "Media for nobody",
      description:
        "Voice packets whose call has no other party here: one that is away, after a restart say, until it resumes the call.",
      kind: "bars",
      unit: "short",
      width: 8,
      targets: [{ expr: increase(series("midcall_relay_undelivered_packets_total", RELAY)), legend: `${WHO} {{reason}}` }],
    },
    {
      title: "Handshake round trip",
      description: "Of the newest session.",
      kind: "lines",
      unit: "s",
      width: 8,
      targets: [{ expr: series("midcall_session_rtt_seconds", RELAY), legend: WHO }],
    },
    {
      title: "Still held",
      description: "What it held when last asked or stopped; anything but 0 at the end is a leak.",
      kind: "lines",
      unit: "short",
      width: 8,
      targets: [{ expr: series("midcall_held", RELAY), legend: `${WHO} {{thing}}` }],
    },
  ],
};

const life: Row = {
  title: "Process",
  panels: [
    {
      title: "Up",
      description: "0 while killed, paused or gone.",
      kind: "states",
      unit: "none",
      width: 8,
      targets: [{ expr: series("midcall_process_up", RELAY), legend: WHO }],
    },
    {
      title: "Starts",
      description: "Starts of the process.",
      kind: "bars",
      unit: "short",
      width: 8,
      targets: [{ expr: increase(series("midcall_process_starts_total", RELAY)), legend: WHO }],
    },
    {
      title: "Draining",
      description: "1 while a relay asks its clients to go elsewhere, before it stops.",
      kind: "states",
      unit: "none",
      width: 8,
      targets: [{ expr: series("midcall_relay_draining", RELAY), legend: WHO }],
    },
    {
      title: "Processor",
      description: "Share of one processor; only of a process that is scraped.",
      kind: "lines",
      unit: "percentunit",
      width: 8,
      targets: [{ expr: rate(ofProcess("process_cpu_seconds_total")), legend: WHO }],
    },
    {
      title: "Event loop lag",
      description: "How late timers fire, 99 of 100 at most; only of a process that is scraped. Beyond 0.02 s media wait for it.",
      kind: "lines",
      unit: "s",
      width: 8,
      targets: [{ expr: ofProcess("nodejs_eventloop_lag_p99_seconds"), legend: WHO }],
    },
    {
      title: "Memory",
      description: "Resident; only of a process that is scraped.",
      kind: "lines",
      unit: "bytes",
      width: 8,
      targets: [{ expr: ofProcess("process_resident_memory_bytes"), legend: WHO }],
    },
  ],
};

/** The relay dashboard. */
export const RELAY_DASHBOARD: Dashboard = {
  uid: "midcall-relay",
  title: "midcall: relay",
  description: "What a relay serves, carries and refuses.",
  variables: [
    { name: "run", metric: "midcall_relay_registrations", label: "run", choice: "one" },
    { name: "party", metric: "midcall_relay_registrations", label: "party", choice: "many" },
  ],
  rows: [service, traffic, life],
};
