/** Bugs of keys, sealing, packet numbers and the replay window. By module. */
import type { Mutation } from "../mutation.ts";

export const PROTECTION_MUTATIONS: readonly Mutation[] = [
  {
    name: "one-key-both-ways",
    file: "impl/core/key-agreement.ts",
    find: 'const [send, receive] = call.role === "caller" ? [toCallee, toCaller] : [toCaller, toCallee];',
    replace: "const [send, receive] = [toCallee, toCallee];",
    imitates: "Both directions of a call share one key and count from zero, so every nonce is used twice.",
  },
  {
    name: "share-signature-unchecked",
    file: "impl/core/key-agreement.ts",
    find: 'return engine.verify(identity, covered, signature) ? { ok: true } : { ok: false, reason: "forged-signature" };',
    replace: "return { ok: true };",
    imitates: "The signature of a key share is not looked at, so a relay can sit in the middle of every call.",
  },
  {
    name: "keys-from-own-view",
    file: "impl/core/key-agreement.ts",
    find: "[call.mine, call.theirs] : [call.theirs, call.mine];",
    replace: "[call.mine, call.theirs] : [call.mine, call.theirs];",
    imitates: "Both ends put their own share first and so derive different keys.",
  },
  {
    name: "packet-numbers-restart",
    file: "impl/core/packet-protection.ts",
    find: "this.#run = undefined;",
    replace: "this.#run = undefined; this.#next = 0;",
    imitates: "Packet numbers begin again on a new session under the same key: nonces are used twice.",
  },
  {
    name: "replay-window-never-moves",
    file: "impl/core/packet-protection.ts",
    find: "this.#window.mark(seq);",
    replace: "",
    imitates: "The receiver does not note which packets it has had, so every copy is accepted.",
  },
  {
    name: "resync-ignored",
    file: "impl/core/packet-protection.ts",
    find: "this.#run = undefined;",
    replace: "",
    imitates: "After a change of path the sender goes on with short headers.",
  },
  {
    name: "full-header-once",
    file: "impl/core/header-run.ts",
    find: "index < OPENING_PACKETS || (index & (index - 1)) === 0 || unitsSinceFull >= REFRESH_UNITS",
    replace: "index < 1",
    imitates: "The header that all others lean on is sent once: when that packet is lost, nothing of the call can be opened.",
  },
  {
    name: "only-first-run-known",
    file: "impl/core/header-run.ts",
    find: "this.#known.splice(at + 1, 0, { run, from: seq });",
    replace: "if (this.#known.length === 0) this.#known.push({ run, from: seq });",
    imitates: "The receiver understands short headers only as the first full one explained them.",
  },
  {
    name: "wrap-not-noticed",
    file: "impl/core/packet-number.ts",
    find: "return candidate + modulus;",
    replace: "return candidate;",
    imitates: "When the sixteen bits of the packet number start over, packets are taken for old ones.",
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
    name: "replay-bitmap-not-cleared",
    file: "impl/core/replay-window.ts",
    find: "for (let word = Math.max(from, to - WORDS + 1); word <= to; word++) this.#seen[word % WORDS] = 0;",
    replace: "",
    imitates: "The ring of the replay window is not cleared as it turns, so packets that come out of order are taken for copies.",
  },
];
