/** How each client stood with its relay: time without a registration, reconnects, attempts, and that one supervisor at most was at work. */
import type { LogRecord } from "../impl/base/record.ts";
import type { PartySignal } from "./result.ts";
import { rounded } from "./statistic.ts";

/** One stretch in one registration state; `dead` after its process was killed, `gone` after it exited by itself. Microseconds, `to` excluded. */
export type Standing = {
  readonly state: "idle" | "connecting" | "registered" | "reconnecting" | "switching" | "refused" | "dead" | "gone";
  readonly from: number;
  readonly to: number;
};

/** States in which an attempt without a delay is one that is made. */
const TRYING: ReadonlySet<string> = new Set(["connecting", "reconnecting", "switching"]);

const GONE: ReadonlyMap<string, "dead" | "gone"> = new Map([
  ["killed", "dead"],
  ["exited", "gone"],
]);

/** Registered, or with no wish to be. */
export const isRegistered = (state: Standing["state"]): boolean => state === "registered" || state === "idle" || state === "gone";

/** Where a client stood with its relay over the whole run, from its first registration record on. */
export function standingsOf(records: readonly LogRecord[], party: string, runEnd: number): Standing[] {
  const out: { state: Standing["state"]; from: number; to: number }[] = [];
  for (const record of records) {
    if (record.who !== party) continue;
    const state =
      record.ev === "registration"
        ? record.state
        : record.ev === "process" && out.length > 0
          ? GONE.get(record.state)
          : undefined;
    if (state === undefined || out.at(-1)?.state === state) continue;
    const last = out.at(-1);
    if (last !== undefined) last.to = record.t;
    out.push({ state, from: record.t, to: runEnd });
  }
  return out.filter((standing) => standing.to > standing.from);
}

/**
 * Signalling figures per client, as the client itself knew it (a dead relay counts from the moment the client notices).
 * `downMs`: time not registered between the first registration and the end; time the user asked to be idle is not down time,
 * nor is time after its process exited. `reconnects`: registrations after the first. `attempts`: registrations
 * attempted, the first included. `supervisorsMax`: most reconnect supervisors at work at once.
 */
export function measureSignal(
  records: readonly LogRecord[],
  parties: readonly string[],
  runEnd: number,
): Record<string, PartySignal> {
  return Object.fromEntries(
    parties.map((party) => {
      const standings = standingsOf(records, party, runEnd);
      const first = standings.findIndex((standing) => standing.state === "registered");
      const after = first === -1 ? [] : standings.slice(first);
      const down = after.filter((standing) => !isRegistered(standing.state));
      const own = records.flatMap((record) => (record.who === party && record.ev === "registration" ? [record] : []));
      const attempts = own.filter((record) => TRYING.has(record.state) && (record.delayMs ?? 0) === 0);
      return [
        party,
        {
          downMs: rounded(down.reduce((sum, standing) => sum + standing.to - standing.from, 0) / 1_000, 3),
          reconnects: Math.max(0, after.filter((standing) => standing.state === "registered").length - 1),
          attempts: attempts.length,
          supervisorsMax: own.reduce((most, record) => Math.max(most, record.supervisors), 0),
        },
      ];
    }),
  );
}
