/** Invariants of trust, judged in every run from what signalling messages say: addresses kept private stay so, strangers get nothing done. */
import type { LogRecord, SignalRecord } from "../impl/base/record.ts";
import { broken, type Finding, held } from "./finding.ts";
import type { Evidence } from "./measure.ts";

/** A callee that answered without revealing its address: no message of the call tells the caller any address of it. */
export function addressesKeptPrivate({ records, scenario }: Evidence): Finding {
  const callees = new Map<string, string>();
  for (const record of records)
    if (record.ev === "call" && record.state === "answered" && record.mode === "AcceptGeneric") callees.set(record.call, "");
  for (const record of records) {
    if (record.ev === "call" && record.state === "ringing" && callees.has(record.call)) callees.set(record.call, record.who);
  }
  if (callees.size === 0) return held("no call was answered in privacy mode");
  for (const record of records) {
    if (record.ev !== "signal" || record.call === undefined || record.addresses === undefined) continue;
    const callee = callees.get(record.call);
    if (callee === undefined || scenario.parties[record.who]?.role === "relay") continue;
    // What the callee hears are the caller's addresses, which the caller gave away on purpose.
    const isTold = record.who === callee ? record.dir === "sent" : record.dir === "received";
    if (isTold)
      return broken(
        `${record.who} ${record.dir} a ${record.type} with ${record.addresses.join(", ")} in a private call`,
        record.t,
      );
  }
  return held(`no address told in ${callees.size} private ${callees.size === 1 ? "call" : "calls"}`);
}

/** Messages a relay may send to a session that has not registered: they tell it about itself, or about the relay. */
const FOR_STRANGERS: ReadonlySet<string> = new Set([
  "RegisterAck",
  "Refusal",
  "ReflectResponse",
  // To whoever registers with a relay that is about to stop.
  "RelayDraining",
  "FederationHello",
  "FederationHelloAck",
]);
/** What a session says to be a stranger no more. */
const INTRODUCTIONS: ReadonlySet<string> = new Set(["Register", "FederationHello", "FederationHelloAck"]);
/** The word that lets it in, and who says it: a relay to whoever registers or dials, or the relay it has dialled itself. */
const isAdmission = ({ type, dir, ok }: SignalRecord): boolean =>
  ok === true && (type === "FederationHelloAck" || (type === "RegisterAck" && dir === "sent"));

type Heard = { readonly session: number; readonly call: string | undefined; readonly type: string };

/**
 * A relay passes on nothing that a session said before it registered, and tells such a session of no call. What it does about a message
 * stands in its log between that message and its next input.
 */
export function strangersRefused({ records, scenario }: Evidence): Finding {
  const relays = new Map<string, { registered: Set<number>; heard: Heard | undefined }>();
  for (const [name, party] of Object.entries(scenario.parties))
    if (party.role === "relay") relays.set(name, { registered: new Set(), heard: undefined });
  let early = 0;
  for (const record of records) {
    const relay = relays.get(record.who);
    if (relay === undefined) continue;
    if (record.ev === "process" && (record.state === "killed" || record.state === "started"))
      relays.set(record.who, { registered: new Set(), heard: undefined });
    else if (record.ev === "session") {
      if (record.state === "closed") relay.registered.delete(record.session);
      relay.heard = undefined;
    } else if (record.ev === "signal" && record.dir === "received") {
      const { session, call, type } = record;
      if (isAdmission(record)) relay.registered.add(session);
      relay.heard = relay.registered.has(session) || INTRODUCTIONS.has(type) ? undefined : { session, call, type };
      if (relay.heard !== undefined) early++;
    } else if (record.ev === "signal") {
      const why = wrongIn(record, relay);
      if (why !== undefined) return broken(`${record.who} ${why}`, record.t);
      if (isAdmission(record)) relay.registered.add(record.session);
    }
  }
  return held(early === 0 ? "no stranger asked for anything" : `${early} messages of strangers led to nothing`);
}

function wrongIn(
  sent: SignalRecord & LogRecord,
  { registered, heard }: { readonly registered: ReadonlySet<number>; readonly heard: Heard | undefined },
): string | undefined {
  if (!registered.has(sent.session) && !FOR_STRANGERS.has(sent.type))
    return `sent a ${sent.type} to session ${sent.session}, which is not registered`;
  if (heard !== undefined && sent.session !== heard.session && sent.call === heard.call && sent.call !== undefined)
    return `passed on a ${sent.type} for a ${heard.type} of session ${heard.session}, which is not registered`;
  return undefined;
}
