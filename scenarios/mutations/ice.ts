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
];
