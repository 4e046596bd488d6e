/**
 * The catalogue of mutations: bugs that call systems have had, one file for each part of impl/ they are in. A scenario's twin names the one under
 * which it must be `broken`; `midcall mutants` tries them all and says who catches each.
 */
import type { Mutation } from "./mutation.ts";
import { CALL_MUTATIONS } from "./mutations/call.ts";
import { CLIENT_MUTATIONS } from "./mutations/client.ts";
import { FEDERATION_MUTATIONS } from "./mutations/federation.ts";
import { ICE_MUTATIONS } from "./mutations/ice.ts";
import { PLAYOUT_MUTATIONS } from "./mutations/playout.ts";
import { PROTECTION_MUTATIONS } from "./mutations/protection.ts";
import { RELAY_MUTATIONS } from "./mutations/relay.ts";
import { WIRE_MUTATIONS } from "./mutations/wire.ts";

/** Every mutation, part by part. */
export const ALL_MUTATIONS: readonly Mutation[] = [
  ...CLIENT_MUTATIONS,
  ...CALL_MUTATIONS,
  ...ICE_MUTATIONS,
  ...RELAY_MUTATIONS,
  ...FEDERATION_MUTATIONS,
  ...PROTECTION_MUTATIONS,
  ...PLAYOUT_MUTATIONS,
  ...WIRE_MUTATIONS,
];

/** Every mutation by name. */
export const MUTATIONS: ReadonlyMap<string, Mutation> = new Map(ALL_MUTATIONS.map((mutation) => [mutation.name, mutation]));
