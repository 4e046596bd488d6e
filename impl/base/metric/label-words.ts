/** Words that labels of metrics may take: the closed sets of the event log, held complete by the compiler where the log's types close them. */
import type {
  CallRecord,
  DropRecord,
  FederationRecord,
  GenerationRecord,
  LogRecord,
  MediaPlayedRecord,
  PathRecord,
  RefusalReason,
  RegistrationRecord,
  SessionRecord,
  UndeliveredRecord,
} from "../record.ts";

/** The keys of an object that must name every word of `Word`, so that none is forgotten. */
const all = <Word extends string>(words: { readonly [W in Word]: true }): readonly Word[] => Object.keys(words) as Word[];

export const DIRECTIONS: readonly ("sent" | "received")[] = ["sent", "received"];

export const SESSION_STATES: readonly SessionRecord["state"][] = all({
  connecting: true,
  accepted: true,
  connected: true,
  silent: true,
  heard: true,
  "path-changed": true,
  closed: true,
});

/** Why a packet could not be sent: errors of sendto(2) and udp(7) that a socket on a working machine can meet. */
export const SEND_ERRORS: readonly string[] = [
  "EACCES",
  "EADDRNOTAVAIL",
  "EAFNOSUPPORT",
  "EAGAIN",
  "ECONNREFUSED",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EINVAL",
  "EMSGSIZE",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOBUFS",
  "ENOMEM",
  "EPERM",
];

/** Why sessions close; the same words as `CloseReason` of the core, which a test holds against these. */
export const CLOSE_REASONS: readonly string[] = [
  "local",
  "peer",
  "reset",
  "idle-timeout",
  "handshake-timeout",
  "refused",
  "pin-mismatch",
  "error",
];

/** Types of signalling messages; a test holds them against impl/wire. */
export const SIGNALS: readonly string[] = [
  "Register",
  "RegisterAck",
  "Reflect",
  "ReflectResponse",
  "DirectCallOffer",
  "DirectCallAnswer",
  "CallSetup",
  "Hangup",
  "HangupAck",
  "CandidateUpdate",
  "MediaPathReport",
  "CallResume",
  "CallResumed",
  "FederatedSignalForward",
  "FederationHello",
  "FederationHelloAck",
  "FederationUsers",
  "FederationChannel",
  "Ringing",
  "Refusal",
  "RelayDraining",
];

export const REASONS: readonly RefusalReason[] = all({
  malformed: true,
  oversized: true,
  "unknown-type": true,
  unexpected: true,
  unauthenticated: true,
  "forged-signature": true,
  unauthentic: true,
  replayed: true,
  "unknown-call": true,
  "stale-generation": true,
  duplicate: true,
  limit: true,
});

export const UNDELIVERED: readonly UndeliveredRecord["reason"][] = all({ absent: true });

export const LINK_STATES: readonly FederationRecord["state"][] = all({ connecting: true, up: true, down: true });

export const HELD_THINGS: readonly ("sessions" | "calls" | "supervisors")[] = ["sessions", "calls", "supervisors"];

export const REGISTRATION_STATES: readonly RegistrationRecord["state"][] = all<RegistrationRecord["state"]>({
  idle: true,
  connecting: true,
  registered: true,
  reconnecting: true,
  switching: true,
  refused: true,
});

export const CALL_STATES: readonly CallRecord["state"][] = all({
  offering: true,
  ringing: true,
  answered: true,
  active: true,
  resuming: true,
  resumed: true,
  ended: true,
});

export const PATHS: readonly PathRecord["path"][] = all({ relay: true, direct: true });
export const CANDIDATES: readonly PathRecord["candidate"][] = all({ host: true, mapped: true, reflexive: true, relay: true });
export const GENERATION_ACTIONS: readonly GenerationRecord["action"][] = all({
  sent: true,
  delivered: true,
  applied: true,
  refused: true,
});
export const FRAME_KINDS: readonly MediaPlayedRecord["kind"][] = all({
  source: true,
  recovered: true,
  concealed: true,
  silence: true,
  comfort: true,
});

export const DROP_CAUSES: readonly DropRecord["cause"][] = all<DropRecord["cause"]>({
  loss: true,
  queue: true,
  mtu: true,
  corrupt: true,
  "nat-filtering": true,
  blocked: true,
  "nat-no-mapping": true,
  "nat-exhausted": true,
  "link-down": true,
  "no-route": true,
  "process-down": true,
  "port-closed": true,
  congestion: true,
  overtaken: true,
});

export const EVENTS: readonly LogRecord["ev"][] = all<LogRecord["ev"]>({
  run: true,
  end: true,
  process: true,
  fault: true,
  drop: true,
  touched: true,
  session: true,
  signal: true,
  refused: true,
  registration: true,
  call: true,
  path: true,
  generation: true,
  "media-sent": true,
  "media-received": true,
  "media-played": true,
  stats: true,
  "session-stats": true,
  fec: true,
  tier: true,
  network: true,
  unsent: true,
  relayed: true,
  undelivered: true,
  interfaces: true,
  "candidate-pair": true,
  action: true,
  federation: true,
  "relay-path": true,
  drain: true,
  held: true,
  stall: true,
  note: true,
});

/** Verdicts of a run, and of an oracle (reports/result.ts). */
export const VERDICTS: readonly ("held" | "broken" | "inconclusive" | "crashed")[] = [
  "held",
  "broken",
  "inconclusive",
  "crashed",
];
export const ORACLE_VERDICTS: readonly ("held" | "broken" | "inconclusive")[] = ["held", "broken", "inconclusive"];
export const SHARES: readonly ("0.5" | "0.95")[] = ["0.5", "0.95"];
export const RECOVERED_FROM: readonly ("fault" | "heal")[] = ["fault", "heal"];
