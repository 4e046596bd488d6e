/** Writes what passes a wire to a pcapng file, a few packets at a time, so that writing never keeps a packet waiting for a disk. */
import { openSync, writeSync } from "node:fs";
import { captureHead, packetBlock } from "../../scenarios/capture/pcapng.ts";
import { VNET_HEADER } from "./frame.ts";

export type CaptureFile = {
  /** `frame` with its virtio-net header, which is left out. */
  add(at: number, way: "up" | "down", frame: Uint8Array): void;
  /** Writes what is waiting. */
  flush(): void;
};

/** Octets that wait to be written together. chosen: some two seconds of a call. */
const PIECE = 65_536;

/** Makes the file, open for the life of the process; throws the system's error when it cannot be made. `name` is the interface's, `alice/wlan0`. */
export function captureFile(path: string, name: string): CaptureFile {
  const file = openSync(path, "wx");
  let waiting: Uint8Array[] = [captureHead("ethernet", name, "midcall netns")];
  let octets = 0;
  const flush = (): void => {
    if (waiting.length > 0) writeSync(file, Buffer.concat(waiting));
    waiting = [];
    octets = 0;
  };
  return {
    add(at, way, frame) {
      const inner = frame.subarray(VNET_HEADER);
      const packet = packetBlock({ at, way, octets: inner, length: inner.length });
      waiting.push(packet);
      octets += packet.length;
      if (octets >= PIECE) flush();
    },
    flush,
  };
}
