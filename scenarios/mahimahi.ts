/**
 * Packet-delivery traces in mahimahi's format (mm-link(1)): a line is a whole number of milliseconds since the recording began, at which 1500 octets could leave;
 * several lines may name the same instant, and the last line says how long the recording is before it begins again.
 */

/** The instants of a recording, microseconds, and its length. */
export type Recording = { readonly at: readonly number[]; readonly period: number };

/** Lines of the longest recording. chosen: an hour at 250 Mbit/s would be more; the recordings that are passed around have a tenth. */
const MOST = 1_000_000;

/** Text of a trace file, or its numbers; a reason, in a reader's words, when it is not one. Never throws. */
export function parseMahimahi(written: string | readonly number[]): Recording | string {
  const lines = typeof written === "string" ? written.split("\n").map((line) => line.trim()) : written;
  const at: number[] = [];
  let before = 0;
  for (const [index, line] of lines.entries()) {
    if (line === "") continue;
    const ms = typeof line === "number" ? line : /^\d{1,10}$/.test(line) ? Number(line) : Number.NaN;
    const where = typeof written === "string" ? `line ${index + 1}` : `number ${index + 1}`;
    if (!(Number.isInteger(ms) && ms >= 0)) return `${where}: want whole milliseconds, got ${JSON.stringify(line)}`;
    if (ms < before) return `${where}: ${ms} ms come after ${before} ms: want instants in order`;
    if (at.length === MOST) return `more than ${MOST} instants: want a shorter recording`;
    at.push(ms * 1_000);
    before = ms;
  }
  if (at.length === 0) return "no instant in it: want at least one";
  if (before === 0) return "no time passes in it: want a last instant above 0 ms";
  return { at, period: before * 1_000 };
}

/** The recording itself when its instants are in order and within its length; else a reason. */
export function wantRecording(recording: Recording): Recording | string {
  const { at, period } = recording;
  const wrong = at.findIndex((instant, index) => instant < (at[index - 1] ?? 0) || instant > period);
  return wrong === -1
    ? recording
    : `at[${wrong}]: want instants in order and no later than the period ${period}, got ${at[wrong]}`;
}

/** What the recording lets through on average, bits a second. */
export const meanRate = ({ at, period }: Recording): number => Math.round((at.length * 1_500 * 8 * 1_000_000) / period);
