/**
 * The front door of the link drivers: joins the two devices of every wire so that frames pass through the interface's model, by whatever means
 * the kernel has. `emulator` is TypeScript between two macvtap devices and does everything; `netem` is a bridge with tc-netem; `nft` is
 * a bridge with nftables and tbf, for what needs no delay.
 */
import type { DropRecord, StallRecord } from "../../impl/base/record.ts";
import type { Instant } from "../../impl/base/units.ts";
import type { Direction, InterfaceModel, LinkModel } from "../../scenarios/expanded.ts";
import type { LatenessSummary } from "./lateness.ts";

/** One party interface's cable, cut open: two devices of one network namespace that belong to this run alone. */
export type Wire = {
  readonly party: string;
  readonly interface: string;
  /** Network namespace of both devices, as `ip netns` knows it. */
  readonly namespace: string;
  /** Device towards the party. */
  readonly inner: string;
  /** Device towards the router or the internet. */
  readonly outer: string;
};

export type DriverName = "emulator" | "netem" | "nft";

export type LinkOptions = {
  readonly wires: readonly Wire[];
  readonly models: (party: string, name: string) => InterfaceModel;
  /** Whole number >= 0. The emulator's draws are those of sim for the same seed and instants; the kernel's are its own. */
  readonly seed: number;
  /** CLOCK_MONOTONIC microsecond that instants count from until the run begins. */
  readonly epoch: number;
  /**
   * Gets every dropped packet of the call, a few milliseconds after `at`, the instant it was dropped; in order for each wire. And when the driver itself could
   * not run, as it is over.
   */
  readonly say: (at: Instant, saying: DropRecord | StallRecord) => void;
  readonly driver: "auto" | DriverName;
  /** What faults may lay on a wire: `auto` takes a kernel driver only when it can express these too. Undefined: unknown, anything. */
  readonly overlays?: (party: string, name: string) => readonly Partial<LinkModel>[];
  /**
   * Hosts (`203.0.113.1`) and prefixes (`192.168.1.0/24`) that an interface reaches without leaving its NAT's inside: they meet a LAN hop
   * of 0.25 ms each way in place of the model, faults laid on the interface all the same. Default: none.
   */
  readonly near?: (party: string, name: string) => readonly string[];
  /**
   * Where the driver may make a folder for device files, on a file system that allows them; it removes it again, and the caller does should this process die.
   * Default: a new name in /dev.
   */
  readonly deviceFolder?: string;
  /** Folder for a capture of each interface, `alice-wlan0.pcapng`, from `begin` on. The kernel's drivers cannot. */
  readonly capture?: string;
  /** Called at most once, when a driver fails while the links are up. */
  readonly failed?: (error: Error) => void;
};

/** Counted since the links were attached; packets of the call unless said otherwise. */
export type DirectionCounters = {
  /** Put on the link. */
  readonly packets: number;
  /** Octets of their IP packets. */
  readonly bytes: number;
  /** Lost by the model or an overlay. */
  readonly lost: number;
  /** Lost to a full queue. */
  readonly queueFull: number;
  /** Lost because the wire was severed. */
  readonly severed: number;
  /** Sent on with one bit flipped. */
  readonly altered: number;
  /** Second copies made; undefined: the driver cannot tell them apart. */
  readonly copies: number | undefined;
  /** Sent on, copies included. */
  readonly delivered: number;
  /** Frames that are not of the call. */
  readonly others: number;
  /** From reception to sending on, microseconds; undefined: the driver does not measure it. */
  readonly meanDelay: number | undefined;
  /** How much later than due they were sent on; undefined: the driver does not measure it. */
  readonly lateness: LatenessSummary | undefined;
};
export type Counters = { readonly up: DirectionCounters; readonly down: DirectionCounters };

export type Links = {
  readonly driver: DriverName;
  /** The run has begun at `epoch`, a CLOCK_MONOTONIC microsecond: instants count from there. Call it before any packet of the call. */
  begin(epoch: number): void;
  /**
   * Lays an overlay on an interface for a fault, in force within a few milliseconds; the returned function takes it off (later calls do
   * nothing). RangeError for an interface without a wire; NetnsError when the driver cannot express the result.
   */
  lay(party: string, name: string, direction: Direction, overlay: Partial<LinkModel>, fault: number): () => void;
  /** Nothing passes the wire, not even ARP, until the returned function is called; drops are told as `link-down`. */
  sever(party: string, name: string, fault?: number): () => void;
  /** Replaces the interface's `near` hosts and prefixes: its NAT has another address now. */
  setNear(party: string, name: string, hosts: readonly string[]): void;
  /** Resolves when all that was asked so far is in force, every drop until now is told, and `touched` and `counters` are up to date. */
  settled(): Promise<void>;
  /** How often a fault altered a packet without losing it, as of the last `settled` or `close`. */
  touched(fault: number): number;
  /** As of the last `settled` or `close`. RangeError for an interface without a wire. */
  counters(party: string, name: string): Counters;
  /** Takes everything down that was put up, after telling the last drops. Packets under way are gone. Safe to call twice. */
  close(): Promise<void>;
};
