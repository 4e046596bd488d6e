/** Seeds on the command line and in results. */
import { InvalidArgumentError } from "commander";
import { commit } from "./version.ts";

/** The seed of a run nobody chose one for. chosen: fixed, so that two people who type the same command see the same run. */
export const DEFAULT_SEED = 1;

/** `0x2a`, as logs, results and folder names carry it. `seed` is a safe integer >= 0. */
export const formatSeed = (seed: number): string => `0x${seed.toString(16)}`;

/** A whole number 0..2^53-1, decimal or hexadecimal (`42`, `0x2a`); undefined for anything else. */
export function parseSeed(text: string): number | undefined {
  if (!/^(\d+|0[xX][0-9a-fA-F]+)$/.test(text)) return undefined;
  const seed = Number(text);
  return Number.isSafeInteger(seed) ? seed : undefined;
}

/** `parseSeed` for commander. */
export function seedArgument(text: string): number {
  const seed = parseSeed(text);
  if (seed === undefined) throw new InvalidArgumentError("Want a whole number 0..2^53-1, like 42 or 0x2a");
  return seed;
}

/** Seeds of one campaign: the next one, of the next day or commit, shall not begin among them. */
const CAMPAIGN_SEEDS = 1_000_000;

/**
 * The first seed of a campaign that begins elsewhere every time: `commit` is the commit's id (hexadecimal; what is not is the fixed seed, so
 * that a checkout without git has one too), `today` an ISO date.
 */
export const seedOfCommit = (commit: string): number =>
  /^[0-9a-f]{12}/.test(commit) ? Number.parseInt(commit.slice(0, 12), 16) : DEFAULT_SEED;
export const seedOfDate = (date: string): number => Number(date.slice(0, 10).replaceAll("-", "")) * CAMPAIGN_SEEDS;

/** `parseSeed` for commander, or one of the words `commit` and `today`. */
export function campaignSeedArgument(text: string): number {
  if (text === "commit") return seedOfCommit(commit());
  if (text === "today") return seedOfDate(new Date().toISOString());
  return seedArgument(text);
}

/** A whole number of at least `least`, for commander. */
export const wholeArgument =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Want a whole number of at least ${least}`);
    }
    return value;
  };
