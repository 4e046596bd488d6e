/** Test traffic: a process at one end of a wire that sends numbered UDP packets on order and tells when each one it got was sent and received. */
import { createSocket } from "node:dgram";
import { constants, setPriority } from "node:os";
import { monotonicClock } from "../../impl/io/monotonic-clock.ts";

export type ToEnd =
  | { readonly type: "bind"; readonly host: string; readonly port: number }
  | {
      readonly type: "send";
      readonly host: string;
      readonly port: number;
      /** Number of the first packet. */
      readonly first: number;
      readonly count: number;
      /** Microseconds from packet to packet. */
      readonly every: number;
      /** Octets of each IP packet. */
      readonly bytes: number;
      /** When the first one goes; at once when not given. */
      readonly from?: number;
    }
  | { readonly type: "stop" } // ends a `send` before its count
  | { readonly type: "take" };

/** What became of one packet; instants are CLOCK_MONOTONIC microseconds. */
export type Arrival = readonly [number: number, sent: number, received: number];

export type FromEnd =
  | { readonly type: "ready" | "bound" }
  | { readonly type: "sent" }
  | { readonly type: "taken"; readonly arrivals: readonly Arrival[] };

const clock = monotonicClock(0);
const socket = createSocket({ type: "udp4", recvBufferSize: 4 << 20 });
let arrivals: Arrival[] = [];
let stopped = false;
const tell = (message: FromEnd): void => {
  process.send?.(message);
};

socket.on("message", (payload) => {
  arrivals.push([payload.readUInt32BE(0), Number(payload.readBigUInt64BE(4)), clock.now()]);
});
socket.on("error", () => {}); // an ICMP answer to an end that is not bound yet

function send(order: Extract<ToEnd, { type: "send" }>): void {
  const began = order.from ?? clock.now();
  let number = 0;
  stopped = false;
  const more = (): void => {
    while (!stopped && number < order.count && began + number * order.every <= clock.now()) {
      const payload = Buffer.alloc(order.bytes - 28);
      payload.writeUInt32BE(order.first + number++, 0);
      payload.writeBigUInt64BE(BigInt(clock.now()), 4);
      socket.send(payload, order.port, order.host);
    }
    // Not to the microsecond, which would need a spin that takes the processor from what is tested.
    if (!stopped && number < order.count) setTimeout(more, 1);
    else tell({ type: "sent" });
  };
  more();
}

// What is measured is the wire, not how long its ends wait for a processor that others use.
setPriority(constants.priority.PRIORITY_HIGHEST);
process.on("message", (order: ToEnd) => {
  if (order.type === "bind") socket.bind(order.port, order.host, () => tell({ type: "bound" }));
  else if (order.type === "send") send(order);
  else if (order.type === "stop") stopped = true;
  else {
    tell({ type: "taken", arrivals });
    arrivals = [];
  }
});
process.on("disconnect", () => process.exit(0));
tell({ type: "ready" });
