/** A frame for the tests of what handles frames. */
import { VNET_HEADER } from "./frame.ts";

/** A UDP packet of `bytes` octets from 192.168.1.2 to 203.0.113.9 with its Ethernet and virtio-net headers. */
export const frameOf = (bytes: number, change: (frame: Uint8Array) => void = () => {}): Uint8Array => {
  const frame = new Uint8Array(VNET_HEADER + 14 + bytes);
  frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00], VNET_HEADER);
  frame.set([0x45, 0, bytes >> 8, bytes & 255, 0, 0, 0, 0, 64, 17, 0, 0, 192, 168, 1, 2, 203, 0, 113, 9], VNET_HEADER + 14);
  change(frame);
  return frame;
};
