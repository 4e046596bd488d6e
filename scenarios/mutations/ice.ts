/** Bugs of finding and keeping a direct path: candidates, the race, proofs, the watch over both paths. By module. */
import type { Mutation } from "../mutation.ts";

export const ICE_MUTATIONS: readonly Mutation[] = [
  {
    name: "acceptor-never-punches",
    file: "impl/core/ice/direct-sessions.ts",
    find: 'punch(wanted); if (meeting.role === "acceptor") return;',
    replace: 'if (meeting.role === "acceptor") { race.punches = 99; return; } punch(wanted);',
    imitates: "The side that is dialled only waits, so its own NAT never lets the dialler in.",
  },
  {
    name: "ready-not-understood",
    file: "impl/wire/direct.ts",
    find: 'z.object({ type: z.literal("DirectReady"), call_id: hex(16), proof: hex(32) }),',
    replace: 'z.object({ type: z.literal("DirectReady"), call_id: hex(16), proof: hex(64) }),',
    imitates: "The dialler cannot read the acceptor's word, so only one of them ever takes the direct path.",
  },
  {
    name: "no-host-candidates",
    file: "impl/core/ice/agent.ts",
    find: "local: s.network === undefined ? [] : hostCandidates(s.network),",
    replace: "local: [],",
    imitates: "Only what a server sees is told, so two clients on one network depend on their router's hairpin.",
  },
  {
    name: "ipv6-never-tried",
    file: "impl/core/ice/reach.ts",
    find: 'if (prefix >= 0x2000 && prefix <= 0x3fff) return "global v6";',
    replace: "",
    imitates: "Candidates of both families are gathered and told, and only those of IPv4 are paired.",
  },
  {
    name: "addresses-dialled-in-turn",
    file: "impl/core/address-race.ts",
    find: "Instant.after(now, DELAY)",
    replace: "Instant.after(now, 60_000_000)",
    imitates: "A relay's second address is dialled when the handshake with the first one has timed out, and not before.",
  },
  {
    name: "registration-not-doubted",
    file: "impl/core/address-race.ts",
    find: "const nextAt = untried.length === 0 ? undefined : Instant.after(now, wait);",
    replace: "const nextAt = undefined;",
    imitates: "Whoever has completed a handshake has won for good, though it never says what it was dialled for.",
  },
  {
    name: "relay-path-waits-for-race",
    file: "impl/core/ice/direct-path.ts",
    find: "chosen === undefined || !chosen.isHeard || chosen.watch.doubt !== undefined || now() < bothUntil || now() < peerDoubtsUntil;",
    replace: "chosen?.watch.doubt !== undefined || now() < bothUntil || now() < peerDoubtsUntil;",
    imitates: "Media wait for a direct path, which may never come, instead of starting by the relay.",
  },
  {
    name: "one-path-at-a-time",
    file: "impl/core/ice/direct-path.ts",
    find: "chosen === undefined || !chosen.isHeard || chosen.watch.doubt !== undefined || now() < bothUntil || now() < peerDoubtsUntil;",
    replace: "chosen === undefined;",
    imitates:
      "Media take the direct path alone until it is known to be dead, and the next one alone after that: break before make.",
  },
  {
    name: "acceptor-believes-at-once",
    file: "impl/core/ice/direct-path.ts",
    find: "isHeard: pair.id > 0",
    replace: "isHeard: true",
    imitates:
      "The side that is dialled leaves the relay path as soon as it has been spoken to, though the dialler may have given up meanwhile.",
  },
  {
    name: "relay-path-goes-cold",
    file: "impl/core/ice/direct-path.ts",
    find: "if (link?.channel === undefined) return;",
    replace: "if (link?.channel === undefined || chosen !== undefined) return;",
    imitates:
      "The relay path is given up when a direct one is found, so there is nothing to fall back to before that is known to be dead.",
  },
  {
    name: "candidates-of-set-up-only",
    file: "impl/core/ice/client-ice.ts",
    find: 'if (call !== undefined && hasMet) path.race(peers(call.generations.peerCandidates), "peer-update");',
    replace: "",
    imitates: "A peer's update is applied to the state of the call, and nobody tries the new addresses.",
  },
  {
    name: "mapping-never-asked",
    file: "impl/core/ice/client-ice.ts",
    find: 'if (certificate !== undefined) { tellMapping({ type: "want" });',
    replace: "if (certificate !== undefined) {",
    imitates: "Candidates are gathered without asking the router for a port.",
  },
  {
    name: "no-nat-pmp",
    file: "impl/core/ice/port-mapping.ts",
    find: 'return isForPcp ? ask({ ...s, router: "nat-pmp" }, now, 0) : [gaveUp(s, now), []];',
    replace: "return [gaveUp(s, now), []];",
    imitates: "A router that does not know PCP is taken for one that maps no ports.",
  },
  {
    name: "upnp-search-answer-unseen",
    file: "impl/wire/ssdp.ts",
    find: 'header("st") === GATEWAY',
    replace: 'header("nt") === GATEWAY',
    imitates: "A client that looks for what it searched in the header of announcements, which answers to a search do not have.",
  },
  {
    name: "upnp-version-2-only",
    file: "impl/wire/igd.ts",
    find: "WAN(?:IPConnection:[12]|PPPConnection:1)$/",
    replace: "WANIPConnection:2$/",
    imitates: "A client that knows the second version of the service alone, and most routers in use have the first.",
  },
  {
    name: "pcp-answer-not-understood",
    file: "impl/wire/pcp.ts",
    find: "version !== VERSION || opcode !== (RESPONSE | MAP) ||",
    replace: "version !== VERSION || opcode !== MAP ||",
    imitates: "A reader that looks for the opcode without the bit that marks responses.",
  },
  {
    name: "nat-pmp-for-no-time",
    file: "impl/wire/nat-pmp.ts",
    find: "putUint(out, 8, 4, request.lifetime);",
    replace: "putUint(out, 8, 4, 0);",
    imitates: "A NAT-PMP request names no lifetime, which takes a mapping back instead of making one.",
  },
  {
    name: "hang-up-by-relay-alone",
    file: "impl/core/ice/direct-sessions.ts",
    find: 'close(pair, hangUp !== undefined && pair.stage === "ready"',
    replace: 'close(pair, hangUp !== undefined && pair.stage === "connecting"',
    imitates: "Who hangs up closes the direct session without a word, and leaves telling to the relay.",
  },
];
