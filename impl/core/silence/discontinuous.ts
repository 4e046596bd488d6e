/**
 * Discontinuous transmission: when a sender that says nothing sends. Descriptions of the noise three times as silence begins, whenever the noise
 * changes, and so often that whoever watches the path by what arrives is not misled; else nothing.
 */
import { type ComfortNoise, dbovOf } from "../../wire/comfort-noise.ts";
import { FRAME_MICROS } from "../codec.ts";
import { KEEPALIVE_EVERY } from "../ice/path-watch.ts";
import { VoiceActivity } from "./voice-activity.ts";

/** Descriptions in a row as silence begins. chosen: losing three in a row at 20 % is less than 1 %. */
const OPENING = 3;
/** Units from one to the next. chosen: one less than a keepalive of the path would wait for, so that none is sent beside them. */
const EVERY: number = KEEPALIVE_EVERY / FRAME_MICROS - 1;
/** A change of level that is told at once, dB. chosen: the least that is heard as a step. */
const STEP_DB = 3;

export class Discontinuous {
  readonly #activity: VoiceActivity = new VoiceActivity();
  /** Units since silence began, and since the last description. */
  #silent = 0;
  #since = 0;
  #told = 0;
  #said = 0;

  /** Whether 20 ms from the microphone are to be encoded. */
  speaks(pcm: Int16Array): boolean {
    return this.#activity.speaks(pcm);
  }

  /** A packet's worth of speech leaves. */
  spoke(): void {
    this.#silent = 0;
    this.#told = 0;
  }

  /** A packet's worth of silence (`units` of 20 ms) is not sent: the description to send in its place, undefined for none. */
  pause(units: number): ComfortNoise | undefined {
    const since = this.#silent;
    this.#silent += units;
    this.#since += units;
    const level = dbovOf(this.#activity.noise);
    if (this.#told >= OPENING && this.#since < EVERY && Math.abs(level - this.#said) < STEP_DB) return undefined;
    this.#told++;
    this.#since = 0;
    this.#said = level;
    return { level, since };
  }

  /** Nothing could be sent: the peer is told of this silence from its beginning once something can be. */
  cut(): void {
    this.#told = 0;
  }
}
