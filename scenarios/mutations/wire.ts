/** Bugs of what is written on the wire and read from it. By module. */
import type { Mutation } from "../mutation.ts";

export const WIRE_MUTATIONS: readonly Mutation[] = [
  {
    name: "eight-bit-packet-number",
    file: "impl/wire/media-header.ts",
    find: "into[2] = header.seq16 >>> 8;",
    replace: "into[2] = 0;",
    imitates: "Only the low octet of the packet number is written, which starts over after five seconds.",
  },
  {
    name: "timestamp-cut-short",
    file: "impl/wire/media-header.ts",
    find: "putUint(into, 8, 4, header.timestamp32);",
    replace: "putUint(into, 8, 4, header.timestamp32 % 65_536);",
    imitates: "The timestamp is written with sixteen bits, which start over every 1.4 s.",
  },
  {
    name: "set-up-too-large",
    file: "impl/wire/signal.ts",
    find: "export const MAX_SIGNAL_BYTES = 16_384;",
    replace: "export const MAX_SIGNAL_BYTES = 512;",
    imitates: "The limit of a message is below what an offer with its keys takes.",
  },
  {
    name: "one-update-only",
    file: "impl/wire/signal.ts",
    find: "mapped_addr: addr.exactOptional(), generation: whole,",
    replace: "mapped_addr: addr.exactOptional(), generation: whole.max(1),",
    imitates: "The parser takes the second update of the candidates for malformed.",
  },
  {
    name: "answer-lost-in-parser",
    file: "impl/wire/signal.ts",
    find: 'mode: z.enum(["AcceptTrusted", "AcceptGeneric", "Reject"]),',
    replace: 'mode: z.enum(["AcceptTrusted", "Reject"]),',
    imitates: "A kind of answer that came with a later version is malformed to the parser.",
  },
  {
    name: "transaction-not-echoed",
    file: "impl/wire/stun.ts",
    find: "out.set(transactionId, 8);",
    replace: "",
    imitates: "The STUN answer carries no transaction, so nobody knows what it answers.",
  },
  {
    name: "noise-description-malformed",
    file: "impl/wire/comfort-noise.ts",
    find: "level > SILENT_DBOV ? undefined",
    replace: "level < SILENT_DBOV ? undefined",
    imitates: "A peer that falls silent says how loud its room is, and is refused: its silence is concealed like a loss.",
  },
];
