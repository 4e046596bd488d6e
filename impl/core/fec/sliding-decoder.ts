/**
 * The receiver's side of the sliding window: sums of cells are equations over the cells of packets that have not come. They are kept solved as far as they
 * go (reduced row echelon form, the oldest unknown first), so a frame is found with the first sum that determines it, and what becomes too old to be of use
 * leaves without taking anything with it. A packet that comes after all is put in where it was unknown. Memory is bounded whatever comes.
 */
import { freshOctets } from "../../base/octet-slab.ts";
import { FRAME_UNIT_SAMPLES } from "../../wire/media-header.ts";
import { addMultiple, inverse, scale } from "./galois.ts";
import { addFrames, CELL_BYTES, cellOctets, cellsOf, factorsOf, frameOfCells, MAX_CELLS, multiplesOf } from "./sliding-code.ts";
import type { SlidingPayload } from "./sliding-payload.ts";
import type { SourcePacket } from "./source-packet.ts";

/** Packets that are looked for, from the newest back. chosen: twice the longest window, so that what overtakes does not end the search. */
const SOUGHT = 30;
const MAX_UNKNOWNS: number = SOUGHT * MAX_CELLS;

type Missing = Pick<SourcePacket, "seq" | "timestamp" | "codec" | "frames"> & {
  /** Which unknown each of its cells is. */
  readonly unknowns: readonly number[];
};
/** A packet that repair is about: its cells, and what is known of them. */
type Covered = { readonly count: number; readonly known: Uint32Array | undefined; readonly missing: Missing | undefined };
type Row = { readonly factors: Uint8Array; readonly sum: Uint8Array; pivot: number };

export class SlidingDecoder {
  /** A packet that came or came back. */
  readonly #packet: (seq: number) => SourcePacket | undefined;
  readonly #missing = new Map<number, Missing>();
  readonly #prepared = new WeakMap<SourcePacket, Uint32Array>();
  #rows: Row[] = [];
  /** Age of each unknown in use, as a number that rises with time; infinite: free. */
  readonly #age: Float64Array = new Float64Array(MAX_UNKNOWNS).fill(Number.POSITIVE_INFINITY);
  /** One more than the highest unknown in use. */
  #width = 0;
  #newest = -1;

  constructor(packet: (seq: number) => SourcePacket | undefined) {
    this.#packet = packet;
  }

  /** Packets looked for, and equations about them; neither ever above a fixed bound. */
  get pending(): { readonly packets: number; readonly equations: number } {
    return { packets: this.#missing.size, equations: this.#rows.length };
  }

  /** What a packet's repair gives back; undefined when it contradicts what is known. `own` is the packet it came in. */
  repair(own: SourcePacket, { cells, rows }: SlidingPayload): readonly SourcePacket[] | undefined {
    if (own.seq > this.#newest) this.#newest = own.seq;
    this.#expire();
    const before = this.#covered(own, cells);
    if (!Array.isArray(before)) return before === "malformed" ? undefined : [];
    const columns = cells.reduce((sum, count) => sum + count, 0);
    const sums: Row[] = [];
    for (let at = 0, row = 0; at < rows.length; at += CELL_BYTES, row++) {
      const [factors, sum] = [freshOctets(MAX_UNKNOWNS), rows.slice(at, at + CELL_BYTES)];
      const drawn = factorsOf(own.seq, row, columns);
      let column = 0;
      for (const { count, known, missing } of before) {
        if (known !== undefined) addFrames(sum, 0, [known], drawn, column);
        for (const [cell, unknown] of (missing?.unknowns ?? []).entries()) factors[unknown] = drawn[column + cell] as number;
        column += count;
      }
      sums.push({ factors, sum, pivot: -1 });
    }
    for (const row of sums) this.#add(row);
    return this.#harvest();
  }

  /** A packet came, or came back by other means: what that settles. */
  learned({ seq, payload }: SourcePacket): readonly SourcePacket[] {
    const missing = this.#missing.get(seq);
    if (missing === undefined) return [];
    if (cellsOf(payload.length) !== missing.unknowns.length) {
      this.#clear();
      return [];
    }
    const octets = cellOctets(payload);
    for (const [cell, unknown] of missing.unknowns.entries()) {
      const own = octets.subarray(cell * CELL_BYTES);
      for (const { factors, sum } of this.#rows) {
        addMultiple(sum, own, factors[unknown] as number, CELL_BYTES);
        factors[unknown] = 0;
      }
    }
    const [loose, kept] = [[] as Row[], [] as Row[]];
    for (const row of this.#rows) (missing.unknowns.includes(row.pivot) ? loose : kept).push(row);
    this.#rows = kept;
    this.#forget(missing);
    for (const row of loose) this.#add(row);
    return this.#harvest();
  }

  /** The covered packets, those unknown so far made so; or why the rows are of no use. */
  #covered(own: SourcePacket, cells: readonly number[]): "malformed" | "useless" | Covered[] {
    let isAnyGone = false;
    let isAnyTooOld = false;
    for (let i = 0, seq = own.seq - 1; i < cells.length; i++, seq--) {
      const count = cells[i] as number;
      if (count === 0) continue;
      const packet = this.#packet(seq);
      const has = packet !== undefined ? cellsOf(packet.payload.length) : (this.#missing.get(seq)?.unknowns.length ?? count);
      if (seq < 0 || has !== count || own.timestamp < (i + 1) * own.frames * FRAME_UNIT_SAMPLES) return "malformed";
      if (packet !== undefined) continue;
      isAnyGone = true;
      if (seq <= this.#newest - SOUGHT) isAnyTooOld = true;
    }
    // As a rule everything has come: it is found out without making anything.
    if (!isAnyGone || isAnyTooOld) return "useless";
    return cells.flatMap((count, i): Covered[] => {
      if (count === 0) return [];
      const [distance, seq] = [i + 1, own.seq - i - 1];
      const packet = this.#packet(seq);
      if (packet !== undefined) return [{ count, known: this.#multiples(packet), missing: undefined }];
      return [{ count, known: undefined, missing: this.#missing.get(seq) ?? this.#seek(own, seq, distance, count) }];
    });
  }

  /** Of a packet that is here; kept as long as it is. */
  #multiples(packet: SourcePacket): Uint32Array {
    const known = this.#prepared.get(packet);
    if (known !== undefined) return known;
    const fresh = multiplesOf(cellOctets(packet.payload));
    this.#prepared.set(packet, fresh);
    return fresh;
  }

  #seek({ timestamp, codec, frames }: SourcePacket, seq: number, distance: number, count: number): Missing {
    const unknowns: number[] = [];
    for (let unknown = 0; unknowns.length < count; unknown++) {
      if (this.#age[unknown] !== Number.POSITIVE_INFINITY) continue;
      this.#age[unknown] = seq * (MAX_CELLS + 1) + unknowns.length;
      unknowns.push(unknown);
      this.#width = Math.max(this.#width, unknown + 1);
    }
    const missing = { seq, timestamp: timestamp - distance * frames * FRAME_UNIT_SAMPLES, codec, frames, unknowns };
    this.#missing.set(seq, missing);
    return missing;
  }

  /** One equation more: less what is known of its unknowns already, and then known everywhere itself. */
  #add(row: Row): void {
    const width = this.#width;
    for (const { factors, sum, pivot } of this.#rows) {
      const factor = row.factors[pivot] as number;
      addMultiple(row.factors, factors, factor, width);
      addMultiple(row.sum, sum, factor);
    }
    row.pivot = this.#oldest(row.factors);
    if (row.pivot < 0) return;
    const factor = inverse(row.factors[row.pivot] as number);
    scale(row.factors, factor, width);
    scale(row.sum, factor);
    for (const { factors, sum } of this.#rows) {
      const share = factors[row.pivot] as number;
      addMultiple(factors, row.factors, share, width);
      addMultiple(sum, row.sum, share);
    }
    this.#rows.push(row);
  }

  #oldest(factors: Uint8Array): number {
    let oldest = -1;
    for (let i = 0; i < this.#width; i++) {
      if (factors[i] === 0) continue;
      if (oldest < 0 || (this.#age[i] as number) < (this.#age[oldest] as number)) oldest = i;
    }
    return oldest;
  }

  /** Takes out the packets all of whose cells are known. */
  #harvest(): readonly SourcePacket[] {
    const known = new Map<number, Row>();
    for (const row of this.#rows) if (isAlone(row, this.#width)) known.set(row.pivot, row);
    if (known.size === 0) return [];
    const found: SourcePacket[] = [];
    for (const missing of [...this.#missing.values()].sort((a, b) => a.seq - b.seq)) {
      const own = missing.unknowns.map((unknown) => known.get(unknown));
      if (!own.every((row) => row !== undefined)) continue;
      const octets = new Uint8Array(own.length * CELL_BYTES);
      for (const [cell, { sum }] of own.entries()) octets.set(sum, cell * CELL_BYTES);
      this.#rows = this.#rows.filter((row) => !missing.unknowns.includes(row.pivot));
      this.#forget(missing);
      const payload = frameOfCells(octets);
      const { seq, timestamp, codec, frames } = missing;
      if (payload !== undefined) found.push({ seq, timestamp, codec, frames, payload });
    }
    return found;
  }

  /** What is too old leaves with the equations about it: whatever is newer was solved for without them. */
  #expire(): void {
    for (const missing of this.#missing.values()) {
      if (missing.seq > this.#newest - SOUGHT) continue;
      this.#rows = this.#rows.filter(({ factors }) => missing.unknowns.every((unknown) => factors[unknown] === 0));
      this.#forget(missing);
    }
  }

  #forget({ seq, unknowns }: Missing): void {
    this.#missing.delete(seq);
    for (const unknown of unknowns) this.#age[unknown] = Number.POSITIVE_INFINITY;
    while (this.#width > 0 && this.#age[this.#width - 1] === Number.POSITIVE_INFINITY) this.#width--;
  }

  #clear(): void {
    this.#rows = [];
    for (const missing of [...this.#missing.values()]) this.#forget(missing);
  }
}

/** Whether a row says what its pivot is, and nothing of others. */
function isAlone({ factors, pivot }: Row, width: number): boolean {
  for (let i = 0; i < width; i++) if (factors[i] !== 0 && i !== pivot) return false;
  return true;
}
