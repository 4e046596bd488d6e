/** Bugs of relays that share users and calls. */
import type { Mutation } from "../mutation.ts";

export const FEDERATION_MUTATIONS: readonly Mutation[] = [
  {
    name: "federated-answer-not-forwarded",
    file: "impl/core/federation/federation.ts",
    find: '"DirectCallOffer", "DirectCallAnswer", "Ringing",',
    replace: '"DirectCallOffer", "Ringing",',
    imitates:
      "A relay forwards offers to other relays and keeps their answers to itself: the phone rings, and nobody can pick it up.",
  },
  {
    name: "federated-users-told-as-they-come",
    file: "impl/core/federation/federation.ts",
    find: 'tell(link, { type: "FederationUsers", whole: at === 0, added: users.slice(at, at + MAX_USERS), removed: [] });',
    replace: "",
    imitates:
      "A relay tells another one of users who register while they are linked, but not of those who were there before: after a restart it has none.",
  },
  {
    name: "federated-users-not-forgotten",
    file: "impl/core/federation/federation.ts",
    find: "link.standIns.clear(); link.users.clear(); link.trunk.clear();",
    replace: "link.users.clear();",
    imitates:
      "A relay remembers which media number another relay gave to a call, and sends under it to that relay's successor, who knows none.",
  },
];
