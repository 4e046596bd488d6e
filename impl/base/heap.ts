/**
 * A priority queue of (time, payload) in which equal times leave in the order they came: a 4-ary heap over parallel arrays.
 * Measured against an object heap it is the faster one from about 100 pending entries on. Payloads stay where they were put and only their places
 * move: each move of an object would have to be told to the garbage collector.
 */
import { invariant } from "./invariant.ts";

export class TimeHeap<T> {
  #time: Float64Array = new Float64Array(1_024);
  #order: Float64Array = new Float64Array(1_024);
  /** Where in `#payloads` an entry's payload is; from `#size` on the places that are free. */
  #place: Int32Array = Int32Array.from({ length: 1_024 }, (_, i) => i);
  readonly #payloads: (T | undefined)[] = [];
  #size = 0;
  #inserted = 0;

  get size(): number {
    return this.#size;
  }

  /** The earliest time, or undefined when empty. */
  peek(): number | undefined {
    return this.#size === 0 ? undefined : this.#time[0];
  }

  push(time: number, payload: T): void {
    if (this.#size === this.#time.length) this.#grow();
    const order = this.#inserted++;
    let at = this.#size++;
    const times = this.#time;
    const orders = this.#order;
    const places = this.#place;
    const place = places[at] as number;
    while (at > 0) {
      const up = (at - 1) >> 2;
      if ((times[up] as number) <= time) break; // an equal time came earlier, so it stays above
      times[at] = times[up] as number;
      orders[at] = orders[up] as number;
      places[at] = places[up] as number;
      at = up;
    }
    times[at] = time;
    orders[at] = order;
    places[at] = place;
    this.#payloads[place] = payload;
  }

  /** Removes and returns the payload of the earliest entry; InvariantError when empty. */
  pop(): T {
    invariant(this.#size > 0, "TimeHeap.pop on an empty heap");
    const times = this.#time;
    const orders = this.#order;
    const places = this.#place;
    const free = places[0] as number;
    const top = this.#payloads[free] as T;
    this.#payloads[free] = undefined;
    const last = --this.#size;
    if (last === 0) return top;
    const time = times[last] as number;
    const order = orders[last] as number;
    const place = places[last] as number;
    places[last] = free;
    let at = 0;
    for (;;) {
      const first = at * 4 + 1;
      if (first >= last) break;
      let best = first;
      for (let child = first + 1; child < first + 4 && child < last; child++) {
        const a = times[child] as number;
        const b = times[best] as number;
        if (a < b || (a === b && (orders[child] as number) < (orders[best] as number))) best = child;
      }
      const least = times[best] as number;
      if (least > time || (least === time && (orders[best] as number) > order)) break;
      times[at] = least;
      orders[at] = orders[best] as number;
      places[at] = places[best] as number;
      at = best;
    }
    times[at] = time;
    orders[at] = order;
    places[at] = place;
    return top;
  }

  #grow(): void {
    const length = this.#size * 2;
    const [time, order] = [new Float64Array(length), new Float64Array(length)];
    const place = Int32Array.from({ length }, (_, i) => i);
    time.set(this.#time);
    order.set(this.#order);
    place.set(this.#place);
    this.#time = time;
    this.#order = order;
    this.#place = place;
  }
}
