/**
 * What no code can do better: of the frames lost on a link, how many must stay missing at a wire rate and an added delay, whatever is computed from what. A packet can say something of
 * frames up to its own and nothing of later ones, no more octets than it has, and only in time if it comes by the frame's deadline. So lost frames and the spare octets of the packets
 * that come are matched as well as anybody could who knew the losses beforehand; what is left over is missing under every code. It holds for one packet every 20 ms and frames of one length.
 */
import { FRAME_MICROS } from "../impl/core/codec.ts";

export type Boundary = {
  /** When each packet came, microseconds; infinite: never. Packet n leaves at n x 20 ms. */
  readonly arrivals: Float64Array;
  /** Spare octets of a packet beyond its own frame, in frames: 1 is as much again as the frame. */
  readonly spare: number;
  /** After the earliest it could come, a frame plays this much later; microseconds. */
  readonly added: number;
  /** Frames that count, from the first on; the rest only helps. */
  readonly frames: number;
};

/** Share of frames, 0..1, that are missing whatever the code: an interval for each packet, filled from the earliest frame on (Glover 1967). */
export function leastMissing({ arrivals, spare, added, frames }: Boundary): number {
  const left = new Float64Array(arrivals.length).fill(spare);
  let missing = 0;
  for (let frame = 0; frame < frames; frame++) {
    const deadline = frame * FRAME_MICROS + added;
    if ((arrivals[frame] as number) <= deadline) continue;
    let wanted = 1;
    // Of the packets that can help the one that can help later frames the least is the earliest sent. None sent after the deadline comes before it.
    for (let n = frame + 1; n < arrivals.length && n * FRAME_MICROS <= deadline && wanted > 0; n++) {
      if ((arrivals[n] as number) > deadline) continue;
      const given = Math.min(wanted, left[n] as number);
      left[n] = (left[n] as number) - given;
      wanted -= given;
    }
    missing += wanted;
  }
  return missing / frames;
}
