/** Relays that federate: the links between them, the way each measures to the others by its probes, and what crosses them. */
import { type Dashboard, increase, type Row, rate, series } from "./panel.ts";

const RELAY = 'party=~"$party"';
const LINK = "{{party}} → {{peer}}";

const links: Row = {
  title: "Links",
  panels: [
    {
      title: "Link up",
      description:
        "1 while a relay has a session with another one. Each direction is told by the relay at its beginning; both must say the same.",
      kind: "states",
      unit: "none",
      width: 8,
      targets: [{ expr: series("midcall_relay_link_up", RELAY), legend: LINK }],
    },
    {
      title: "Link events",
      description:
        "States that links entered. One that keeps connecting is a relay that is down, or one that does not know this one.",
      kind: "bars",
      unit: "short",
      width: 8,
      targets: [{ expr: increase(series("midcall_relay_link_events_total", RELAY)), legend: `${LINK} {{state}}` }],
    },
    {
      title: "Links down",
      description: "How many of a relay's links are down at the moment; 0 is well.",
      kind: "lines",
      unit: "short",
      width: 8,
      targets: [
        {
          expr: `count by (party) (${series("midcall_relay_link_up", RELAY)}) - sum by (party) (${series("midcall_relay_link_up", RELAY)})`,
          legend: "{{party}}",
        },
      ],
    },
  ],
};

const probes: Row = {
  title: "Probes between relays",
  panels: [
    {
      title: "Round trip",
      description:
        "Smoothed, by STUN, whether the link is up or not. Media that cross the link take half of it on top of their own way.",
      kind: "lines",
      unit: "s",
      width: 8,
      targets: [{ expr: series("midcall_relay_link_rtt_seconds", RELAY), legend: LINK }],
    },
    {
      title: "Jitter of the round trip",
      description: "What the jitter buffers of calls across the link have to bridge.",
      kind: "lines",
      unit: "s",
      width: 8,
      targets: [{ expr: series("midcall_relay_link_jitter_seconds", RELAY), legend: LINK }],
    },
    {
      title: "Probes lost",
      description: "Share without an answer within a second: the network between relays loses packets, or the other one is down.",
      kind: "lines",
      unit: "percentunit",
      width: 8,
      targets: [
        {
          expr: `${increase(series("midcall_relay_link_probes_lost_total", RELAY))} / (${increase(series("midcall_relay_link_probes_total", RELAY))} > 0)`,
          legend: LINK,
        },
      ],
    },
    {
      title: "Probes",
      description: "Questions asked a second; two are right, and none means a relay that does not run.",
      kind: "lines",
      unit: "short",
      width: 8,
      targets: [{ expr: rate(series("midcall_relay_link_probes_total", RELAY)), legend: LINK }],
    },
    {
      title: "Worst links",
      description: "The slowest now, of all relays.",
      kind: "table",
      unit: "s",
      width: 8,
      targets: [{ expr: `topk(10, last_over_time(${series("midcall_relay_link_rtt_seconds")}[$__range]))`, legend: "" }],
    },
  ],
};

/** Messages by which relays do each other's work. */
const FEDERATED = 'type=~"Federat.*"';

const work: Row = {
  title: "What crosses",
  panels: [
    {
      title: "Messages between relays",
      description: "Hellos, announced users, opened channels and forwarded signalling, by type.",
      kind: "bars",
      unit: "short",
      width: 8,
      targets: [
        {
          expr: increase(series("midcall_signal_messages_total", `${RELAY},${FEDERATED}`)),
          legend: "{{party}} {{direction}} {{type}}",
        },
      ],
    },
    {
      title: "Packets of each relay",
      description: "A call across two relays is carried by both: about 100 packets a second each way at either.",
      kind: "lines",
      unit: "pps",
      width: 8,
      targets: [{ expr: rate(series("midcall_udp_packets_total", RELAY)), legend: "{{party}} {{direction}}" }],
    },
    {
      title: "Calls at each relay",
      description: "A call across two relays counts at both.",
      kind: "lines",
      unit: "short",
      width: 8,
      targets: [{ expr: series("midcall_relay_calls", RELAY), legend: "{{party}}" }],
    },
  ],
};

/** The dashboard of relays that federate. */
export const FEDERATION: Dashboard = {
  uid: "midcall-federation",
  title: "midcall: federation and probes",
  description: "Links between relays, the way between them, and what crosses it.",
  variables: [
    { name: "run", metric: "midcall_relay_link_up", label: "run", choice: "one" },
    { name: "party", metric: "midcall_relay_link_up", label: "party", choice: "many" },
  ],
  rows: [links, probes, work],
};
