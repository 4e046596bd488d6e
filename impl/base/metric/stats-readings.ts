/** Receiver statistics (W3C webrtc-stats inbound-rtp) as metrics: what the log gives as totals of a call becomes counters of the party. */
import type { StatsRecord } from "../record.ts";
import type { growth } from "./cumulative.ts";
import type { Tell } from "./reading.ts";

/** Takes the statistics of a party's call. */
export function statsReader(tell: Tell, grown: ReturnType<typeof growth>): (who: string, record: StatsRecord) => void {
  /** Most packets ever missing in the party's call: a packet that comes late undoes its loss, and a counter never falls. */
  const mostLost = new Map<string, { readonly call: string; readonly packets: number }>();
  return (party, record) => {
    const known = mostLost.get(party);
    const before = known?.call === record.call ? known.packets : 0;
    const packets = Math.max(record.packetsLost, before);
    tell("midcall_client_lost_packets_total", { party }, packets - before);
    mostLost.set(party, { call: record.call, packets });
    tell("midcall_client_jitter_seconds", { party }, record.jitter);
    if (record.roundTripTime !== undefined) tell("midcall_client_round_trip_seconds", { party }, record.roundTripTime);
    const [received = 0, discarded = 0, delay = 0, target = 0, emitted = 0, samples = 0, concealed = 0, silent = 0, ...rest] =
      grown(`stats ${party}`, [
        record.packetsReceived,
        record.packetsDiscarded,
        record.jitterBufferDelay,
        record.jitterBufferTargetDelay,
        record.jitterBufferEmittedCount,
        record.totalSamplesReceived,
        record.concealedSamples,
        record.silentConcealedSamples,
        record.insertedSamplesForDeceleration,
        record.removedSamplesForAcceleration,
        record.concealmentEvents,
        record.interruptionCount,
        record.totalInterruptionDurationMs,
      ]);
    const [inserted = 0, removed = 0, concealments = 0, interruptions = 0, interruptionMs = 0] = rest;
    tell("midcall_client_received_packets_total", { party }, received);
    tell("midcall_client_discarded_packets_total", { party }, discarded);
    tell("midcall_client_jitter_buffer_delay_seconds_total", { party }, delay);
    tell("midcall_client_jitter_buffer_target_delay_seconds_total", { party }, target);
    tell("midcall_client_jitter_buffer_emitted_samples_total", { party }, emitted);
    tell("midcall_client_received_samples_total", { party }, samples);
    tell("midcall_client_concealed_samples_total", { party }, concealed);
    tell("midcall_client_silent_concealed_samples_total", { party }, silent);
    tell("midcall_client_inserted_samples_total", { party }, inserted);
    tell("midcall_client_removed_samples_total", { party }, removed);
    tell("midcall_client_concealment_events_total", { party }, concealments);
    tell("midcall_client_interruptions_total", { party }, interruptions);
    tell("midcall_client_interruption_seconds_total", { party }, interruptionMs / 1e3);
  };
}
