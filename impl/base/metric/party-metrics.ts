/**
 * What a relay or a client shows of itself: the rows of the metric catalogue (`catalogue.ts`) whose values one process knows.
 */

/** Of every party. */
export const PROCESS_METRICS = {
  midcall_process_up: {
    type: "gauge",
    unit: null,
    labels: { party: "party" },
    meaning: "1 while the party's process runs; 0 while it is killed, paused or has exited.",
  },
  midcall_process_starts_total: {
    type: "counter",
    unit: null,
    labels: { party: "party" },
    meaning: "Starts of the party's process.",
  },
  midcall_udp_packets_total: {
    type: "counter",
    unit: "packets",
    labels: { party: "party", direction: "direction" },
    meaning: "UDP packets of the party.",
  },
  midcall_udp_bytes_total: {
    type: "counter",
    unit: "bytes",
    labels: { party: "party", direction: "direction" },
    meaning: "Octets of those packets, IP and UDP headers included.",
  },
  midcall_udp_unsent_packets_total: {
    type: "counter",
    unit: "packets",
    labels: { party: "party", error: "send-error" },
    meaning: "UDP packets that the party's system refused to send: a full queue, a firewall or a missing route of its own host.",
  },
  midcall_sessions: {
    type: "gauge",
    unit: null,
    labels: { party: "party" },
    meaning: "QUIC sessions that are connected.",
  },
  midcall_session_events_total: {
    type: "counter",
    unit: null,
    labels: { party: "party", state: "session-state" },
    meaning: "States that QUIC sessions of the party have entered.",
  },
  midcall_sessions_closed_total: {
    type: "counter",
    unit: null,
    labels: { party: "party", reason: "close-reason" },
    meaning: "QUIC sessions closed, by reason.",
  },
  midcall_session_rtt_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { party: "party" },
    meaning: "Round trip of the newest session, measured in its handshake.",
  },
  midcall_signal_messages_total: {
    type: "counter",
    unit: null,
    labels: { party: "party", direction: "direction", type: "signal" },
    meaning: "Signalling messages.",
  },
  midcall_refused_total: {
    type: "counter",
    unit: null,
    labels: { party: "party", reason: "refusal" },
    meaning: "Inputs refused at the trust boundary.",
  },
  midcall_held: {
    type: "gauge",
    unit: null,
    labels: { party: "party", thing: "held-thing" },
    meaning: "What the party still held when it was asked or had stopped; anything but 0 at the end is a leak.",
  },
} as const;

/** Of a relay. */
export const RELAY_METRICS = {
  midcall_relay_registrations: {
    type: "gauge",
    unit: null,
    labels: { party: "party" },
    meaning: "Sessions whose client is registered with this relay.",
  },
  midcall_relay_calls: {
    type: "gauge",
    unit: null,
    labels: { party: "party" },
    meaning: "Calls set up or resumed at this relay and not hung up.",
  },
  midcall_relay_calls_total: {
    type: "counter",
    unit: null,
    labels: { party: "party" },
    meaning: "Calls set up or resumed at this relay.",
  },
  midcall_relay_undelivered_packets_total: {
    type: "counter",
    unit: "packets",
    labels: { party: "party", reason: "undelivered" },
    meaning:
      "Media packets that the relay had nobody to pass on to; `absent`: the call's other party is away. Told at powers of two, and in full when there is somebody again.",
  },
  midcall_relay_draining: {
    type: "gauge",
    unit: null,
    labels: { party: "party" },
    meaning: "1 while the relay asks its clients to go elsewhere, before it stops.",
  },
  midcall_relay_link_up: {
    type: "gauge",
    unit: null,
    labels: { party: "party", peer: "party" },
    meaning: "1 while the link with the other relay `peer` is up, 0 also while it is in doubt and dialled anew.",
  },
  midcall_relay_link_events_total: {
    type: "counter",
    unit: null,
    labels: { party: "party", peer: "party", state: "link-state" },
    meaning: "States that the link with that relay has entered; each attempt to connect counts.",
  },
  midcall_relay_link_rtt_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { party: "party", peer: "party" },
    meaning:
      "Round trip to that relay by STUN, smoothed (RFC 6298), as of the newest answer; told every five seconds, whether the link is up or not.",
  },
  midcall_relay_link_jitter_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { party: "party", peer: "party" },
    meaning: "Jitter of those round trips (RFC 3550 section 6.4.1).",
  },
  midcall_relay_link_probes_total: {
    type: "counter",
    unit: null,
    labels: { party: "party", peer: "party" },
    meaning: "Questions asked of that relay, two a second.",
  },
  midcall_relay_link_probes_lost_total: {
    type: "counter",
    unit: null,
    labels: { party: "party", peer: "party" },
    meaning: "Those without an answer within a second.",
  },
} as const;

/** Of a client. Those with a W3C name are webrtc-stats inbound-rtp counters. */
export const CLIENT_METRICS = {
  midcall_client_session_rtt_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { party: "party", path: "path" },
    meaning:
      "Round trip of the newest session with a relay and of the newest with a peer, smoothed by the transport, each second that it carries packets (W3C currentRoundTripTime).",
  },
  midcall_client_round_trip_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { party: "party" },
    meaning:
      "From party to party and back, by the newest report about the call's media (W3C roundTripTime of remote-inbound-rtp); of calls that adapt.",
  },
  midcall_client_registration_state: {
    type: "gauge",
    unit: null,
    labels: { party: "party", state: "registration-state" },
    meaning: "1 for the state the client's registration is in, 0 for every other.",
  },
  midcall_client_registration_attempts_total: {
    type: "counter",
    unit: null,
    labels: { party: "party" },
    meaning: "Registrations attempted, the first included.",
  },
  midcall_client_reconnects_total: {
    type: "counter",
    unit: null,
    labels: { party: "party" },
    meaning: "Registrations regained after one was lost.",
  },
  midcall_client_reconnect_delay_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { party: "party" },
    meaning: "Wait before the newest attempt to reconnect.",
  },
  midcall_client_supervisors: {
    type: "gauge",
    unit: null,
    labels: { party: "party" },
    meaning: "Live reconnect supervisors: 0 or 1, more is a bug.",
  },
  midcall_client_outage_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: { party: "party" },
    buckets: "wait",
    meaning: "From noticing that a registration is lost to having one again.",
  },
  midcall_client_call_state: {
    type: "gauge",
    unit: null,
    labels: { party: "party", state: "call-state" },
    meaning: "1 for the state the client's newest call is in, 0 for every other.",
  },
  midcall_client_call_events_total: {
    type: "counter",
    unit: null,
    labels: { party: "party", state: "call-state" },
    meaning: "States that calls of the client have entered.",
  },
  midcall_client_call_setup_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: { party: "party" },
    buckets: "wait",
    meaning: "From offering or ringing to the call being active, the user's hesitation included.",
  },
  midcall_client_media_path: {
    type: "gauge",
    unit: null,
    labels: { party: "party", path: "path", candidate: "candidate" },
    meaning: "1 for the path media is sent on, 0 for every other it has been sent on.",
  },
  midcall_client_path_changes_total: {
    type: "counter",
    unit: null,
    labels: { party: "party" },
    meaning: "Changes of the path media is sent on; the first path of a call is none.",
  },
  midcall_client_generation: {
    type: "gauge",
    unit: null,
    labels: { party: "party", action: "generation-action" },
    meaning: "Newest candidate generation of the call that was sent, delivered, applied or refused.",
  },
  midcall_client_generations_total: {
    type: "counter",
    unit: null,
    labels: { party: "party", action: "generation-action" },
    meaning: "Candidate updates sent, delivered, applied and refused.",
  },
  midcall_client_sent_frames_total: {
    type: "counter",
    unit: "frames",
    labels: { party: "party" },
    meaning: "Audio frames sealed and sent.",
  },
  midcall_client_received_frames_total: {
    type: "counter",
    unit: "frames",
    labels: { party: "party" },
    meaning: "Audio frames opened: authentic and not replayed.",
  },
  midcall_client_played_frames_total: {
    type: "counter",
    unit: "frames",
    labels: { party: "party", kind: "frame-kind" },
    meaning: "Frames of 20 ms given to the loudspeaker; source and recovered ones carry the peer's voice.",
  },
  midcall_client_gap_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: { party: "party" },
    buckets: "gap",
    meaning: "Stretches without the peer's voice, from the first frame of it to the end of the call; told when they end.",
  },
  midcall_client_jitter_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { party: "party" },
    meaning: "Interarrival jitter (RFC 3550 section 6.4.1).",
  },
  midcall_client_jitter_buffer_delay_seconds_total: {
    type: "counter",
    unit: "seconds",
    labels: { party: "party" },
    meaning: "Time samples spent in the jitter buffer, summed over samples (W3C jitterBufferDelay).",
  },
  midcall_client_jitter_buffer_target_delay_seconds_total: {
    type: "counter",
    unit: "seconds",
    labels: { party: "party" },
    meaning: "The delay the jitter buffer aimed at, summed over samples (W3C jitterBufferTargetDelay).",
  },
  midcall_client_jitter_buffer_emitted_samples_total: {
    type: "counter",
    unit: "samples",
    labels: { party: "party" },
    meaning: "Samples that left the jitter buffer: the divisor of both delays (W3C jitterBufferEmittedCount).",
  },
  midcall_client_received_packets_total: {
    type: "counter",
    unit: "packets",
    labels: { party: "party" },
    meaning: "Media packets that reached the jitter buffer (W3C packetsReceived).",
  },
  midcall_client_lost_packets_total: {
    type: "counter",
    unit: "packets",
    labels: { party: "party" },
    meaning: "Media packets that did not come; the most there ever were, since a late one undoes its loss (W3C packetsLost).",
  },
  midcall_client_discarded_packets_total: {
    type: "counter",
    unit: "packets",
    labels: { party: "party" },
    meaning: "Media packets that came too late or too early to be played (W3C packetsDiscarded).",
  },
  midcall_client_received_samples_total: {
    type: "counter",
    unit: "samples",
    labels: { party: "party" },
    meaning: "Samples played, concealed ones included (W3C totalSamplesReceived).",
  },
  midcall_client_concealed_samples_total: {
    type: "counter",
    unit: "samples",
    labels: { party: "party" },
    meaning: "Samples that were made up, silent ones included (W3C concealedSamples).",
  },
  midcall_client_silent_concealed_samples_total: {
    type: "counter",
    unit: "samples",
    labels: { party: "party" },
    meaning: "Samples that were made up as silence (W3C silentConcealedSamples).",
  },
  midcall_client_inserted_samples_total: {
    type: "counter",
    unit: "samples",
    labels: { party: "party" },
    meaning: "Samples inserted to play more slowly (W3C insertedSamplesForDeceleration).",
  },
  midcall_client_removed_samples_total: {
    type: "counter",
    unit: "samples",
    labels: { party: "party" },
    meaning: "Samples removed to play faster (W3C removedSamplesForAcceleration).",
  },
  midcall_client_concealment_events_total: {
    type: "counter",
    unit: null,
    labels: { party: "party" },
    meaning: "Times concealment began (W3C concealmentEvents).",
  },
  midcall_client_interruptions_total: {
    type: "counter",
    unit: null,
    labels: { party: "party" },
    meaning: "Concealments of 150 ms and longer.",
  },
  midcall_client_interruption_seconds_total: {
    type: "counter",
    unit: "seconds",
    labels: { party: "party" },
    meaning: "Their length.",
  },
} as const;
