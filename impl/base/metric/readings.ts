/**
 * From the event log to metrics: each record, in the order of the log, becomes what it means for the metrics of the catalogue. The one place where metric
 * values come from, in a laboratory and in a process alike. Frames are logged a second at a time, so media metrics are up to a second old.
 */
import type {
  CallRecord,
  FaultRecord,
  FederationRecord,
  LogRecord,
  MediaPlayedRecord,
  RegistrationRecord,
  SessionRecord,
  SignalRecord,
} from "../record.ts";
import { growth } from "./cumulative.ts";
import { followGaps } from "./gaps.ts";
import { CALL_STATES, HELD_THINGS, REGISTRATION_STATES } from "./label-words.ts";
import { followMouthToEar } from "./mouth-to-ear.ts";
import { gate, type Reading, type Tell } from "./reading.ts";
import { statsReader } from "./stats-readings.ts";

/** What a process's socket refuses, in the words of its records: each is counted apart from the refusals of the machine behind it. */
export const SOCKET_REFUSALS = {
  stray: "UDP datagrams that are no packet of ours",
  unproved: "first packets whose senders were asked to prove their address",
  givenUp: "handshakes given up for newer ones",
} as const;
const OF_SOCKET: ReadonlySet<string> = new Set(Object.values(SOCKET_REFUSALS));

type Party = {
  readonly connected: Set<number>;
  readonly registered: Set<number>;
  /** Of a client: sessions with a peer. */
  readonly direct: Set<number>;
  /** Of a relay: calls, each with the sessions it goes over. */
  readonly calls: Map<string, Set<number>>;
  /** Of a relay: other relays it has a link with, and the session that is it. */
  readonly links: Map<string, number | undefined>;
  readonly paths: Map<string, { readonly path: string; readonly candidate: string }>;
  standing: RegistrationRecord["state"] | undefined;
  wasRegistered: boolean;
  lostAt: number | undefined;
  /** Instant the call was offered or began to ring. */
  setUpAt: number | undefined;
  path: { readonly call: string; readonly name: string } | undefined;
  /** The newest refusal was of a registration: the answer that follows it grants nothing. */
  refusedRegistration: boolean;
};

/** A reader of one log, of one party or of a whole run: takes records in their order and hands their readings to `take`. */
export function readMetrics(take: (reading: Reading) => void): (record: LogRecord) => void {
  const tell = gate(take);
  const parties = new Map<string, Party>();
  const grown = growth();
  const stats = statsReader(tell, grown);
  const gaps = followGaps((party, seconds) => tell("midcall_client_gap_seconds", { party }, seconds));
  const delays = followMouthToEar((party, seconds) => tell("midcall_mouth_to_ear_seconds", { party }, seconds));
  const faults = new Map<number, string>();
  const faultName = (number: number): string => faults.get(number) ?? String(number);
  const partyOf = (name: string): Party => {
    const known = parties.get(name) ?? newParty();
    parties.set(name, known);
    return known;
  };
  return (record) => {
    tell("midcall_log_records_total", { event: record.ev }, 1);
    gaps(record);
    delays(record);
    const { who } = record;
    switch (record.ev) {
      case "process": {
        if (record.state === "started") tell("midcall_process_starts_total", { party: who }, 1);
        const isUp = record.state === "started" || record.state === "resumed";
        tell("midcall_process_up", { party: who }, isUp ? 1 : 0);
        if (record.state === "killed" || record.state === "exited") forget(tell, who, partyOf(who));
        return;
      }
      case "fault":
        faults.set(record.fault, `${record.fault}: ${record.label}`);
        return fault(tell, faultName(record.fault), record.state);
      case "touched":
        return tell("midcall_fault_touched_packets_total", { fault: faultName(record.fault) }, record.packets);
      case "drop":
        tell("midcall_dropped_packets_total", { link: record.where, cause: record.cause }, 1);
        return tell("midcall_dropped_bytes_total", { link: record.where, cause: record.cause }, record.bytes);
      case "session":
        return session(tell, partyOf(who), record);
      case "signal":
        return signal(tell, partyOf(who), record);
      case "refused": {
        const counter = OF_SOCKET.has(record.what) ? record.what : record.reason;
        const [more = 0] = grown(`refused ${who} ${counter}`, [record.count]);
        partyOf(who).refusedRegistration = record.what.startsWith("Register");
        return tell("midcall_refused_total", { party: who, reason: record.reason }, more);
      }
      case "registration":
        return registration(tell, partyOf(who), record);
      case "call":
        return call(tell, partyOf(who), record);
      case "path": {
        const party = partyOf(who);
        const name = `${record.path} ${record.candidate}`;
        party.paths.set(name, { path: record.path, candidate: record.candidate });
        for (const [known, labels] of party.paths)
          tell("midcall_client_media_path", { party: who, ...labels }, known === name ? 1 : 0);
        const changed = party.path?.call === record.call && party.path.name !== name;
        tell("midcall_client_path_changes_total", { party: who }, changed ? 1 : 0);
        party.path = { call: record.call, name };
        return;
      }
      case "generation":
        tell("midcall_client_generation", { party: who, action: record.action }, record.generation);
        return tell("midcall_client_generations_total", { party: who, action: record.action }, 1);
      case "media-sent":
        return tell("midcall_client_sent_frames_total", { party: who }, record.n);
      case "media-received":
        return tell("midcall_client_received_frames_total", { party: who }, record.n);
      case "media-played":
        return played(tell, who, record);
      case "stats":
        return stats(who, record);
      case "session-stats": {
        const path = partyOf(who).direct.has(record.session) ? "direct" : "relay";
        return tell("midcall_client_session_rtt_seconds", { party: who, path }, record.currentRoundTripTime);
      }
      case "candidate-pair":
        partyOf(who).direct.add(record.session);
        return;
      case "network": {
        const { sentPackets, sentBytes, receivedPackets, receivedBytes } = record;
        const [sp = 0, sb = 0, rp = 0, rb = 0] = grown(`network ${who}`, [
          sentPackets,
          sentBytes,
          receivedPackets,
          receivedBytes,
        ]);
        tell("midcall_udp_packets_total", { party: who, direction: "sent" }, sp);
        tell("midcall_udp_packets_total", { party: who, direction: "received" }, rp);
        tell("midcall_udp_bytes_total", { party: who, direction: "sent" }, sb);
        return tell("midcall_udp_bytes_total", { party: who, direction: "received" }, rb);
      }
      case "unsent": {
        const [more = 0] = grown(`unsent ${who} ${record.error}`, [record.count]);
        return tell("midcall_udp_unsent_packets_total", { party: who, error: record.error }, more);
      }
      case "undelivered": {
        const [more = 0] = grown(`undelivered ${who} ${record.reason}`, [record.count]);
        return tell("midcall_relay_undelivered_packets_total", { party: who, reason: record.reason }, more);
      }
      case "federation":
        tell("midcall_relay_link_events_total", { party: who, peer: record.peer, state: record.state }, 1);
        return link(tell, partyOf(who), record);
      case "relay-path": {
        const { peer, asked, lost, rttMs, jitterMs } = record;
        const [more = 0, gone = 0] = grown(`relay-path ${who} ${peer}`, [asked, lost]);
        tell("midcall_relay_link_probes_total", { party: who, peer }, more);
        tell("midcall_relay_link_probes_lost_total", { party: who, peer }, gone);
        if (rttMs !== undefined) tell("midcall_relay_link_rtt_seconds", { party: who, peer }, rttMs / 1e3);
        if (jitterMs !== undefined) tell("midcall_relay_link_jitter_seconds", { party: who, peer }, jitterMs / 1e3);
        return;
      }
      case "drain":
        return tell("midcall_relay_draining", { party: who }, record.state === "begun" ? 1 : 0);
      case "held":
        for (const thing of HELD_THINGS) tell("midcall_held", { party: who, thing }, record[thing]);
    }
  };
}

const newParty = (): Party => ({
  connected: new Set(),
  registered: new Set(),
  direct: new Set(),
  calls: new Map(),
  links: new Map(),
  paths: new Map(),
  standing: undefined,
  wasRegistered: false,
  lostAt: undefined,
  setUpAt: undefined,
  path: undefined,
  refusedRegistration: false,
});

/** A process that ends takes with it all that its gauges stood for. */
function forget(tell: Tell, party: string, known: Party): void {
  tell("midcall_sessions", { party }, 0);
  if (known.registered.size > 0) tell("midcall_relay_registrations", { party }, 0);
  if (known.calls.size > 0) tell("midcall_relay_calls", { party }, 0);
  for (const peer of known.links.keys()) tell("midcall_relay_link_up", { party, peer }, 0);
  known.links.clear();
  known.connected.clear();
  known.registered.clear();
  known.direct.clear();
  known.calls.clear();
  if (known.standing === undefined) return;
  for (const state of REGISTRATION_STATES) tell("midcall_client_registration_state", { party, state }, 0);
  tell("midcall_client_supervisors", { party }, 0);
  if (known.path !== undefined) {
    for (const state of CALL_STATES) tell("midcall_client_call_state", { party, state }, 0);
    for (const labels of known.paths.values()) tell("midcall_client_media_path", { party, ...labels }, 0);
  }
  known.standing = undefined;
  known.path = undefined;
}

function link(tell: Tell, known: Party, { who, peer, state, session }: FederationRecord & { readonly who: string }): void {
  if (state === "up") known.links.set(peer, session);
  // The side that dials keeps a session that is in doubt, and tells of it by dialling anew: it is up again when it is heard, or when another one is.
  if (state === "down") known.links.delete(peer);
  tell("midcall_relay_link_up", { party: who, peer }, state === "up" ? 1 : 0);
}

function fault(tell: Tell, name: string, state: FaultRecord["state"]): void {
  tell("midcall_fault_active", { fault: name }, state === "applied" ? 1 : 0);
  if (state === "applied") tell("midcall_faults_applied_total", { fault: name }, 1);
}

function session(tell: Tell, party: Party, record: SessionRecord & { readonly who: string }): void {
  const { who, state } = record;
  tell("midcall_session_events_total", { party: who, state }, 1);
  if (record.rttMs !== undefined) tell("midcall_session_rtt_seconds", { party: who }, record.rttMs / 1e3);
  if (state === "connected") party.connected.add(record.session);
  if (state === "heard")
    for (const [peer, session] of party.links)
      if (session === record.session) tell("midcall_relay_link_up", { party: who, peer }, 1);
  if (state === "closed") {
    party.connected.delete(record.session);
    party.direct.delete(record.session);
    tell("midcall_sessions_closed_total", { party: who, reason: record.reason ?? "" }, 1);
    if (party.registered.delete(record.session)) tell("midcall_relay_registrations", { party: who }, party.registered.size);
    // A call that neither end has a session for is over for the relay: whoever comes back tells it again.
    for (const [call, sessions] of party.calls)
      if (sessions.delete(record.session) && sessions.size === 0 && party.calls.delete(call))
        tell("midcall_relay_calls", { party: who }, party.calls.size);
  }
  if (state === "connected" || state === "closed") tell("midcall_sessions", { party: who }, party.connected.size);
}

function signal(tell: Tell, party: Party, record: SignalRecord & { readonly who: string }): void {
  const { who, dir, type } = record;
  tell("midcall_signal_messages_total", { party: who, direction: dir, type }, 1);
  if (dir === "sent" && type === "RegisterAck") {
    if (!party.refusedRegistration) party.registered.add(record.session);
    party.refusedRegistration = false;
    tell("midcall_relay_registrations", { party: who }, party.registered.size);
  }
  // A relay alone sends these, and sets up or resumes a call by them; both ends of a call get one.
  if (dir === "sent" && (type === "CallSetup" || type === "CallResumed") && record.call !== undefined) {
    const sessions = party.calls.get(record.call);
    if (sessions === undefined) {
      tell("midcall_relay_calls_total", { party: who }, 1);
      party.calls.set(record.call, new Set([record.session]));
    } else sessions.add(record.session);
    tell("midcall_relay_calls", { party: who }, party.calls.size);
  }
  if (type === "Hangup" && record.call !== undefined && party.calls.delete(record.call))
    tell("midcall_relay_calls", { party: who }, party.calls.size);
}

function registration(tell: Tell, party: Party, record: RegistrationRecord & { readonly t: number; readonly who: string }): void {
  const { who, state } = record;
  for (const one of REGISTRATION_STATES)
    tell("midcall_client_registration_state", { party: who, state: one }, one === state ? 1 : 0);
  tell("midcall_client_supervisors", { party: who }, record.supervisors);
  const attempts = (state === "connecting" || state === "reconnecting" || state === "switching") && (record.delayMs ?? 0) === 0;
  tell("midcall_client_registration_attempts_total", { party: who }, attempts ? 1 : 0);
  if (state === "reconnecting") tell("midcall_client_reconnect_delay_seconds", { party: who }, (record.delayMs ?? 0) / 1e3);
  const regained = state === "registered" && party.standing !== "registered" && party.wasRegistered;
  tell("midcall_client_reconnects_total", { party: who }, regained ? 1 : 0);
  if (state === "registered") {
    if (party.lostAt !== undefined) tell("midcall_client_outage_seconds", { party: who }, (record.t - party.lostAt) / 1e6);
    party.lostAt = undefined;
    party.wasRegistered = true;
  } else if (party.standing === "registered" && state !== "idle") party.lostAt = record.t;
  else if (state === "idle") party.lostAt = undefined; // given up by the user, not lost
  party.standing = state;
}

function call(tell: Tell, party: Party, record: CallRecord & { readonly t: number; readonly who: string }): void {
  const { who, state } = record;
  tell("midcall_client_call_events_total", { party: who, state }, 1);
  for (const one of CALL_STATES) tell("midcall_client_call_state", { party: who, state: one }, one === state ? 1 : 0);
  if (state === "offering" || state === "ringing") party.setUpAt = record.t;
  if (state === "active" && party.setUpAt !== undefined) {
    tell("midcall_client_call_setup_seconds", { party: who }, (record.t - party.setUpAt) / 1e6);
    party.setUpAt = undefined;
  }
}

const played = (tell: Tell, party: string, { kind, n }: MediaPlayedRecord): void =>
  tell("midcall_client_played_frames_total", { party, kind }, n);
