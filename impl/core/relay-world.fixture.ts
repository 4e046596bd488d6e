/** A relay with three clients and no network: what is said to it, and what it does. */
import type { RefusalReason } from "../base/record.ts";
import { Instant, seconds } from "../base/units.ts";
import { encodeSignal, parseSignal, type SignalMessage } from "../wire/signal.ts";
import type { Effect } from "./effect.ts";
import { type Identity, identityFromSecret } from "./identity.ts";
import { type KeyShare, makeShare } from "./key-agreement.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { signRegistration } from "./registration.ts";
import * as relay from "./relay.ts";

export const PIN: string = "cd".repeat(32);
const identity = (value: number): Identity => identityFromSecret(nobleCrypto, new Uint8Array(32).fill(value));
export const alice: Identity = identity(1);
export const bob: Identity = identity(2);
export const mallory: Identity = identity(3);
export const CALL = "0123456789abcdef0123456789abcdef";

export type World = {
  step(input: relay.Input): readonly Effect[];
  say(session: number, message: SignalMessage): readonly Effect[];
  raw(session: number, bytes: Uint8Array): readonly Effect[];
  /** Without what the log is told of the way it takes (relayed-media.test.ts). */
  datagram(session: number, bytes: Uint8Array): readonly Effect[];
  /** Seconds. */
  pass(length: number): readonly Effect[];
  view(): unknown;
  deadline(): Instant | undefined;
};

/** A relay with sessions -1 (alice), -2 (bob), -3 (mallory), registered as asked. */
export function world(registered: readonly Identity[] = [alice, bob, mallory], config: Partial<relay.Config> = {}): World {
  const machine = relay.relay({ ...relay.DEFAULTS, fingerprint: PIN, crypto: nobleCrypto, ...config });
  let now = Instant(0);
  const step = (input: relay.Input): readonly Effect[] => machine.step(now, input);
  const say = (session: number, message: SignalMessage): readonly Effect[] =>
    step({ type: "session", session, event: { type: "message", bytes: encodeSignal(message) } });
  [alice, bob, mallory].forEach((who, i) => {
    step({ type: "accepted", session: -1 - i, remote: `192.0.2.${i + 1}:1000` });
    if (registered.includes(who))
      say(-1 - i, { type: "Register", ...signRegistration(nobleCrypto, who, PIN, new Uint8Array(16)) });
  });
  return {
    step,
    say,
    raw: (session: number, bytes: Uint8Array) => step({ type: "session", session, event: { type: "message", bytes } }),
    datagram: (session: number, bytes: Uint8Array) =>
      step({ type: "session", session, event: { type: "datagram", bytes } }).filter(
        (effect) => effect.type !== "say" || effect.saying.ev !== "relayed",
      ),
    pass: (length: number) => {
      now = Instant.after(now, seconds(length));
      return step({ type: "wake" });
    },
    view: machine.view,
    deadline: machine.deadline,
  };
}
export const shareOf = (who: Identity, peer: Identity, call: string, answering?: KeyShare): KeyShare =>
  makeShare(nobleCrypto, who, new Uint8Array(32).fill(9), {
    call,
    peer: peer.fingerprint,
    ...(answering === undefined ? { role: "caller" } : { role: "callee", answering }),
  });
export const offer = (call: string = CALL, from: Identity = alice): SignalMessage => ({
  type: "DirectCallOffer",
  call_id: call,
  caller_fingerprint: from.fingerprint,
  callee_fingerprint: bob.fingerprint,
  caller_share: shareOf(from, bob, call),
});
/** What `from` sends a relay to take up its call with `to`; `role` is its own. */
export const resumption = (
  from: Identity,
  to: Identity,
  role: "caller" | "callee",
  call: string = CALL,
): SignalMessage & { type: "CallResume" } => {
  const [caller, callee] = role === "caller" ? [from, to] : [to, from];
  const asked = shareOf(caller, callee, call);
  return {
    type: "CallResume",
    call_id: call,
    peer_fingerprint: to.fingerprint,
    role,
    caller_share: asked,
    callee_share: shareOf(callee, caller, call, asked),
  };
};
/** The ids of other calls. */
export const other = (number: number): string => number.toString(16).padStart(32, "0");
export const accept: SignalMessage & { type: "DirectCallAnswer" } = {
  type: "DirectCallAnswer",
  call_id: CALL,
  mode: "AcceptTrusted",
  callee_fingerprint: bob.fingerprint,
  callee_reflexive_addr: "192.0.2.2:1000",
};
export const sent = (effects: readonly Effect[]): [number, string][] =>
  effects.flatMap((effect): [number, string][] => {
    if (effect.type !== "send") return [];
    const parsed = parseSignal(effect.bytes);
    return [[effect.session, parsed.ok ? parsed.message.type : "?"]];
  });
export const isSent = (effect: Effect, type: string): boolean => sent([effect])[0]?.[1] === type;
export const refusedFor = (effects: readonly Effect[]): RefusalReason[] =>
  effects.flatMap((effect) => (effect.type === "say" && effect.saying.ev === "refused" ? [effect.saying.reason] : []));
/** What a refusal may do: say so, and tell the one who asked. */
export const actedOnOthers = (effects: readonly Effect[], session: number): readonly Effect[] =>
  effects.filter((effect) => effect.type !== "say" && !("session" in effect && effect.session === session));

export const text = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
export const media = (channel: number, length = 60): Uint8Array => {
  const bytes = new Uint8Array(length);
  bytes[0] = 0b1000_0000;
  bytes[1] = channel;
  return bytes;
};
