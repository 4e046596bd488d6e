/** What the lab and its emulator process tell each other over the IPC channel: plain JSON, in order. */
import type { DropRecord, StallRecord } from "../../impl/base/record.ts";
import type { Direction, LinkModel } from "../../scenarios/expanded.ts";
import type { WireSetup } from "./emulated-wire.ts";
import type { Counters } from "./links.ts";
import type { Reader } from "./tap.ts";

/** `wire` is an index into `attach.wires`; `overlay` a number of the lab's own for what is laid and later undone. */
export type ToEmulator =
  | {
      readonly type: "attach";
      readonly epoch: number;
      readonly seed: number;
      readonly reader: Reader;
      /** `inner` and `outer` are paths of macvtap character devices. */
      readonly wires: readonly (WireSetup & {
        readonly inner: string;
        readonly outer: string;
        /** File to write what the party sends and receives to. */
        readonly capture?: string;
      })[];
    }
  | { readonly type: "begin"; readonly epoch: number }
  | {
      readonly type: "lay";
      readonly overlay: number;
      readonly wire: number;
      readonly direction: Direction;
      readonly model: Partial<LinkModel>;
      readonly fault: number;
    }
  | { readonly type: "sever"; readonly overlay: number; readonly wire: number; readonly fault?: number }
  | { readonly type: "undo"; readonly overlay: number }
  | { readonly type: "near"; readonly wire: number; readonly hosts: readonly string[] }
  | { readonly type: "settle"; readonly request: number; readonly faults: readonly number[] };

export type FromEmulator =
  | { readonly type: "started" }
  | { readonly type: "attached"; readonly reader: Reader }
  | { readonly type: "drops"; readonly drops: readonly (readonly [at: number, drop: DropRecord])[] }
  | {
      readonly type: "settled";
      readonly request: number;
      readonly counters: readonly Counters[];
      /** Pairs of fault and packets touched. */
      readonly touched: readonly (readonly [fault: number, packets: number])[];
    }
  | { readonly type: "stall"; readonly at: number; readonly stall: StallRecord }
  | { readonly type: "failed"; readonly reason: string };
