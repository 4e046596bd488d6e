/**
 * Mutations beyond those that twins name: bugs that call systems have had, in the machines of impl/core. `midcall mutants` says which case
 * catches each, and which nobody catches.
 */
import type { Mutation } from "./mutation.ts";

/** By module, then by the order of the code. */
export const FURTHER_MUTATIONS: readonly Mutation[] = [
  {
    name: "generation-never-raised",
    file: "impl/core/candidate-generation.ts",
    find: "({ ...s, own: s.own + 1 })",
    replace: "({ ...s, own: Math.max(1, s.own) })",
    imitates:
      "Every announcement of new addresses carries the generation of the first, so the peer takes the later ones for stale.",
  },
  {
    name: "attempts-side-by-side",
    file: "impl/core/client.ts",
    find: 'closeLink(attempt, "superseded");',
    replace: "",
    imitates: "A new attempt to connect begins while the one before it is still at work, and nobody stops that one.",
  },
  {
    name: "offer-answered-twice",
    file: "impl/core/client.ts",
    find: 'if (current?.id === message.call_id) return drive({ type: "offered", message });',
    replace: "",
    imitates: "A call offer that arrives twice is answered with busy the second time, by the very phone that rings with it.",
  },
  {
    name: "silence-not-acted-upon",
    file: "impl/core/client.ts",
    find: 'return supervise({ type: "lost", reason: "silent" });',
    replace: "return;",
    imitates: "A relay that no longer answers is noticed and nothing is done about it until the session times out.",
  },
  {
    name: "short-patience-with-relay",
    file: "impl/core/call.ts",
    find: "resuming: seconds(120),",
    replace: "resuming: seconds(2),",
    imitates: "A call whose relay is away is given up after the time a handshake may take.",
  },
  {
    name: "set-up-not-repeated",
    file: "impl/core/call-setup.ts",
    find: 'return call.said === undefined ? [] : [{ type: "send", message: call.said }];',
    replace: "return [];",
    imitates: "Offer and answer are said once: when their relay dies with them the caller hears it ring for a minute.",
  },
  {
    name: "hang-up-not-heard",
    file: "impl/core/call.ts",
    find: 'return end(context, call, message.reason ?? "peer-hung-up", {});',
    replace: "return [];",
    imitates: "The other side hangs up and this one stays in the call, alone.",
  },
  {
    name: "address-leaks-in-privacy-mode",
    file: "impl/core/call.ts",
    find: 'const isPrivate = call.role === "callee" && call.answer !== "AcceptTrusted";',
    replace: "const isPrivate = false;",
    imitates: "A callee that answered without revealing its address announces it when a NAT rebinds.",
  },
  {
    name: "full-header-once",
    file: "impl/core/header-run.ts",
    find: "index < OPENING_PACKETS || (index & (index - 1)) === 0 || unitsSinceFull >= REFRESH_UNITS",
    replace: "index < 1",
    imitates: "The header that all others lean on is sent once: when that packet is lost, nothing of the call can be opened.",
  },
  {
    name: "share-signature-unchecked",
    file: "impl/core/key-agreement.ts",
    find: 'return engine.verify(identity, covered, signature) ? { ok: true } : { ok: false, reason: "forged-signature" };',
    replace: "return { ok: true };",
    imitates: "The signature of a key share is not looked at, so a relay can sit in the middle of every call.",
  },
  {
    name: "media-clock-stops-in-outage",
    file: "impl/core/media-stream.ts",
    find: "const timestamp = this.#captured++ * FRAME_SAMPLES; if (channel === undefined) return [];",
    replace: "if (channel === undefined) return []; const timestamp = this.#captured++ * FRAME_SAMPLES;",
    imitates: "Media time stands still while there is nothing to send on, so everything after an outage seems to come too late.",
  },
  {
    name: "packet-numbers-restart",
    file: "impl/core/packet-protection.ts",
    find: "this.#run = undefined;",
    replace: "this.#run = undefined; this.#next = 0;",
    imitates: "Packet numbers begin again on a new session under the same key: nonces are used twice.",
  },
  {
    name: "target-never-shrinks",
    file: "impl/core/neteq/delay-target.ts",
    find: "this.#target = this.#clamp(Math.max(underrun + this.#held, this.#reorder.cheapest(LOSS_PRICE, underrun)));",
    replace: "this.#target = this.#clamp(Math.max(this.#target, underrun, this.#reorder.cheapest(LOSS_PRICE, underrun)));",
    imitates: "After one bad minute the jitter buffer keeps its delay for the rest of the call.",
  },
  {
    name: "relay-never-probed",
    file: "impl/core/relay-probe.ts",
    find: "s.due === undefined ? { due: now, asked: s.asked } : s",
    replace: "s",
    imitates: "Nobody asks whether the relay is back: its return is noticed when the next attempt happens to be due.",
  },
  {
    name: "relay-swallows-a-frame",
    file: "impl/core/relay.ts",
    find: 'if (other !== undefined) out.push({ type: "datagram", session: other, bytes });',
    replace: 'if (other !== undefined && bytes[3] % 64 !== 1) out.push({ type: "datagram", session: other, bytes });',
    imitates: "A relay loses one packet in sixty-four on its own, which looks like a slightly lossy link to everybody.",
  },
  {
    name: "stranger-served",
    file: "impl/core/relay.ts",
    find: 'refuse("unauthenticated", message.type); return refusal(peer, message.type, "not-registered");',
    replace:
      'if (message.type === "CallResume") return send(peer, { type: "CallResumed", call_id: message.call_id, channel: 0, peer_present: true }); return refusal(peer, message.type, "not-registered");',
    imitates: "The relay confirms a call to whoever names its id, before it knows who that is.",
  },
  {
    name: "orphans-kept",
    file: "impl/core/call-desk.ts",
    find: "call.orphanedAt ??= hub.now();",
    replace: "",
    imitates: "The relay does not note that a party has gone, so the call of one that never returns lives on for ever.",
  },
  {
    name: "rejected-call-set-up",
    file: "impl/core/call-desk.ts",
    find: "if (caller !== undefined) send(caller, message); return end(call, message, []);",
    replace: "",
    imitates: "The relay passes a refusal on and sets the call up all the same: a channel is lost with every refused call.",
  },
  {
    name: "own-address-in-set-up",
    file: "impl/core/call-desk.ts",
    find: 'send(caller, setup("dialer", 1)); send(peer, setup("acceptor", 0));',
    replace: 'send(caller, setup("dialer", 0)); send(peer, setup("acceptor", 1));',
    imitates: "CallSetup tells each party its own address in place of the peer's.",
  },
  {
    name: "hang-up-not-forwarded",
    file: "impl/core/call-desk.ts",
    find: 'if (message.type === "Hangup") { end(call, message, [other]);',
    replace: 'if (message.type === "Hangup") { return release(call);',
    imitates: "The relay forgets a call that is hung up before it has told the other party.",
  },
  {
    name: "doubt-never-ends",
    file: "impl/core/supervisor.ts",
    find: 'if (s.at !== "attempting" && s.at !== "waiting") return [s, []];',
    replace: "return [s, []];",
    imitates: "A relay that was only slow for a moment is registered with anew, though the old session works again.",
  },
  {
    name: "sign-of-life-ignored",
    file: "impl/core/supervisor.ts",
    find: 'if (s.at === "waiting" || (s.at === "attempting" && (input.asked === undefined ? !s.informed : s.since < input.asked)))',
    replace: "if (s.at === undefined)",
    imitates: "The relay answers again and the client sits out its backoff first.",
  },
  {
    name: "supervisor-survives-deregister",
    file: "impl/core/supervisor.ts",
    find: 'return [{ at: "idle" }, [{ type: "abandon" }, { type: "release" }, said({ state: "idle", supervisors: 0 })]];',
    replace: 'return attempt(s.relay, 1, now, true, "lost");',
    imitates: "Deregistering looks like a lost registration, and the supervisor brings it back.",
  },
];
