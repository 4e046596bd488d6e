/**
 * What only a laboratory knows, because it sees all parties, the network between them, the faults and the verdict: the remaining rows of the
 * metric catalogue (`catalogue.ts`).
 */

/** Of a run. `midcall_run_*` are told once, when it is over. */
export const LABORATORY_METRICS = {
  midcall_mouth_to_ear_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: { party: "party" },
    buckets: "delay",
    meaning: "From the peer's mouth to the party's ear, a value for each frame of the peer's voice that was played.",
  },
  midcall_fault_active: {
    type: "gauge",
    unit: null,
    labels: { fault: "fault" },
    meaning: "1 from a fault's application to its undoing; the label is its number in the scenario and its description.",
  },
  midcall_faults_applied_total: {
    type: "counter",
    unit: null,
    labels: { fault: "fault" },
    meaning: "Applications of a fault.",
  },
  midcall_fault_touched_packets_total: {
    type: "counter",
    unit: "packets",
    labels: { fault: "fault" },
    meaning: "Packets (of a signalling fault: messages) that a fault delayed, altered, repeated or held without dropping them.",
  },
  midcall_dropped_packets_total: {
    type: "counter",
    unit: "packets",
    labels: { link: "link", cause: "drop-cause" },
    meaning: "Packets that did not arrive, by where and why; known to a laboratory that sees inside its network.",
  },
  midcall_dropped_bytes_total: {
    type: "counter",
    unit: "bytes",
    labels: { link: "link", cause: "drop-cause" },
    meaning: "Octets of those packets.",
  },
  midcall_log_records_total: {
    type: "counter",
    unit: null,
    labels: { event: "event" },
    meaning: "Records of the event log.",
  },
  midcall_run_info: {
    type: "gauge",
    unit: null,
    labels: { scenario: "one", lab: "one", seed: "one", codec: "one", crypto: "one", commit: "one" },
    meaning: "1; its labels say what ran.",
  },
  midcall_run_verdict: {
    type: "gauge",
    unit: null,
    labels: { scenario: "one", lab: "one", verdict: "verdict" },
    meaning: "1 for the run's verdict, 0 for every other.",
  },
  midcall_run_oracle: {
    type: "gauge",
    unit: null,
    labels: { scenario: "one", oracle: "oracle", verdict: "oracle-verdict" },
    meaning: "1 for the verdict of each oracle.",
  },
  midcall_run_virtual_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { scenario: "one", lab: "one" },
    meaning: "Length of the run by its own clock.",
  },
  midcall_run_wall_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { scenario: "one", lab: "one" },
    meaning: "How long the run took.",
  },
  midcall_run_mos: {
    type: "gauge",
    unit: null,
    labels: { scenario: "one", party: "party" },
    meaning: "Estimated MOS of what the party heard (E-model, provisional).",
  },
  midcall_run_longest_gap_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { scenario: "one", party: "party" },
    meaning: "Longest stretch without the peer's voice.",
  },
  midcall_run_gaps: {
    type: "gauge",
    unit: null,
    labels: { scenario: "one", party: "party" },
    meaning: "Stretches without the peer's voice.",
  },
  midcall_run_concealment_ratio: {
    type: "gauge",
    unit: "ratio",
    labels: { scenario: "one", party: "party" },
    meaning: "Share of frames that were concealed or silent.",
  },
  midcall_run_mouth_to_ear_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { scenario: "one", party: "party", share: "share" },
    meaning: "Mouth-to-ear delay: the median, and what 95 of 100 frames stayed below.",
  },
  midcall_run_recovery_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { scenario: "one", party: "party", fault: "fault", from: "recovered-from" },
    meaning: "From a fault, and from its heal, to the peer's voice flowing again; absent when it never did.",
  },
  midcall_run_down_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { scenario: "one", party: "party" },
    meaning: "Time without a registration.",
  },
} as const;
