/**
 * The catalogue of mutations. A scenario's twin names the one under which it must be `broken`; `midcall mutants` tries them
 * all. Those of twins come first, in the order of their cases.
 */
import { FURTHER_MUTATIONS } from "./further-mutations.ts";
import type { Mutation } from "./mutation.ts";

const OF_TWINS: readonly Mutation[] = [
  {
    name: "one-key-both-ways",
    file: "impl/core/key-agreement.ts",
    find: 'const [send, receive] = call.role === "caller" ? [toCallee, toCaller] : [toCaller, toCallee];',
    replace: "const [send, receive] = [toCallee, toCallee];",
    imitates: "Both directions of a call share one key and count from zero, so every nonce is used twice.",
  },
  {
    name: "call-forgotten-on-reconnect",
    file: "impl/core/client.ts",
    find: "const resume = call.resume(context(), current, now);",
    replace: "const resume = undefined;",
    imitates: "After the relay is back the client registers again but never takes its call up: registered, and silent for ever.",
  },
  {
    name: "hang-up-on-silence",
    file: "impl/core/client.ts",
    find: 'interrupted(); return supervise({ type: "lost", reason: "silent" });',
    replace: 'drive({ type: "hang-up", reason: "silent" }); return supervise({ type: "lost", reason: "silent" });',
    imitates: "The call is ended at the first sign that the relay does not answer, instead of waiting for it to come back.",
  },
  {
    name: "waits-for-lost-packet",
    file: "impl/core/neteq/neteq-buffer.ts",
    find: "if (this.#window.count === 0 || now < this.#holdUntil) return this.#makeUp(need);",
    replace:
      "if (this.#window.count === 0 || (this.#last >= 0 && this.#window.head.seq !== this.#last + 1)) return this.#makeUp(need);",
    imitates: "Playout waits for the next packet in order, so the first one that is lost silences the call for good.",
  },
  {
    name: "session-known-by-address",
    file: "impl/core/relay.ts",
    find: "peer.remote = event.remote;",
    replace: "peer.remote = event.remote; desk.detach(peer);",
    imitates: "The relay keys its media routes by the client's address, so a client behind a rebound NAT is a stranger.",
  },
  {
    name: "no-leap-in-packet-numbers",
    file: "impl/core/replay-window.ts",
    find: "if (seq > this.#highest) return true;",
    replace: "if (seq > this.#highest) return seq <= this.#highest + 32;",
    imitates:
      "A packet number far ahead is taken for an attack, so after an outage longer than the window nothing is accepted again.",
  },
  {
    name: "next-packet-number-only",
    file: "impl/core/replay-window.ts",
    find: "if (seq > this.#highest) return true;",
    replace: "if (seq > this.#highest) return seq === this.#highest + 1;",
    imitates: "The replay check accepts only the next packet number, so the first loss is the last packet heard.",
  },
  {
    name: "short-ring-timeout",
    file: "impl/core/call-setup.ts",
    find: "ringing: seconds(60),",
    replace: "ringing: seconds(5),",
    imitates:
      "The ring timeout is confused with the set-up timeout: whoever needs more than 5 s to the phone has missed the call.",
  },
  {
    name: "rejection-ignored",
    file: "impl/core/call-setup.ts",
    find: 'if (message.mode === "Reject") return end(context, call, message.reason ?? "rejected", { mode: "Reject" });',
    replace: "",
    imitates: "The caller does not understand a refusal and goes on ringing until its own timeout.",
  },
  {
    name: "stale-update-applied",
    file: "impl/core/candidate-generation.ts",
    find: "if (generation <= s.peer)",
    replace: "if (generation < s.peer)",
    imitates: "A candidate update that arrives twice is applied twice: the comparison forgets equality.",
  },
  {
    name: "copies-unused",
    file: "impl/core/media-stream.ts",
    find: "this.#giveBack(now, received.recovered);",
    replace: "this.#giveBack(now, []);",
    imitates:
      "Redundant copies are sent, received, waited for and unpacked, and what they give back is never handed to the jitter buffer.",
  },
];

/** Every mutation by name. */
export const MUTATIONS: ReadonlyMap<string, Mutation> = new Map(
  [...OF_TWINS, ...FURTHER_MUTATIONS].map((mutation) => [mutation.name, mutation]),
);
