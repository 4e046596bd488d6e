/** The ack-eliciting packets of one packet number space that are neither acknowledged nor declared lost, and the frames to send again. */
import type { QuicPacket, ReliableFrame } from "./packet.ts";
import { type ReceivedNumbers, startReceived } from "./received-numbers.ts";

export type Space = {
  /** False before its keys exist and after they are discarded. */
  open: boolean;
  /** The next packet number. */
  next: number;
  /** Ring of outstanding packets by number; numbers below `first` are settled. */
  slots: (QuicPacket | undefined)[];
  first: number;
  /** Outstanding ack-eliciting packets. */
  outstanding: number;
  /** Packets without anything to acknowledge sent in a row. */
  quiet: number;
  largestAcked: number;
  lastElicitingAt: number;
  /** When the earliest outstanding packet counts as lost by time; Infinity when none is suspected. */
  lossTime: number;
  /** Probe packets owed, which the congestion window does not hold back. */
  probes: number;
  /** Reliable frames waiting to go out again, oldest first, and all that are not acknowledged. */
  readonly resend: ReliableFrame[];
  readonly unacked: Set<ReliableFrame>;
  readonly received: ReceivedNumbers;
};

export const startSpace = (open: boolean): Space => ({
  open,
  next: 0,
  slots: new Array<QuicPacket | undefined>(16).fill(undefined),
  first: 0,
  outstanding: 0,
  quiet: 0,
  largestAcked: -1,
  lastElicitingAt: 0,
  lossTime: Number.POSITIVE_INFINITY,
  probes: 0,
  resend: [],
  unacked: new Set(),
  received: startReceived(),
});

/** Remembers an ack-eliciting packet, the caller having taken its number. */
export function remember(space: Space, packet: QuicPacket): void {
  if (packet.number - space.first >= space.slots.length) grow(space, packet.number - space.first + 1);
  space.slots[packet.number & (space.slots.length - 1)] = packet;
  space.outstanding++;
}

/** The outstanding packet of that number, or undefined. Numbers may reach beyond the ring: only ack-eliciting packets are in it. */
export function outstandingPacket(space: Space, number: number): QuicPacket | undefined {
  const packet = space.slots[number & (space.slots.length - 1)];
  return packet?.number === number ? packet : undefined;
}

/** Forgets an outstanding packet. */
export function settle(space: Space, number: number): void {
  space.slots[number & (space.slots.length - 1)] = undefined;
  space.outstanding--;
}

/** Moves `first` over settled numbers. */
export function trim(space: Space): void {
  if (space.outstanding === 0) {
    space.first = space.next;
    return;
  }
  const mask = space.slots.length - 1;
  while (space.first < space.next && space.slots[space.first & mask] === undefined) space.first++;
}

/** Puts the reliable frames of a packet in line to be sent again, each at most once. */
export function requeue(space: Space, packet: QuicPacket): void {
  if (packet.frames === undefined) return;
  for (const frame of packet.frames) {
    const reliable = asReliable(frame);
    if (reliable !== undefined && space.unacked.has(reliable) && !space.resend.includes(reliable)) space.resend.push(reliable);
  }
}

/** Marks the reliable frames of a packet as delivered. */
export function deliver(space: Space, packet: QuicPacket): void {
  if (packet.frames === undefined) return;
  for (const frame of packet.frames) {
    const reliable = asReliable(frame);
    if (reliable === undefined || !space.unacked.delete(reliable)) continue;
    const at = space.resend.indexOf(reliable);
    if (at >= 0) space.resend.splice(at, 1);
  }
}

type AnyFrame = NonNullable<QuicPacket["frames"]>[number];

const asReliable = (frame: AnyFrame): ReliableFrame | undefined =>
  frame.type === "stream" || frame.type === "crypto" || frame.type === "handshake-done" ? frame : undefined;

function grow(space: Space, least: number): void {
  let length = space.slots.length;
  while (length < least) length *= 2;
  const slots = new Array<QuicPacket | undefined>(length).fill(undefined);
  for (const packet of space.slots) if (packet !== undefined) slots[packet.number & (length - 1)] = packet;
  space.slots = slots;
}
