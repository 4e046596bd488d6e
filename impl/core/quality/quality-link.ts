/** Both ends of the feedback about one call's media: what this party reports of the peer's packets, and what it makes of the peer's reports. */
import type { Instant, Micros } from "../../base/units.ts";
import { millis } from "../../base/units.ts";
import { parseVoiceReport, putVoiceReport, type VoiceReport } from "../../wire/voice-report.ts";
import * as controller from "./controller.ts";
import { Reception } from "./reception.ts";

/** chosen: 25 packets of the best tier; with headers 1.8 kbit/s. */
const REPORT_EVERY: Micros = millis(500);
const WORD = 4_294_967_296;
const since = (newer: number, older: number): number => (((newer - older) % WORD) + WORD) % WORD;

export class QualityLink {
  readonly reception: Reception = new Reception();
  readonly #config: controller.Config;
  readonly #reports: boolean;
  #state: controller.State;
  #due = 0;
  #last: VoiceReport | undefined;
  #lastAt = 0;
  #sentOctets = 0;
  #sentBefore = 0;
  #roundTripMs: number | undefined;

  /** `reports`: the peer asked for them. */
  constructor(config: controller.Config, reports: boolean) {
    this.#config = config;
    this.#reports = reports;
    this.#state = controller.start(config);
  }

  get state(): controller.State {
    return this.#state;
  }

  /** To the peer and back, seconds, by its newest report that answers one of ours; undefined before any. Without what the peer took to answer (RFC 3550 section 6.4.1). */
  get roundTripTime(): number | undefined {
    return this.#roundTripMs === undefined ? undefined : this.#roundTripMs / 1_000;
  }

  /** Octets left for the peer. */
  sent(octets: number): void {
    this.#sentOctets += octets;
  }

  /** The report to send now; undefined when none is due, or nobody asked. */
  due(now: Instant): Uint8Array | undefined {
    if (!this.#reports || now < this.#due) return undefined;
    this.#due = now + REPORT_EVERY;
    const heard = this.#last;
    return putVoiceReport({
      time: Math.round(now / 1_000),
      echo: heard?.time ?? 0,
      held: heard === undefined ? 0 : (now - this.#lastAt) / 1_000,
      ...this.reception.counts(),
    });
  }

  /** Takes the peer's report; undefined when it is none, else what changes. */
  heard(now: Instant, payload: Uint8Array): readonly controller.Effect[] | undefined {
    const report = parseVoiceReport(payload);
    if (report === undefined) return undefined;
    const before = this.#last;
    if (before !== undefined && since(report.time, before.time) > WORD / 2) return []; // overtaken by a newer one
    this.#last = report;
    this.#lastAt = now;
    const answered = since(Math.round(now / 1_000), report.echo) - report.held;
    const rttMs = report.echo === 0 || answered < 0 || answered > 60_000 ? undefined : answered;
    this.#roundTripMs = rttMs ?? this.#roundTripMs;
    if (before === undefined) {
      this.#sentBefore = this.#sentOctets;
      return [];
    }
    const ms = since(report.time, before.time);
    if (ms === 0) return [];
    const [received, lost, runs] = [
      since(report.received, before.received),
      since(report.lost, before.lost),
      since(report.runs, before.runs),
    ];
    const rate = (octets: number): number => (octets * 8_000) / ms;
    const [next, effects] = controller.step(this.#config, this.#state, now, {
      type: "report",
      packets: received + lost,
      loss: received + lost === 0 ? 0 : lost / (received + lost),
      burst: runs === 0 ? 1 : lost / runs,
      rttMs,
      jitterMs: report.jitter,
      queueMs: report.queue,
      deliveredBps: rate(since(report.octets, before.octets)),
      sentBps: rate(this.#sentOctets - this.#sentBefore),
    });
    this.#sentBefore = this.#sentOctets;
    this.#state = next;
    return effects;
  }
}
