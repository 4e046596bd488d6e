/**
 * One party's wire through the impairment core, without a device or a timer: frames in, and for each either an instant to send it on or a
 * drop. Both directions, each with the interface's own model and, for what never leaves the realm inside a NAT, a LAN hop.
 * What is not of the call passes at once, unless the direction is blacked out or the wire severed.
 */
import type { Randomness } from "../../impl/base/random.ts";
import type { DropRecord } from "../../impl/base/record.ts";
import type { Instant } from "../../impl/base/units.ts";
import type { Direction, LinkModel } from "../../scenarios/expanded.ts";
import { CLEAN, Link } from "../../scenarios/impairment/link.ts";
import { prefixes, udpFrame } from "./frame.ts";
import { type Lateness, lateness } from "./lateness.ts";
import type { Counters, DirectionCounters } from "./links.ts";

/** `up`: from the party; `down`: to it. */
export type Way = "up" | "down";

export type WireSetup = {
  readonly party: string;
  readonly interface: string;
  readonly up: LinkModel;
  readonly down: LinkModel;
  /** Hosts and prefixes that are reached without leaving the realm. */
  readonly near: readonly string[];
};

/** A frame on its way. */
export type Held = {
  readonly way: Way;
  readonly frame: Uint8Array;
  /** Octets of the IP packet; 0 for a frame that is not of the call. */
  readonly bytes: number;
  readonly received: Instant;
  readonly due: Instant;
};

export type WireOutput = {
  /** Keep `held` until `held.due`, then hand it to `release`. */
  hold(held: Held): void;
  drop(drop: Omit<DropRecord, "ev">): void;
};

export type EmulatedWire = {
  offer(now: Instant, way: Way, frame: Uint8Array): void;
  /** True when the frame is to be sent now; false when the wire was severed while it was under way (the drop is told). */
  release(now: Instant, held: Held): boolean;
  lay(direction: Direction, overlay: Partial<LinkModel>, fault: number): () => void;
  /** Nothing passes until the returned function is called; drops are told as `link-down`. */
  sever(fault: number | undefined): () => void;
  near(hosts: readonly string[]): void;
  touched(fault: number): number;
  counters(): Counters;
};

/** One direction of a home network's own hop. chosen: 0.25 ms each way, the 0.5 ms of a switched or lightly used wireless LAN. */
const LAN: LinkModel = { ...CLEAN, delay: 250 };

type Tally = { -readonly [K in Exclude<keyof DirectionCounters, "lateness" | "meanDelay">]: number } & {
  delay: number;
  readonly late: Lateness;
};

export function emulatedWire(setup: WireSetup, randomness: Randomness, output: WireOutput): EmulatedWire {
  const name = `${setup.party}/${setup.interface}`;
  const link = (which: string, model: LinkModel): Link => new Link(`${name}/${which}`, model, randomness);
  const far = { up: link("up", setup.up), down: link("down", setup.down) };
  const lan = { up: link("lan-up", LAN), down: link("lan-down", LAN) };
  const tallies = { up: tally(), down: tally() };
  let isNear = prefixes(setup.near);
  let severedBy: readonly { readonly fault: number | undefined }[] = [];
  const blackedOut = { up: isBlackedOut(far.up), down: isBlackedOut(far.down) };
  const refresh = (): void => {
    blackedOut.up = isBlackedOut(far.up);
    blackedOut.down = isBlackedOut(far.down);
  };
  const drop = (way: Way, cause: DropRecord["cause"], bytes: number, fault: number | undefined): void => {
    const count = tallies[way];
    if (cause === "loss" || cause === "mtu") count.lost++;
    else if (cause === "queue") count.queueFull++;
    else if (cause === "corrupt") count.altered++;
    else count.severed++;
    output.drop({ where: `${name}/${way}`, cause, bytes, ...(fault === undefined ? {} : { fault }) });
  };

  return {
    offer(now, way, frame) {
      const count = tallies[way];
      const packet = udpFrame(frame);
      const severed = severedBy[0];
      if (packet === undefined) {
        count.others++;
        if (severed === undefined && !blackedOut[way]) output.hold({ way, frame, bytes: 0, received: now, due: now });
        return;
      }
      const { bytes } = packet;
      count.packets++;
      count.bytes += bytes;
      if (severed !== undefined) return drop(way, "link-down", bytes, severed.fault);
      const peer = way === "up" ? packet.destination : packet.source;
      const fate = (isNear(peer) ? lan : far)[way].send(now, bytes);
      if (!fate.ok) return drop(way, fate.cause, bytes, fate.fault);
      // It goes on its way all the same: to tell that it is altered is up to those whom it is for.
      const sent = fate.corrupt === undefined ? frame : flipped(frame, packet.payload, fate.corrupt.bit);
      if (fate.corrupt !== undefined) drop(way, "corrupt", bytes, fate.corrupt.fault);
      output.hold({ way, frame: sent, bytes, received: now, due: fate.at });
      if (fate.copyAt === undefined) return;
      count.copies++;
      output.hold({ way, frame: sent, bytes, received: now, due: fate.copyAt });
    },
    release(now, held) {
      const severed = severedBy[0];
      if (severed !== undefined) {
        if (held.bytes > 0) drop(held.way, "link-down", held.bytes, severed.fault);
        return false;
      }
      if (held.bytes === 0) return true;
      const count = tallies[held.way];
      count.delivered++;
      count.delay += now - held.received;
      count.late.add(now - held.due);
      return true;
    },
    lay(direction, overlay, fault) {
      const ways: readonly Way[] = direction === "both" ? ["up", "down"] : [direction];
      const undo = ways.flatMap((way) => [far[way].lay(overlay, fault), lan[way].lay(overlay, fault)]);
      refresh();
      return () => {
        for (const one of undo) one();
        refresh();
      };
    },
    sever(fault) {
      const by = { fault };
      severedBy = [...severedBy, by];
      return () => {
        severedBy = severedBy.filter((one) => one !== by);
      };
    },
    near: (hosts) => {
      isNear = prefixes(hosts);
    },
    touched: (fault) => [far.up, far.down, lan.up, lan.down].reduce((sum, one) => sum + one.touched(fault), 0),
    counters: () => ({ up: told(tallies.up), down: told(tallies.down) }),
  };
}

const isBlackedOut = (link: Link): boolean => link.inForce.model.loss >= 1;

/** A copy with one bit of the UDP payload, which begins at `payload`, flipped. */
function flipped(frame: Uint8Array, payload: number, share: number): Uint8Array {
  const copy = frame.slice();
  const bit = Math.floor(share * (frame.length - payload) * 8);
  const at = payload + (bit >>> 3);
  if (at < copy.length) copy[at] = (copy[at] as number) ^ (1 << (bit & 7));
  return copy;
}

const tally = (): Tally => ({
  packets: 0,
  bytes: 0,
  lost: 0,
  queueFull: 0,
  severed: 0,
  altered: 0,
  copies: 0,
  delivered: 0,
  others: 0,
  delay: 0,
  late: lateness(),
});

function told({ late, delay, ...counts }: Tally): DirectionCounters {
  return {
    ...counts,
    meanDelay: counts.delivered === 0 ? 0 : Math.round(delay / counts.delivered),
    lateness: late.summary(),
  };
}
