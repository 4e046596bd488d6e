/**
 * What a receiver of media tells its sender, twice a second while the sender adapts: after RTCP's receiver report (RFC 3550 section 6.4.1), about
 * packets as they came, before any repair. It travels sealed, in a media packet of kind `report` with numbers and keys of its own.
 *
 *     1 | time, 32 | echo, 32 | held, 16 | highest, 32 | received, 32 | lost, 32 | runs, 32 | octets, 32 | jitter, 16 | queue, 16
 *
 * Every count is modulo 2^32 and since the call began, so a lost report loses nothing. Times are milliseconds.
 */
import { ByteReader, putUint } from "../base/cursor.ts";
import { freshOctets } from "../base/octet-slab.ts";

export type VoiceReport = {
  /** The reporter's clock. */
  readonly time: number;
  /** `time` of the last report it had from us, 0 for none, and for how long it has had that. */
  readonly echo: number;
  readonly held: number;
  /** Packets judged: every one up to `highest` came, or is taken for lost. */
  readonly highest: number;
  readonly received: number;
  readonly lost: number;
  /** Runs that the lost ones form: their mean length says how bursty the loss is. */
  readonly runs: number;
  /** Sealed octets of media and repair that came. */
  readonly octets: number;
  /** Interarrival jitter (RFC 3550 section 6.4.1), and how much later than the earliest of late packets came on average. */
  readonly jitter: number;
  readonly queue: number;
};

const VERSION = 1;
/** Octets of a report before sealing. */
export const VOICE_REPORT_BYTES = 35;

const short = (value: number): number => Math.max(0, Math.min(65_535, Math.round(value)));

export function putVoiceReport(report: VoiceReport): Uint8Array {
  const bytes = freshOctets(VOICE_REPORT_BYTES);
  bytes[0] = VERSION;
  putUint(bytes, 1, 4, report.time);
  putUint(bytes, 5, 4, report.echo);
  putUint(bytes, 9, 2, short(report.held));
  putUint(bytes, 11, 4, report.highest);
  putUint(bytes, 15, 4, report.received);
  putUint(bytes, 19, 4, report.lost);
  putUint(bytes, 23, 4, report.runs);
  putUint(bytes, 27, 4, report.octets);
  putUint(bytes, 31, 2, short(report.jitter));
  putUint(bytes, 33, 2, short(report.queue));
  return bytes;
}

/** Undefined for anything else; what a later version appends is not looked at. Never throws. */
export function parseVoiceReport(bytes: Uint8Array): VoiceReport | undefined {
  const reader = new ByteReader(bytes);
  if (reader.uint(1) !== VERSION) return undefined;
  const [time, echo, held] = [reader.uint(4), reader.uint(4), reader.uint(2)];
  const [highest, received, lost, runs, octets] = [
    reader.uint(4),
    reader.uint(4),
    reader.uint(4),
    reader.uint(4),
    reader.uint(4),
  ];
  const [jitter, queue] = [reader.uint(2), reader.uint(2)];
  if (reader.bad) return undefined;
  return { time, echo, held, highest, received, lost, runs, octets, jitter, queue };
}
