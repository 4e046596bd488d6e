/**
 * A dump of chrome://webrtc-internals as a recording: the getStats series of the busiest incoming audio stream (W3C webrtc-stats names). The file is
 * streamed; only the series of audio streams and of the path are kept, which grow by some octets a second of the call.
 */
import { createReadStream } from "node:fs";
import chain from "stream-chain";
import { parser } from "stream-json";
import { pick } from "stream-json/filters/pick.js";
import { streamObject } from "stream-json/streamers/stream-object.js";
import { usage } from "../exit.ts";
import type { FieldEvent, FieldSource } from "./field-event.ts";

/** One series of the dump: `<id>-<name>`, its values one after another between two instants. */
type Series = { readonly statsType: string; readonly from: number; readonly to: number; readonly values: readonly unknown[] };

const WANTED = new Map<string, ReadonlySet<string>>([
  [
    "inbound-rtp",
    new Set([
      "kind",
      "timestamp",
      "packetsReceived",
      "packetsLost",
      "jitter",
      "concealedSamples",
      "silentConcealedSamples",
      "totalSamplesReceived",
    ]),
  ],
  ["candidate-pair", new Set(["currentRoundTripTime", "timestamp", "nominated"])],
  ["remote-inbound-rtp", new Set(["roundTripTime", "timestamp"])],
  ["transport", new Set(["selectedCandidatePairId", "timestamp"])],
]);
/** Opus and every other WebRTC audio codec is played at this rate. */
const RATE = 48_000;

/** Opens the dump at `path`; `word` is what the user called it. Rejects with CliError where it is none. */
export async function internalsSource(path: string, word: string): Promise<FieldSource> {
  const series = await read(path, word);
  const streams = [...series].filter(
    ([key, one]) => one.statsType === "inbound-rtp" && key.endsWith("-kind") && one.values.includes("audio"),
  );
  const ids = streams.map(([key]) => key.slice(0, -"-kind".length));
  const received = (id: string): number => Math.max(0, ...numbers(series.get(`${id}-packetsReceived`)));
  const id = ids.toSorted((a, b) => received(b) - received(a))[0];
  if (id === undefined || received(id) === 0) {
    throw usage(
      `${word}: no incoming audio in it (${series.size} series of interest)`,
      "want a dump of chrome://webrtc-internals (Create a WebRTC-Internals dump) made while or after audio came in",
    );
  }
  const remarks = ids.length > 1 ? [`${ids.length} incoming audio streams; this is the busiest, ${id}`] : [];
  const times = timesOf(series, id);
  if (times.length < 3) throw usage(`${word}: ${times.length} samples of ${id}`, "want a dump of a call of some seconds");
  const events = samplesOf(series, id, times);
  return {
    format: "webrtc-internals",
    view: `incoming audio ${id}, ${times.length} samples`,
    remarks,
    async *events() {
      yield* events;
    },
  };
}

async function read(path: string, word: string): Promise<ReadonlyMap<string, Series>> {
  const series = new Map<string, Series>();
  try {
    const stats = chain([createReadStream(path), parser(), pick({ filter: /^PeerConnections\.[^.]+\.stats$/ }), streamObject()]);
    for await (const entry of stats) {
      const { key, value } = entry as { key: string; value: unknown };
      const one = seriesOf(value);
      const name = key.slice(key.lastIndexOf("-") + 1);
      if (one !== undefined && WANTED.get(one.statsType)?.has(name) === true) series.set(key, one);
    }
  } catch (error) {
    throw usage(
      `${word}: it is not whole (${error instanceof Error ? error.message : String(error)})`,
      "want a dump of chrome://webrtc-internals as it was saved",
    );
  }
  return series;
}

function seriesOf(value: unknown): Series | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { statsType, startTime, endTime, values } = value as Record<string, unknown>;
  const [from, to] = [Date.parse(String(startTime)) * 1_000, Date.parse(String(endTime)) * 1_000];
  if (typeof statsType !== "string" || typeof values !== "string" || !Number.isFinite(from) || !Number.isFinite(to))
    return undefined;
  try {
    const list: unknown = JSON.parse(values);
    return Array.isArray(list) ? { statsType, from, to, values: list } : undefined;
  } catch {
    return undefined;
  }
}

const numbers = (series: Series | undefined): number[] =>
  (series?.values ?? []).map((value) => (typeof value === "number" ? value : Number.NaN)).filter(Number.isFinite);

/** When each sample was taken: told by the dump, else evenly between its ends. Microseconds. */
function timesOf(series: ReadonlyMap<string, Series>, id: string): number[] {
  const told = numbers(series.get(`${id}-timestamp`)).map((ms) => Math.round(ms * 1_000));
  const packets = series.get(`${id}-packetsReceived`);
  if (packets === undefined || told.length === packets.values.length) return told;
  const n = packets.values.length;
  return packets.values.map((_, i) => Math.round(packets.from + ((packets.to - packets.from) * i) / Math.max(1, n - 1)));
}

function samplesOf(series: ReadonlyMap<string, Series>, id: string, times: readonly number[]): FieldEvent[] {
  const of = (name: string): readonly unknown[] => series.get(`${id}-${name}`)?.values ?? [];
  const step = (values: readonly unknown[], i: number): number | undefined => {
    const [a, b] = [values[i - 1], values[i]];
    return typeof a === "number" && typeof b === "number" ? b - a : undefined;
  };
  const roundTrips = [...series].filter(([key]) => /-(currentRoundTripTime|roundTripTime)$/.test(key));
  const events: FieldEvent[] = roundTrips.flatMap(([, one]) =>
    numbers(one).map(
      (seconds): FieldEvent => ({ what: "sample", t: one.from, until: one.from, roundTrip: Math.round(seconds * 1e6) }),
    ),
  );
  for (let i = 1; i < times.length; i++) {
    const [from, to] = [times[i - 1] as number, times[i] as number];
    const received = step(of("packetsReceived"), i) ?? 0;
    const lost = Math.max(0, step(of("packetsLost"), i) ?? 0);
    const concealed = step(of("concealedSamples"), i);
    const played = step(of("totalSamplesReceived"), i);
    const jitter = of("jitter")[i];
    // What was neither played nor concealed was not heard either: an audio device that ran dry.
    const unheard =
      concealed === undefined || played === undefined ? undefined : concealed + Math.max(0, ((to - from) * RATE) / 1e6 - played);
    events.push({
      what: "sample",
      t: from,
      until: to,
      loss: received + lost === 0 ? (received === 0 ? 1 : 0) : lost / (received + lost),
      jitter: typeof jitter === "number" ? Math.round(jitter * 1e6) : undefined,
      unheard: unheard === undefined ? undefined : Math.min(to - from, Math.round((unheard / RATE) * 1e6)),
    });
  }
  const pairs = [...series].filter(([key, one]) => one.statsType === "transport" && key.endsWith("-selectedCandidatePairId"));
  for (const [, { values, from, to }] of pairs) {
    values.forEach((value, i) => {
      const t = Math.round(from + ((to - from) * i) / Math.max(1, values.length - 1));
      if (i > 0 && typeof value === "string" && typeof values[i - 1] === "string" && value !== values[i - 1])
        events.push({ what: "sign", t, sign: "address" });
    });
  }
  return events.sort((a, b) => a.t - b.t);
}
