/** Bugs of relays that share users and calls. */
import type { Mutation } from "../mutation.ts";

export const FEDERATION_MUTATIONS: readonly Mutation[] = [
  {
    name: "federated-answer-not-forwarded",
    file: "impl/core/federation/forwarding.ts",
    find: '"DirectCallOffer", "DirectCallAnswer", "Ringing",',
    replace: '"DirectCallOffer", "Ringing",',
    imitates:
      "A relay forwards offers to other relays and keeps their answers to itself: the phone rings, and nobody can pick it up.",
  },
  {
    name: "federated-users-told-as-they-come",
    file: "impl/core/federation/federation.ts",
    find: "tell(link, announcement(users.slice(at, at + MAX_USERS), at === 0));",
    replace: ";",
    imitates:
      "A relay tells another one of users who register while they are linked, but not of those who were there before: after a restart it has none.",
  },
  {
    name: "federated-users-not-forgotten",
    file: "impl/core/federation/directory.ts",
    find: "link.standIns.clear(); link.users.clear(); link.trunk.clear();",
    replace: "link.users.clear();",
    imitates:
      "A relay remembers which media number another relay gave to a call, and sends under it to that relay's successor, who knows none.",
  },
  {
    name: "replayed-registration-believed",
    file: "impl/core/federation/directory.ts",
    find: 'if (at < newest) return "replayed";',
    replace: "",
    imitates: "A relay shows others the registration of a user who has gone elsewhere since, and is sent that user's calls.",
  },
  {
    name: "lost-link-not-probed",
    file: "impl/core/federation/federation.ts",
    find: 'supervise(link, { type: "alive", asked });',
    replace: "",
    imitates: "A relay that has lost another one does not heed its first sign of life, and sits out its backoff.",
  },
  {
    name: "hang-up-by-stand-in-refused",
    file: "impl/core/federation/forwarding.ts",
    find: "claimsProof(message) || isOfCarried(standIn, message)",
    replace: "claimsProof(message)",
    imitates:
      "A relay refuses the hang-up of a user who has just taken the call up by another relay, because the session of before is still open, and the peer stays in the call.",
  },
  {
    name: "silent-relay-believed",
    file: "impl/core/federation/path-probe.ts",
    find: "return this.#lostInARow >= SILENT_AFTER;",
    replace: "return false;",
    imitates: "Two relays keep a link of which one direction is dead, because what the other direction brings sounds like life.",
  },
  {
    name: "federated-move-not-believed",
    file: "impl/core/federation/forwarding.ts",
    find: "(isMoving && !(checked.ok && isBelieved(link.standIns.get(from), checked.message)))",
    replace: "isMoving",
    imitates:
      "A relay refuses the resumption that a user makes from another relay while the session of before is still open, and the user never says it again.",
  },
  {
    name: "moved-user-orphans-its-call",
    file: "impl/core/call-desk.ts",
    find: "if (side === -1) continue;",
    replace: "",
    imitates: "A relay thinks a party lost whose earlier session closes, and ends the call a minute after it has moved.",
  },
  {
    name: "trunk-without-numbers",
    file: "impl/wire/trunk.ts",
    find: "putUint(out, at, 2, number);",
    replace: "",
    imitates: "Packets of many calls travel in one datagram between relays, and nothing tells which is whose.",
  },
  {
    name: "moved-user-taken-for-in-call",
    file: "impl/core/call-desk.ts",
    find: "call.orphanedAt = hub.now();\n          hub.sweepSoon();",
    replace: "",
    imitates:
      "A relay takes it that whoever registers at another relay has its call along, so who started anew and forgot it keeps its peer on the line for good.",
  },
  {
    name: "silent-link-trusted",
    file: "impl/core/federation/federation.ts",
    find: 'if (heard === "heard-again") challenge(link);',
    replace: "",
    imitates:
      "A relay that answers STUN again after a moment of silence is taken to know the link, though it was started anew meanwhile.",
  },
];
