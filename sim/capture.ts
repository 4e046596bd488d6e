/**
 * Captures of a simulated run: packets as Wireshark shows them, with real IP and UDP headers. STUN is real octets. Of a QUIC packet there are none, because
 * the model has objects: it has the length it would have, and is told in the packet's comment.
 */

import { icmpPacket } from "../scenarios/capture/icmp-packet.ts";
import { captureHead, packetBlock } from "../scenarios/capture/pcapng.ts";
import { udpPacket } from "../scenarios/capture/udp-packet.ts";
import type { Scenario } from "../scenarios/expanded.ts";
import type { Crossing, IcmpPayload } from "./network.ts";
import { describePayload, readPayload } from "./quic/packet.ts";

const readError = (payload: unknown): IcmpPayload | undefined =>
  typeof payload === "object" && payload !== null && "proto" in payload && payload.proto === "icmp"
    ? (payload as IcmpPayload)
    : undefined;

/** Begins a file for every interface of the scenario in `files`; the returned function adds packets to them. */
export function captureInto(files: Map<string, Uint8Array[]>, scenario: Scenario): (crossing: Crossing) => void {
  for (const [party, { interfaces }] of Object.entries(scenario.parties))
    for (const name of Object.keys(interfaces))
      files.set(`${party}/${name}`, [captureHead("ip", `${party}/${name}`, "midcall sim")]);
  return ({ interface: name, at, way, from, to, packet }) => {
    const error = readError(packet.payload);
    if (error !== undefined) {
      const octets = icmpPacket(from, to, error.to, error.bytes, error.answer);
      return files.get(name)?.push(packetBlock({ at, way, octets, length: packet.bytes, comment: `ICMP: ${error.answer}` }));
    }
    const payload = readPayload(packet.payload);
    const octets = udpPacket(from, to, packet.bytes, payload?.proto === "stun" ? payload.bytes : undefined);
    files.get(name)?.push(packetBlock({ at, way, octets, length: packet.bytes, comment: describePayload(packet.payload) }));
  };
}
