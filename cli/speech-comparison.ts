/**
 * How far what each party heard is from what it would have heard without loss: its peer's own packets decoded one after the other are the reference, and the log says which of them each
 * played frame is of (`media-sent`, `media-played`). Made-up frames stand beside what came next in the peer's speech; comfort noise stands for silence and is left out. Packets of more than
 * one frame are not compared: the log numbers packets, and a frame's place in one is not in it.
 */
import { instantsOf, type LogRecord } from "../impl/base/record.ts";
import { type CodecEngine, type Decoder, FRAME_SAMPLES, SAMPLE_RATE } from "../impl/core/codec.ts";
import type { Played } from "../impl/core/jitter-buffer.ts";
import { callsOf, endOf } from "../reports/call-log.ts";
import { type Playout, playoutsOf, type Slot } from "../reports/playout.ts";
import type { SpeechDistance } from "../reports/result.ts";
import { logSpectralDistance, stoi } from "../reports/speech-distance.ts";
import { rounded } from "../reports/statistic.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import type { SpeechTap } from "../sim/speech-tap.ts";
import { alignedReference } from "./aligned-reference.ts";

/** Frames compared at most of one call. chosen: half a minute tells, and takes half a second. */
const MOST = 1_500;

type Compared = SpeechDistance | { readonly absent: string };

/** Of every party that took part in a call. `engine` lends one decoder for each encoder there was. */
export function compareSpeech(
  records: readonly LogRecord[],
  scenario: Scenario,
  taps: ReadonlyMap<string, SpeechTap>,
  engine: CodecEngine,
): Record<string, Compared> {
  const playouts = playoutsOf(records, callsOf(records, scenario), endOf(records));
  const said = new Map<string, Said>();
  const saidIn = ({ call, peer = "" }: Playout): Said => {
    const name = `${call} ${peer}`;
    const known = said.get(name) ?? saidBy(records, call, peer, taps.get(peer), engine);
    said.set(name, known);
    return known;
  };
  const parties = [...Map.groupBy(playouts, ({ party }) => party)];
  return Object.fromEntries(parties.map(([party, own]) => [party, compared(own, taps.get(party), saidIn)]));
}

function compared(playouts: readonly Playout[], tap: SpeechTap | undefined, saidIn: (playout: Playout) => Said): Compared {
  const played = Map.groupBy(tap?.heard ?? [], ({ at }) => at as number);
  const pairs = playouts.map((playout) => {
    const said = saidIn(playout);
    const ticks = playout.slots
      .filter(({ kind }) => kind !== "comfort")
      .map((slot): Played => {
        const seq = said.placeOf(slot);
        const pcm = played.get(slot.at)?.shift()?.pcm ?? new Int16Array(FRAME_SAMPLES);
        return seq === undefined ? { kind: "concealed", pcm } : { kind: "source", seq, pcm };
      });
    return { ...alignedReference(ticks.slice(0, MOST), said.clean), isWhole: said.isWhole };
  });
  if (pairs.some(({ isWhole }) => !isWhole)) return { absent: "its peer sent packets of several frames" };
  const [wanted, heard] = [joined(pairs.map((one) => one.wanted)), joined(pairs.map((one) => one.heard))];
  if (heard.length === 0) return { absent: "nothing was heard" };
  const understood = stoi(wanted, heard);
  return {
    stoi: Number.isFinite(understood) ? rounded(understood, 4) : null,
    lsdDb: rounded(logSpectralDistance(wanted, heard), 3),
    comparedMs: heard.length / (SAMPLE_RATE / 1_000),
  };
}

/** What a party said in one call, decoded without loss. */
type Said = {
  /** Frame after frame as they were sent; what was never sent is not in it. */
  readonly clean: Int16Array;
  /** Which frame of `clean` a played one is of; undefined when it is made up, or was never sent. */
  placeOf(slot: Slot): number | undefined;
  /** False where packets hold more than one frame. */
  readonly isWhole: boolean;
};

function saidBy(
  records: readonly LogRecord[],
  call: string,
  peer: string,
  tap: SpeechTap | undefined,
  engine: CodecEngine,
): Said {
  const decoded = Map.groupBy(decodedOf(tap, engine), ({ at }) => at as number);
  const own = records.filter((one) => one.ev === "media-sent" && one.call === call && one.who === peer);
  const frames: Int16Array[] = [];
  // By key, because numbers begin again with a new one.
  const keys = new Map<string, Map<number, { readonly at: number; readonly n: number }>>();
  for (const record of own) {
    if (record.ev !== "media-sent") continue;
    const numbers = keys.get(record.key) ?? new Map();
    keys.set(record.key, numbers);
    for (const [i, at] of instantsOf(record).entries()) {
      const pcm = decoded.get(at)?.shift()?.pcm;
      if (pcm === undefined) continue;
      numbers.set(record.seq + i, { at, n: frames.length });
      frames.push(pcm);
    }
  }
  return {
    clean: joined(frames),
    isWhole: own.every((one) => !("units" in one)),
    placeOf: ({ at, seq }) => {
      if (seq === -1) return undefined;
      let newest: { readonly at: number; readonly n: number } | undefined;
      for (const numbers of keys.values()) {
        const one = numbers.get(seq);
        if (one !== undefined && one.at <= at && (newest === undefined || one.at > newest.at)) newest = one;
      }
      return newest?.n;
    },
  };
}

/** Every packet of a party decoded in its stream, in the order of encoding. */
function decodedOf(
  tap: SpeechTap | undefined,
  engine: CodecEngine,
): { readonly at: number; readonly pcm: Int16Array | undefined }[] {
  const decoders = new Map<number, Decoder>();
  const out = (tap?.spoken ?? []).map(({ at, encoder, payload }) => {
    const decoder = decoders.get(encoder) ?? engine.decoder();
    decoders.set(encoder, decoder);
    return { at, pcm: decoder.decode(payload) };
  });
  for (const decoder of decoders.values()) decoder.free();
  return out;
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const out = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
