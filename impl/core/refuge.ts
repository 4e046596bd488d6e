/**
 * Where a client goes when its relay asks it to leave (`RelayDraining`): to each alternative in turn and then back to the relay of before, which
 * may have restarted. Clients of one relay hear it at one instant, so each waits a random part of the time it is given.
 */
import { type Address, familyOf } from "../base/address.ts";
import { Instant, Micros, millis } from "../base/units.ts";
import type { RelayDraining } from "../wire/signal.ts";
import { addressesOf } from "./relay-route.ts";
import type { RelayTarget } from "./supervisor.ts";

/** Undefined `goAt`: under way. `relays`: those still to be tried, the relay of before last. `heeded`: addresses of relays that have asked on this way. */
export type State = {
  readonly goAt: Instant | undefined;
  readonly relays: readonly RelayTarget[];
  readonly heeded: readonly Address[];
};

/** Share of the time given that is used to spread departures. chosen: the other half is left for the move itself. */
const SPREAD = 0.5;
/** Longest wait before leaving. chosen: a thousand clients in 10 s are a hundred registrations a second at the next relay. */
const LONGEST_SPREAD: Micros = millis(10_000);

export const start = (): State => ({ goAt: undefined, relays: [], heeded: [] });

export const deadline = (s: State): Instant | undefined => s.goAt;

/**
 * The relay `home` asks to be left. `chance`, 0..1, places this client among the others. Without another relay there is nothing to do but wait; and two
 * relays that drain and name each other are each heeded once, until one of them takes the client in.
 */
export function asked(s: State, now: Instant, home: RelayTarget, message: RelayDraining, chance: number): State {
  const others = (message.alternatives ?? []).filter(({ addr, pin }) => addr !== home.address || pin !== home.pin);
  if (others.length === 0 || s.goAt !== undefined) return s;
  if (s.heeded.includes(home.address)) return s;
  const most = Math.min((message.deadline_ms ?? 0) * 1_000 * SPREAD, LONGEST_SPREAD);
  const token = home.token === undefined ? {} : { token: home.token };
  const relays = [...relaysOf(others, token), home];
  const heeded = [...s.heeded, home.address];
  return { goAt: Instant.after(now, Micros(Math.round(most * chance))), relays, heeded };
}

/** One relay may be named by its addresses of both families, one after the other: it is tried as one. */
function relaysOf(
  alternatives: NonNullable<RelayDraining["alternatives"]>,
  token: Pick<RelayTarget, "token">,
): readonly RelayTarget[] {
  const relays: RelayTarget[] = [];
  for (const { addr, pin } of alternatives) {
    const last = relays.at(-1);
    const isSame = last?.pin === pin && addressesOf(last).every((one) => familyOf(one) !== familyOf(addr));
    if (last !== undefined && isSame) relays[relays.length - 1] = { ...last, also: [addr] };
    else relays.push({ address: addr, pin, ...token });
  }
  return relays;
}

/** The next relay to try: when it is time to leave, and then whenever an attempt has `failed`. The last one is tried for ever. */
export function next(s: State, now: Instant, failed: boolean): readonly [State, RelayTarget | undefined] {
  const [relay, ...rest] = s.relays;
  const isTime = s.goAt === undefined ? failed : now >= s.goAt;
  return relay === undefined || !isTime ? [s, undefined] : [{ ...s, goAt: undefined, relays: rest }, relay];
}
