/**
 * What a recording from the field says, whatever its format, in the order of time. Instants and lengths are microseconds; instants count
 * from wherever the recording's own clock begins.
 */

/** Something that happened between a client and its relay, as far as the recording shows it. */
export type Sign =
  | "silent" // nothing more was heard of the relay
  | "heard" // the relay was heard again, on the same session
  | "packet" // any packet of the relay's, media or not
  | "reset" // the relay had forgotten the session
  | "connecting" // a new session was begun
  | "address"; // the client's own address changed, or the relay's seen from it

export type FieldEvent =
  /** A frame of the peer's audio arrived. `seq`: its number in the order of sending, when that can be read. */
  | { readonly what: "frame"; readonly t: number; readonly seq: number | undefined }
  /** From `t` to `until` the listener heard the peer, or did not. */
  | { readonly what: "sound"; readonly t: number; readonly until: number; readonly isHeard: boolean }
  /** Figures for the time from `t` to `until`. */
  | {
      readonly what: "sample";
      readonly t: number;
      readonly until: number;
      /** Share of packets lost, 0..1. */
      readonly loss?: number | undefined;
      readonly roundTrip?: number | undefined;
      /** Interarrival jitter (RFC 3550 section 6.4.1). */
      readonly jitter?: number | undefined;
      /** How much of the time was not the peer's audio. */
      readonly unheard?: number | undefined;
    }
  | { readonly what: "sign"; readonly t: number; readonly sign: Sign };

/** Formats that can be read. */
export type FieldFormat = "event-log" | "webrtc-internals" | "capture" | "table";

/** A recording that can be read any number of times, each time from the start and in bounded memory. */
export type FieldSource = {
  readonly format: FieldFormat;
  /** For people: whose view it is, which flow, which connection. */
  readonly view: string;
  /** What had to be left out, or was not as it should be. Complete after `events` was read to its end. */
  readonly remarks: readonly string[];
  /** Rejects with CliError for a recording that cannot be used. */
  events(): AsyncIterable<FieldEvent>;
};
