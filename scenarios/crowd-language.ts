/** Hundreds of clients in a few words: `crowd: { clients: 500 }`. They stay registered with the first relay and do nothing else. */
import { z } from "zod";
import type { Complaints } from "./complaints.ts";
import type { Crowd, PartyModel, Scenario } from "./expanded.ts";
import { type LinkNumbers, link, linkProblems, readLink, type WrittenLink } from "./link-language.ts";
import { formatTime, parseTime, type Time } from "./time.ts";
import type { Topology } from "./topology.ts";
import { strict, time } from "./vocabulary.ts";

/** A crowd as written; `up` and `down` take precedence over `link`. */
export type WrittenCrowd = {
  readonly clients: number;
  readonly link?: WrittenLink | undefined;
  readonly up?: WrittenLink | undefined;
  readonly down?: WrittenLink | undefined;
  /** How long it takes until all have registered. */
  readonly over?: Time | undefined;
};

/** chosen: what a simulation of half a minute carries within seconds. */
const MOST = 5_000;
/** chosen: as long as between two keep-alives of a session, so that they notice an outage at different times, as those of a real relay do. */
const DEFAULT_OVER = 10_000_000;

/** A crowd as written. */
export const crowd: z.ZodType<WrittenCrowd, WrittenCrowd> = strict({
  clients: z.int().min(1).max(MOST),
  link: link.optional(),
  up: link.optional(),
  down: link.optional(),
  over: time.optional(),
}) as unknown as z.ZodType<WrittenCrowd, WrittenCrowd>;

export function readCrowd(
  written: WrittenCrowd | undefined,
  { topology, labs, duration, complain }: { topology: Topology; labs: Scenario["labs"]; duration: number; complain: Complaints },
): Crowd | undefined {
  if (written === undefined) return undefined;
  const both = readLink(written.link ?? "broadband");
  for (const key of ["link", "up", "down"] as const) {
    const one = written[key];
    if (typeof one === "object") complain.add(linkProblems(one as LinkNumbers, ["crowd", key]));
  }
  const over = written.over === undefined ? Math.min(DEFAULT_OVER, duration) : (parseTime(written.over) ?? 0);
  if (over > duration)
    complain.say(["crowd", "over"], `${formatTime(over)} is longer than the run of ${formatTime(duration)}: want less`);
  if (labs.some((lab) => lab !== "sim"))
    complain.say(["labs"], `has ${labs.join(", ")}: want ["sim"], a crowd is there in virtual time only`);
  for (const name of topology.parties.keys())
    if (/^crowd-\d+$/.test(name)) complain.say(["parties", name], "is the name of one of the crowd: want another name");
  return {
    clients: written.clients,
    up: written.up === undefined ? both.up : readLink(written.up).up,
    down: written.down === undefined ? both.down : readLink(written.down).down,
    over,
  };
}

/** The parties that a crowd is, by name. */
export function crowdOf({ crowd: one }: Pick<Scenario, "crowd">): Readonly<Record<string, PartyModel>> {
  if (one === undefined) return {};
  const party: PartyModel = { role: "client", interfaces: { eth0: { up: one.up, down: one.down, nat: null } }, driftPpm: 0 };
  return Object.fromEntries(Array.from({ length: one.clients }, (_, i) => [`crowd-${i + 1}`, party]));
}
