/** One run, or a call between real processes: how it sounded, and what network, buffer, call and reconnection did meanwhile. */
import { CHOSEN, type Dashboard, increase, latest, type Row, rate, series } from "./panel.ts";

const byParty = (expr: string): string => `sum by (run, party) (${expr})`;
const share = (part: string, whole: string): string => `${byParty(rate(part))} / ${byParty(rate(whole))}`;
const WHO = "{{party}}";

const glance: Row = {
  title: "At a glance",
  panels: [
    {
      title: "Verdict",
      description: "What the run came to; empty for processes that no laboratory judges.",
      kind: "number",
      unit: "none",
      width: 4,
      targets: [{ expr: `${latest(series("midcall_run_verdict"))} == 1`, legend: "{{verdict}}" }],
    },
    {
      title: "Estimated MOS",
      description: "E-model, provisional: good for comparing runs. 4 and more is a good call.",
      kind: "number",
      unit: "short",
      width: 4,
      targets: [{ expr: latest(series("midcall_run_mos", CHOSEN)), legend: WHO }],
    },
    {
      title: "Longest gap",
      description: "Longest stretch without the peer's voice.",
      kind: "number",
      unit: "s",
      width: 4,
      targets: [{ expr: latest(series("midcall_run_longest_gap_seconds", CHOSEN)), legend: WHO }],
    },
    {
      title: "Concealed or silent",
      description: "Share of all frames of the run.",
      kind: "number",
      unit: "percentunit",
      width: 4,
      targets: [{ expr: latest(series("midcall_run_concealment_ratio", CHOSEN)), legend: WHO }],
    },
    {
      title: "Heard again after the heal",
      description: "From the heal of a fault to the first of ten frames in a row; 0 when voice never stopped.",
      kind: "number",
      unit: "s",
      width: 4,
      targets: [{ expr: latest(series("midcall_run_recovery_seconds", `${CHOSEN},from="heal"`)), legend: `${WHO} {{fault}}` }],
    },
    {
      title: "Without registration",
      description: "Time a client knew itself cut off from its relay.",
      kind: "number",
      unit: "s",
      width: 4,
      targets: [{ expr: latest(series("midcall_run_down_seconds", CHOSEN)), legend: WHO }],
    },
    {
      title: "Faults",
      description: "What was done to the call, from application to undoing.",
      kind: "states",
      unit: "none",
      width: 24,
      targets: [{ expr: series("midcall_fault_active"), legend: "{{fault}}" }],
    },
  ],
};

const hearing: Row = {
  title: "What was heard",
  panels: [
    {
      title: "Continuity",
      description: "Share of frames that carried the peer's voice, decoded or recovered. A good call stays at 100 %.",
      kind: "lines",
      unit: "percentunit",
      width: 12,
      targets: [
        {
          expr: share(
            series("midcall_client_played_frames_total", `${CHOSEN},kind=~"source|recovered"`),
            series("midcall_client_played_frames_total", CHOSEN),
          ),
          legend: WHO,
        },
      ],
    },
    {
      title: "Frames at the loudspeaker",
      description: "By what they were: 50 a second and party.",
      kind: "bars",
      unit: "short",
      width: 12,
      targets: [
        {
          expr: `sum by (run, party, kind) (${rate(series("midcall_client_played_frames_total", CHOSEN))})`,
          legend: `${WHO} {{kind}}`,
        },
      ],
    },
    {
      title: "Concealment",
      description: "Share of samples that were made up (W3C concealedSamples / totalSamplesReceived).",
      kind: "lines",
      unit: "percentunit",
      width: 8,
      targets: [
        {
          expr: share(
            series("midcall_client_concealed_samples_total", CHOSEN),
            series("midcall_client_received_samples_total", CHOSEN),
          ),
          legend: WHO,
        },
      ],
    },
    {
      title: "Silence instead of voice",
      description: "Share of samples made up as silence: concealment that had given up.",
      kind: "lines",
      unit: "percentunit",
      width: 8,
      targets: [
        {
          expr: share(
            series("midcall_client_silent_concealed_samples_total", CHOSEN),
            series("midcall_client_received_samples_total", CHOSEN),
          ),
          legend: WHO,
        },
      ],
    },
    {
      title: "Gaps that ended",
      description: "Time without the peer's voice, told when a gap is over.",
      kind: "bars",
      unit: "s",
      width: 8,
      targets: [{ expr: byParty(increase(series("midcall_client_gap_seconds", CHOSEN, "_sum"))), legend: WHO }],
    },
    {
      title: "Gap lengths",
      description: "How many gaps of which length ended.",
      kind: "heat",
      unit: "s",
      width: 8,
      targets: [{ expr: `sum by (le) (${increase(series("midcall_client_gap_seconds", CHOSEN, "_bucket"))})`, legend: "{{le}}" }],
    },
    {
      title: "Interruptions",
      description: "Concealments of 150 ms and longer, which a listener takes for a break.",
      kind: "bars",
      unit: "short",
      width: 8,
      targets: [{ expr: byParty(increase(series("midcall_client_interruptions_total", CHOSEN))), legend: WHO }],
    },
    {
      title: "Concealment events",
      description: "How often concealment began.",
      kind: "bars",
      unit: "short",
      width: 8,
      targets: [{ expr: byParty(increase(series("midcall_client_concealment_events_total", CHOSEN))), legend: WHO }],
    },
    {
      title: "Mouth to ear",
      description:
        "Median and what 95 of 100 frames stay below. Beyond 0.15 s people begin to notice, beyond 0.4 s they talk over each other (ITU-T G.114).",
      kind: "lines",
      unit: "s",
      width: 12,
      targets: ["0.5", "0.95"].map((quantile) => ({
        expr: `histogram_quantile(${quantile}, sum by (run, party, le) (${rate(series("midcall_mouth_to_ear_seconds", CHOSEN, "_bucket"))}))`,
        legend: `${WHO} ${quantile}`,
      })),
    },
    {
      title: "Voice sent and opened",
      description: "Frames a second: what one party sends the other should open.",
      kind: "lines",
      unit: "short",
      width: 12,
      targets: [
        { expr: byParty(rate(series("midcall_client_sent_frames_total", CHOSEN))), legend: `${WHO} sent` },
        { expr: byParty(rate(series("midcall_client_received_frames_total", CHOSEN))), legend: `${WHO} opened` },
      ],
    },
  ],
};

const buffer: Row = {
  title: "Jitter buffer",
  panels: [
    {
      title: "Delay and target",
      description: "What the buffer added, and what it aimed at.",
      kind: "lines",
      unit: "s",
      width: 12,
      targets: [
        {
          expr: share(
            series("midcall_client_jitter_buffer_delay_seconds_total", CHOSEN),
            series("midcall_client_jitter_buffer_emitted_samples_total", CHOSEN),
          ),
          legend: `${WHO} delay`,
        },
        {
          expr: share(
            series("midcall_client_jitter_buffer_target_delay_seconds_total", CHOSEN),
            series("midcall_client_jitter_buffer_emitted_samples_total", CHOSEN),
          ),
          legend: `${WHO} target`,
        },
      ],
    },
    {
      title: "Interarrival jitter",
      description: "RFC 3550: how unevenly packets come.",
      kind: "lines",
      unit: "s",
      width: 12,
      targets: [{ expr: series("midcall_client_jitter_seconds", CHOSEN), legend: WHO }],
    },
    {
      title: "Time stretching",
      description: "Share of samples inserted to play more slowly, and removed to play faster.",
      kind: "lines",
      unit: "percentunit",
      width: 12,
      targets: (["inserted", "removed"] as const).map((word) => ({
        expr: share(
          series(`midcall_client_${word}_samples_total`, CHOSEN),
          series("midcall_client_received_samples_total", CHOSEN),
        ),
        legend: `${WHO} ${word}`,
      })),
    },
    {
      title: "Packets too late to play",
      description: "Discarded by the buffer; many of them say that its target was too low.",
      kind: "bars",
      unit: "short",
      width: 12,
      targets: [{ expr: byParty(increase(series("midcall_client_discarded_packets_total", CHOSEN))), legend: WHO }],
    },
  ],
};

const network: Row = {
  title: "Network",
  panels: [
    {
      title: "Media packets lost",
      description: "Share of media packets that did not come (W3C packetsLost).",
      kind: "lines",
      unit: "percentunit",
      width: 8,
      targets: [
        {
          expr: `${byParty(rate(series("midcall_client_lost_packets_total", CHOSEN)))} / (${byParty(rate(series("midcall_client_lost_packets_total", CHOSEN)))} + ${byParty(rate(series("midcall_client_received_packets_total", CHOSEN)))})`,
          legend: WHO,
        },
      ],
    },
    {
      title: "Drops by cause",
      description: "Packets a second that the laboratory saw vanish, and why.",
      kind: "bars",
      unit: "pps",
      width: 8,
      targets: [{ expr: `sum by (run, cause) (${rate(series("midcall_dropped_packets_total"))})`, legend: "{{cause}}" }],
    },
    {
      title: "Drops by place",
      description: "The same by link, NAT or process.",
      kind: "bars",
      unit: "pps",
      width: 8,
      targets: [{ expr: `sum by (run, link) (${rate(series("midcall_dropped_packets_total"))})`, legend: "{{link}}" }],
    },
    {
      title: "Round trip",
      description:
        "Of each session, to the relay and straight to the peer, as its transport has it; and from party to party by the reports of calls that adapt.",
      kind: "lines",
      unit: "s",
      width: 8,
      targets: [
        { expr: series("midcall_client_session_rtt_seconds", CHOSEN), legend: `${WHO} {{path}}` },
        { expr: series("midcall_client_round_trip_seconds", CHOSEN), legend: `${WHO} end to end` },
      ],
    },
    {
      title: "Traffic",
      description: "UDP with its headers; voice alone is about 50 kbit/s each way.",
      kind: "lines",
      unit: "bps",
      width: 8,
      targets: [
        {
          expr: `8 * sum by (run, party, direction) (${rate(series("midcall_udp_bytes_total", CHOSEN))})`,
          legend: `${WHO} {{direction}}`,
        },
      ],
    },
    {
      title: "Packets",
      description: "UDP packets a second, and those the system refused to send.",
      kind: "lines",
      unit: "pps",
      width: 8,
      targets: [
        {
          expr: `sum by (run, party, direction) (${rate(series("midcall_udp_packets_total", CHOSEN))})`,
          legend: `${WHO} {{direction}}`,
        },
        {
          expr: `sum by (run, party, error) (${rate(series("midcall_udp_unsent_packets_total", CHOSEN))})`,
          legend: `${WHO} {{error}}`,
        },
      ],
    },
  ],
};

const signalling: Row = {
  title: "Call and registration",
  panels: [
    {
      title: "Registration",
      description: "Where each client stands with its relay.",
      kind: "states",
      unit: "none",
      width: 12,
      targets: [{ expr: `${series("midcall_client_registration_state", CHOSEN)} == 1`, legend: `${WHO} {{state}}` }],
    },
    {
      title: "Call",
      description: "State of each client's newest call.",
      kind: "states",
      unit: "none",
      width: 12,
      targets: [{ expr: `${series("midcall_client_call_state", CHOSEN)} == 1`, legend: `${WHO} {{state}}` }],
    },
    {
      title: "Path",
      description: "The way each party sends its media.",
      kind: "states",
      unit: "none",
      width: 12,
      targets: [{ expr: `${series("midcall_client_media_path", CHOSEN)} == 1`, legend: `${WHO} {{path}} ({{candidate}})` }],
    },
    {
      title: "Processes",
      description: "0 while killed, paused or gone.",
      kind: "states",
      unit: "none",
      width: 12,
      targets: [{ expr: series("midcall_process_up"), legend: WHO }],
    },
    {
      title: "Candidate generations",
      description: "Newest generation sent, delivered, applied and refused. Applied follows sent and never falls.",
      kind: "lines",
      unit: "short",
      width: 12,
      targets: [{ expr: series("midcall_client_generation", CHOSEN), legend: `${WHO} {{action}}` }],
    },
    {
      title: "Reconnects and attempts",
      description: "Registrations attempted and regained.",
      kind: "bars",
      unit: "short",
      width: 12,
      targets: [
        { expr: byParty(increase(series("midcall_client_registration_attempts_total", CHOSEN))), legend: `${WHO} attempts` },
        { expr: byParty(increase(series("midcall_client_reconnects_total", CHOSEN))), legend: `${WHO} regained` },
      ],
    },
    {
      title: "Outages that ended",
      description: "From noticing a lost registration to having one again.",
      kind: "bars",
      unit: "s",
      width: 8,
      targets: [{ expr: byParty(increase(series("midcall_client_outage_seconds", CHOSEN, "_sum"))), legend: WHO }],
    },
    {
      title: "Reconnect supervisors",
      description: "0 or 1; more is a bug.",
      kind: "lines",
      unit: "short",
      width: 8,
      targets: [{ expr: series("midcall_client_supervisors", CHOSEN), legend: WHO }],
    },
    {
      title: "Call set-up",
      description: "From offering or ringing to the call being active, told when it is.",
      kind: "bars",
      unit: "s",
      width: 8,
      targets: [{ expr: byParty(increase(series("midcall_client_call_setup_seconds", CHOSEN, "_sum"))), legend: WHO }],
    },
    {
      title: "Signalling",
      description: "Messages by type and direction.",
      kind: "bars",
      unit: "short",
      width: 12,
      targets: [
        {
          expr: `sum by (run, party, direction, type) (${increase(series("midcall_signal_messages_total", CHOSEN))})`,
          legend: `${WHO} {{direction}} {{type}}`,
        },
      ],
    },
    {
      title: "Refused at the trust boundary",
      description: "Inputs a party would not act upon.",
      kind: "bars",
      unit: "short",
      width: 12,
      targets: [
        {
          expr: `sum by (run, party, reason) (${increase(series("midcall_refused_total", CHOSEN))})`,
          legend: `${WHO} {{reason}}`,
        },
      ],
    },
  ],
};

/** The call quality dashboard. */
export const CALL_QUALITY: Dashboard = {
  uid: "midcall-call",
  title: "midcall: call quality",
  description: "How a call sounded and why, from a run's metrics.om or from processes that are scraped.",
  variables: [
    { name: "run", metric: "midcall_process_up", label: "run", choice: "one" },
    { name: "party", metric: "midcall_client_registration_state", label: "party", choice: "many" },
  ],
  rows: [glance, hearing, buffer, network, signalling],
};
