/**
 * Repair of a sliding window in front of a packet's own frame. The packet is of codec CODEC_SLIDING.
 *
 *     cccc wwww | nnnn rrrr | more rows, only where rrrr is 15 | cells of each covered packet, 4 bits each, the nearest first | rows x 8 octets | the packet's own frame
 *
 * cccc is the codec, wwww how many packets back its sender covers, which is also how long a receiver must hold frames. nnnn, at most that, is how many
 * the rows here are about: the packets right before this one. Cells: of 8 octets, as sliding-code.ts cuts frames; 0: that packet is not covered.
 */
import { freshOctets } from "../../base/octet-slab.ts";
import { CELL_BYTES } from "./sliding-code.ts";

export type SlidingPayload = {
  /** 0..15. */
  readonly codec: number;
  /** 1..15. */
  readonly window: number;
  /** Cells of the packets 1, 2, .. before this one, 0..15 each, at most `window` of them. */
  readonly cells: readonly number[];
  /** CELL_BYTES for each row. */
  readonly rows: Uint8Array;
  readonly payload: Uint8Array;
};

const HEAD_BYTES = 2;
/** Rows that four bits count; from here on an octet more counts the rest. */
const MANY_ROWS = 15;
export const MAX_ROWS: number = MANY_ROWS + 255;

const headBytes = (rows: number): number => HEAD_BYTES + (rows < MANY_ROWS ? 0 : 1);
/** Octets in front of the frame when `covered` packets are. */
export const slidingCost = (covered: number, rows: number): number => headBytes(rows) + ((covered + 1) >> 1) + rows * CELL_BYTES;

/** The caller guarantees ranges. */
export function putSlidingPayload({ codec, window, cells, rows, payload }: SlidingPayload): Uint8Array {
  const count = rows.length / CELL_BYTES;
  const [head, start] = [headBytes(count), slidingCost(cells.length, count) - rows.length];
  const bytes = freshOctets(start + rows.length + payload.length);
  bytes[0] = (codec << 4) | window;
  bytes[1] = (cells.length << 4) | Math.min(count, MANY_ROWS);
  if (count >= MANY_ROWS) bytes[HEAD_BYTES] = count - MANY_ROWS;
  for (let i = 0; i < cells.length; i += 2) bytes[head + (i >> 1)] = ((cells[i] as number) << 4) | (cells[i + 1] ?? 0);
  bytes.set(rows, start);
  bytes.set(payload, start + rows.length);
  return bytes;
}

/** Undefined for anything that is not such a payload. Never throws; what it returns are views. */
export function parseSlidingPayload(bytes: Uint8Array): SlidingPayload | undefined {
  const [first, second] = [bytes[0], bytes[1]];
  if (first === undefined || second === undefined) return undefined;
  const [window, covered, few] = [first & 15, second >> 4, second & 15];
  const count = few < MANY_ROWS ? few : few + (bytes[HEAD_BYTES] ?? 0);
  const head = headBytes(count);
  const end = slidingCost(covered, count);
  const start = end - count * CELL_BYTES;
  if (window === 0 || covered > window || end > bytes.length) return undefined;
  const cells: number[] = [];
  for (let i = 0; i < covered; i++) {
    const pair = bytes[head + (i >> 1)] as number;
    cells.push(i % 2 === 0 ? pair >> 4 : pair & 15);
  }
  return { codec: first >> 4, window, cells, rows: bytes.subarray(start, end), payload: bytes.subarray(end) };
}
