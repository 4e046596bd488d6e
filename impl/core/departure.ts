/**
 * Sessions a client leaves on purpose. Each stays open until what was said last on it has arrived; one that carries a call stays until the next
 * relay carries it (make before break), so that a change of relay is not heard.
 */
import { Instant, type Micros, seconds } from "../base/units.ts";
import type { View } from "../base/view.ts";
import { type Link, lingersUntil } from "./relay-link.ts";
import type { SessionId } from "./session.ts";

/** How long a session carries a call that nobody else has taken over. chosen: as long as a call waits for its relay (call.ts), and that one gives it up. */
const CARRIES_AT_MOST: Micros = seconds(120);

type Departure = { readonly link: Link; until: Instant; isCarrying: boolean };

export class Departures {
  readonly #departures = new Map<SessionId, Departure>();

  /** `isCarrying`: a call's media go this way until `relieve`. */
  leave(link: Link, now: Instant, isCarrying: boolean): void {
    const until = isCarrying ? Instant.after(now, CARRIES_AT_MOST) : lingersUntil(link, now);
    this.#departures.set(link.id, { link, until, isCarrying });
  }

  find(id: SessionId): Link | undefined {
    return this.#departures.get(id)?.link;
  }

  /** The session that carries the call meanwhile, the latest first. */
  carrier(): Link | undefined {
    return [...this.#departures.values()].findLast((one) => one.isCarrying)?.link;
  }

  /** The call goes another way, or is over. */
  relieve(now: Instant): void {
    for (const one of this.#departures.values()) {
      if (!one.isCarrying) continue;
      one.isCarrying = false;
      one.until = lingersUntil(one.link, now);
    }
  }

  closed(id: SessionId): void {
    this.#departures.delete(id);
  }

  /** Those to be closed now; they are forgotten. */
  due(now: Instant): readonly SessionId[] {
    const ids = [...this.#departures].flatMap(([id, { until }]) => (now >= until ? [id] : []));
    for (const id of ids) this.#departures.delete(id);
    return ids;
  }

  deadline(): Instant | undefined {
    let first: Instant | undefined;
    for (const { until } of this.#departures.values()) first = Instant.earliest(first, until);
    return first;
  }

  view(): View {
    return [...this.#departures].map(([session, { until, isCarrying }]) => ({ session, until, isCarrying }));
  }
}
