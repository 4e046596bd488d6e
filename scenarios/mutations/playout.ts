/** Bugs of media from the microphone to the loudspeaker: clock, jitter buffers, and the log of frames. By module. */
import type { Mutation } from "../mutation.ts";

export const PLAYOUT_MUTATIONS: readonly Mutation[] = [
  {
    name: "media-clock-stops-in-outage",
    file: "impl/core/media-stream.ts",
    find: "const timestamp = this.#captured++ * FRAME_SAMPLES;",
    replace: "const timestamp = (channel === undefined ? this.#captured : this.#captured++) * FRAME_SAMPLES;",
    imitates: "Media time stands still while there is nothing to send on, so everything after an outage seems to come too late.",
  },
  {
    name: "media-clock-restarts",
    file: "impl/core/media-stream.ts",
    find: "this.#sealer.resync();",
    replace: "this.#sealer.resync(); this.#captured = 0;",
    imitates: "Media time begins again at zero with every new session.",
  },
  {
    name: "reports-unheeded",
    file: "impl/core/media-stream.ts",
    find: "for (const effect of effects) this.#speak(effect);",
    replace: "",
    imitates: "The receiver reports its loss, the controller decides what to do about it, and nobody carries it out.",
  },
  {
    name: "copies-unused",
    file: "impl/core/media-stream.ts",
    find: "this.#giveBack(now, received.recovered);",
    replace: "this.#giveBack(now, []);",
    imitates:
      "Redundant copies are sent, received, waited for and unpacked, and what they give back is never handed to the jitter buffer.",
  },
  {
    name: "sliding-sums-unused",
    file: "impl/core/fec/sliding-decoder.ts",
    find: "for (const row of sums) this.#add(row);",
    replace: "",
    imitates: "Repair of a sliding window is sent, received and waited for, and no equation of it is ever solved.",
  },
  {
    name: "noise-removal-in-wrong-scale",
    file: "impl/io/rnnoise.ts",
    find: "module.HEAPF32.set(pcm.subarray(from, from + BLOCK), buffer / 4);",
    replace: "module.HEAPF32.set(Float32Array.from(pcm.subarray(from, from + BLOCK), (x) => x / 32_768), buffer / 4);",
    imitates:
      "RNNoise is given samples of -1..1 where it wants 16-bit values, so all that is said is noise to it and nothing is left.",
  },
  {
    name: "comfort-noise-is-a-gap",
    file: "impl/core/neteq/stand-in.ts",
    find: 'parts.add(isLost ? "concealed" : "comfort", -1, part);',
    replace: 'parts.add("silence", -1, part);',
    imitates: "Noise that is played for a peer who says nothing counts as if what the peer said had been lost.",
  },
  {
    name: "mean-never-follows",
    file: "impl/core/playout-delay.ts",
    find: "this.#mean += (transit - this.#mean) * (transit < this.#mean ? EARLY : FAST);",
    replace: "",
    imitates: "The delay of the first packet is taken for that of the path, for ever.",
  },
  {
    name: "window-too-small",
    file: "impl/core/frame-window.ts",
    find: "export const WINDOW_FRAMES = 256;",
    replace: "export const WINDOW_FRAMES = 2;",
    imitates: "The jitter buffer holds two frames, so a burst pushes out what it has not played yet.",
  },
  {
    name: "frames-logged-as-consecutive",
    file: "impl/core/frame-log.ts",
    find: "(seq !== -1 && seq !== this.#seq + this.#n)",
    replace: "false",
    imitates: "Records of frames hide the gaps between them, so a lost packet is written as received.",
  },
  {
    name: "waits-for-lost-packet",
    file: "impl/core/neteq/neteq-buffer.ts",
    find: "if (this.#window.count === 0 || now < this.#holdUntil) return this.#makeUp(need);",
    replace:
      "if (this.#window.count === 0 || (this.#last >= 0 && this.#window.head.seq !== this.#last + 1)) return this.#makeUp(need);",
    imitates: "Playout waits for the next packet in order, so the first one that is lost silences the call for good.",
  },
  {
    name: "lateness-not-learnt",
    file: "impl/core/neteq/delay-target.ts",
    find: "if (own > this.#worst) this.#worst = own;",
    replace: "",
    imitates: "The jitter buffer keeps the least delay whatever the network does, so that every burst of lateness is heard.",
  },
  {
    name: "target-never-shrinks",
    file: "impl/core/neteq/delay-target.ts",
    find: "this.#target = this.#clamp(Math.max(underrun + this.#held, this.#reorder.cheapest(this.#price, underrun)));",
    replace: "this.#target = this.#clamp(Math.max(this.#target, underrun, this.#reorder.cheapest(this.#price, underrun)));",
    imitates: "After one bad minute the jitter buffer keeps its delay for the rest of the call.",
  },
  {
    name: "given-back-lateness-not-learnt",
    file: "impl/core/neteq/neteq-buffer.ts",
    find: "this.#delay.givenBack(now, Math.max(0, transit - this.#history.base));",
    replace: ";",
    imitates:
      "How late frames come that redundancy gives back is not learnt, so most of them come too late where packets overtake each other.",
  },
  {
    name: "gap-ahead-not-met",
    file: "impl/core/neteq/neteq-buffer.ts",
    find: "return gap > FRAME_SAMPLES + HALF || (gap > HALF && !this.#repeats(head));",
    replace: "return false;",
    imitates:
      "Speech is not lengthened before a frame that is missing while later ones are there, so all of what is missing is made up.",
  },
  {
    name: "running-dry-not-met",
    file: "impl/core/neteq/neteq-buffer.ts",
    find: "return jitter >= JITTERY && lateness - FRAME_MICROS > jitter && !this.#link.isLossy(now);",
    replace: "return false;",
    imitates:
      "Speech is not lengthened when nothing is left of it although more is on its way, so a packet that comes a little late costs a whole frame.",
  },
  {
    name: "waits-however-much-is-missing",
    file: "impl/core/neteq/delay-target.ts",
    find: "return (100 * this.#lossPrice) / (1 + this.#missing / ROBUSTNESS) ** 2;",
    replace: "return 100 * this.#lossPrice;",
    imitates:
      "Where half of the frames never come, the jitter buffer waits for the last straggler of the rest as if nothing were missing.",
  },
  {
    name: "level-without-what-is-missing",
    file: "impl/core/neteq/neteq-buffer.ts",
    find: "Math.max(0, this.#newestTime - head.timestamp) + FRAME_SAMPLES;",
    replace: "this.#window.count * FRAME_SAMPLES;",
    imitates: "Only frames that are there count as waiting, so where most are missing a delay that has grown is never caught up.",
  },
];
