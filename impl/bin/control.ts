/**
 * What a laboratory and a party under its control say to each other over a Unix socket: one JSON object a line in both directions.
 * The party dials, says who it is and that it is ready; the lab says when to begin; from then on the party tells all it says.
 * A party whose lab is gone ends at once.
 */

import type { Address } from "../base/address.ts";
import type { FecScheme } from "../base/fec-scheme.ts";
import type { JitterBufferName } from "../base/jitter-buffer-name.ts";
import type { Saying } from "../base/record.ts";
import type { AnswerPolicy, Command } from "../core/client.ts";
import type { PeerRelay } from "../core/federation/link.ts";
import type { IceTransportPolicy } from "../core/ice/client-ice.ts";
import type { SignallingEffect } from "../core/signalling-filter.ts";
import type { RelayTarget } from "../core/supervisor.ts";
import type { VoiceChoice } from "./client.ts";

/** What a party is to be: the content of its job file. Paths are absolute. */
export type Job = {
  readonly name: string;
  /** Says to the lab which of its processes this is. */
  readonly token: string;
  /** Unix socket of the lab. */
  readonly control: string;
  /** UDP port of the party. */
  readonly port: number;
  /** The event log of this process alone, beside what goes over the socket. */
  readonly log?: string;
} & (
  | {
      readonly role: "relay";
      /** Folder of the certificate, kept over restarts. */
      readonly state: string;
      /** The key of its stateless resets is not. */
      readonly losesResetKey?: true;
      /** `secret`: of its identity, 64 hexadecimal digits. */
      readonly federation?: { readonly secret: string; readonly peers: readonly PeerRelay[] };
    }
  | {
      readonly role: "client";
      /** 64 hexadecimal digits. */
      readonly secret: string;
      readonly answer?: AnswerPolicy;
      /** A WAV file's path, or `tone`. */
      readonly says: string;
      /** WAV file of what is heard, from the epoch on. */
      readonly record: string;
      readonly driftPpm: number;
      readonly jitterBuffer: JitterBufferName;
      readonly fec: FecScheme;
      readonly iceTransportPolicy?: IceTransportPolicy;
      /** STUN servers besides its relay. */
      readonly stun: readonly Address[];
      readonly voice: VoiceChoice;
      /** How long a client that stops waits for its sessions to close, milliseconds. */
      readonly goodbyeMs: number;
    }
);

/** From the lab. */
export type Order =
  /** Begin; `epoch` is the CLOCK_MONOTONIC microsecond the run counts from. The first order, given once. */
  | { readonly type: "go"; readonly epoch: number }
  /** `at`: microseconds since the epoch, to be done then, whatever keeps the lab from saying so in time; without it, at once. */
  | { readonly type: "command"; readonly command: Command; readonly at?: number }
  /** Say what is still held. */
  | { readonly type: "held" }
  /** A relay: have all clients go to these relays within that time, and end. */
  | { readonly type: "drain"; readonly withinMs: number; readonly refuges: readonly RelayTarget[] }
  /** Let go of everything and end. */
  | { readonly type: "stop" }
  /** Lay a signalling fault; its draws come from (seed, `signalling/<fault>`). */
  | {
      readonly type: "disturb";
      readonly fault: number;
      readonly seed: number;
      readonly direction: "up" | "down" | "both";
      readonly effect: SignallingEffect;
    }
  /** Take it off again. */
  | { readonly type: "calm"; readonly fault: number };

/** From the party. */
export type Report =
  /** Everything is loaded. `pin`: of a relay's certificate. */
  | { readonly type: "ready"; readonly token: string; readonly pin?: string }
  | { readonly type: "said"; readonly t: number; readonly saying: Saying }
  /** How many messages a signalling fault that is over has altered. */
  | { readonly type: "touched"; readonly fault: number; readonly messages: number };
