/** Messages of users between relays: what this relay's desk says to a stand-in goes to the other relay, what comes from there goes to the desk. */
import type { RefusalReason } from "../../base/record.ts";
import { checkSignal, type FederatedSignalForward, type SignalMessage } from "../../wire/signal.ts";
import type { Peer } from "../call-desk.ts";
import type { Directory } from "./directory.ts";
import type { Hub, Link } from "./link.ts";

/** What a desk says to a stand-in is for the other relay's user; the rest (set-ups, resumptions granted) that relay says itself. */
const FORWARDED: ReadonlySet<SignalMessage["type"]> = new Set([
  "DirectCallOffer",
  "DirectCallAnswer",
  "Ringing",
  "Hangup",
  "HangupAck",
  "CandidateUpdate",
  "MediaPathReport",
  "CallResume",
  "Refusal",
]);

/**
 * A client that moves keeps its session with the relay of before until the next one carries the call. Meanwhile the next one is believed nothing but a
 * resumption that proves itself, which no relay can forge: who is here cannot be taken away by an announcement.
 */
const claimsProof = (message: SignalMessage): boolean =>
  message.type === "CallResume" && message.caller_share !== undefined && message.callee_share !== undefined;

/** And, once its stand-in carries the call, what is about that call: the user hangs up there once, and is not asked again. */
const isOfCarried = (standIn: Peer | undefined, message: SignalMessage): boolean =>
  standIn !== undefined &&
  "call_id" in message &&
  [...standIn.channels.values()].some(({ id, sessions }) => id === message.call_id && sessions.includes(standIn.session));
const isBelieved = (standIn: Peer | undefined, message: SignalMessage): boolean =>
  claimsProof(message) || isOfCarried(standIn, message);

export type Forwarding = {
  /** The desk says something to a stand-in. */
  send(peer: Peer, message: SignalMessage): void;
  /** Another relay says something in the name of one of its users. */
  forwarded(link: Link, forward: FederatedSignalForward): void;
};

/** `name`: of this relay; `tell` sends to another one. */
export function forwarding(
  name: string,
  hub: Hub,
  directory: Directory,
  tell: (link: Link, message: SignalMessage) => void,
): Forwarding {
  const { out } = hub;
  const refuse = (reason: RefusalReason, what: string): void => out.refuse(reason, what);

  function forwarded(link: Link, forward: FederatedSignalForward): void {
    const { from, to } = forward;
    if (forward.from_relay !== link.relay.name) return refuse("unexpected", "forward in another relay's name");
    const checked = checkSignal(forward.message);
    const own = hub.local(to);
    // About an offer to somebody who is not there: the user it comes from is nobody's.
    if (checked.ok && checked.message.type === "Refusal" && checked.message.call_id !== undefined && own !== undefined)
      return from !== undefined && hub.desk().peerOf(checked.message.call_id, to) === from
        ? out.send(own.session, checked.message)
        : refuse("unknown-call", checked.message.type);
    const isMoving = from !== undefined && hub.local(from) !== undefined;
    if (
      from === undefined ||
      !link.users.has(from) ||
      (isMoving && !(checked.ok && isBelieved(link.standIns.get(from), checked.message)))
    )
      return refuse("unauthenticated", "forward for a user who is not the sender's");
    if (!checked.ok) return refuse(checked.reason, "message in a forward");
    const { message } = checked;
    const peer = directory.standIn(link, from);
    const desk = hub.desk();
    if (own === undefined) {
      refuse("unexpected", "forward for a user who is not here");
      if (message.type === "DirectCallOffer")
        tellUser(link, to, from, { type: "Refusal", re: message.type, reason: "unknown-peer", call_id: message.call_id });
      return;
    }
    switch (message.type) {
      case "DirectCallOffer":
        return message.callee_fingerprint === to
          ? desk.offer(peer, from, message)
          : refuse("unexpected", "offer to somebody else");
      case "DirectCallAnswer":
        return desk.answer(peer, from, message);
      case "CallResume":
        return message.peer_fingerprint === to
          ? desk.resume(peer, from, message)
          : refuse("unexpected", "resumption with somebody else");
      case "HangupAck":
        return desk.acknowledged(from, message);
      case "Hangup":
      case "Ringing":
      case "CandidateUpdate":
      case "MediaPathReport":
        return desk.forward(peer, from, message);
      default:
        return refuse("unexpected", `forward of ${message.type}`);
    }
  }

  const tellUser = (link: Link, from: string, to: string, message: SignalMessage): void =>
    tell(link, { type: "FederatedSignalForward", from_relay: name, from, to, message: { ...message } });

  function send(peer: Peer, message: SignalMessage): void {
    const known = directory.find(peer.session);
    if (known === undefined || !FORWARDED.has(message.type)) return;
    const from = senderOf(message, known.user);
    if (from === undefined) return;
    tellUser(known.link, from, known.user, message);
  }

  /** In whose name this relay says it: the other party of the call, or of what is asked. */
  function senderOf(message: SignalMessage, to: string): string | undefined {
    switch (message.type) {
      case "DirectCallOffer":
        return message.caller_fingerprint;
      case "DirectCallAnswer":
        return message.callee_fingerprint;
      default:
        return "call_id" in message && message.call_id !== undefined ? hub.desk().peerOf(message.call_id, to) : undefined;
    }
  }

  return { send, forwarded };
}
