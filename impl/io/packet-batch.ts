/** Memory of many packets, laid out once as recvmmsg(2) and sendmmsg(2) of Linux on 64 bits want it. */
import type { Kernel } from "./kernel-socket.ts";
import { LARGEST_PACKET } from "./udp-address.ts";

/** struct mmsghdr on 64 bits (recvmmsg(2)), in words of 4 octets: name, its length, vector, its length, control, its length, flags, octets of the message. */
export const MESSAGE: Readonly<
  Record<"words" | "name" | "nameLength" | "vector" | "vectorLength" | "control" | "controlLength" | "octets", number>
> = { words: 16, name: 0, nameLength: 2, vector: 4, vectorLength: 6, control: 8, controlLength: 10, octets: 14 };
const MESSAGE_BYTES = 4 * MESSAGE.words;
/** struct iovec: base, length. */
const VECTOR_BYTES = 16;
/** Room of a struct sockaddr_in6, of 28 octets. */
export const NAME_ROOM = 32;
export const NAME_BYTES = 28;
/** Room of one SCM_TIMESTAMPNS (cmsg(3)): header 16, struct timespec 16; and as much again for whatever else may come. */
export const CONTROL_ROOM = 64;
const STAMP_AT = 16;

/** Memory of so many packets, laid out as the kernel wants it: headers, vectors, names, control data, packets. */
export class PacketBatch {
  readonly words: Uint32Array;
  readonly names: Buffer;
  readonly control: DataView;
  readonly packets: Buffer;
  readonly size: number;
  readonly #base: bigint;

  constructor(kernel: Kernel, size: number, hasControl: boolean) {
    const [vectors, names] = [MESSAGE_BYTES * size, (MESSAGE_BYTES + VECTOR_BYTES) * size];
    const control = names + NAME_ROOM * size;
    const packets = control + CONTROL_ROOM * size;
    const memory = new Uint8Array(packets + LARGEST_PACKET * size);
    const base = kernel.addressOf(memory);
    const view = new DataView(memory.buffer);
    for (let n = 0; n < size; n++) {
      const put = (at: number, value: bigint): void => view.setBigUint64(at, value, true);
      const message = MESSAGE_BYTES * n;
      const vector = vectors + VECTOR_BYTES * n;
      put(message + 4 * MESSAGE.name, base + BigInt(names + NAME_ROOM * n));
      put(message + 4 * MESSAGE.nameLength, BigInt(NAME_BYTES));
      put(message + 4 * MESSAGE.vector, base + BigInt(vector));
      put(message + 4 * MESSAGE.vectorLength, 1n);
      if (hasControl) put(message + 4 * MESSAGE.control, base + BigInt(control + CONTROL_ROOM * n));
      if (hasControl) put(message + 4 * MESSAGE.controlLength, BigInt(CONTROL_ROOM));
      put(vector, base + BigInt(packets + LARGEST_PACKET * n));
      put(vector + 8, BigInt(LARGEST_PACKET));
    }
    this.#base = base;
    this.size = size;
    // Each of these keeps the memory.
    this.words = new Uint32Array(memory.buffer, 0, names / 4);
    this.names = Buffer.from(memory.buffer, names, NAME_ROOM * size);
    this.control = new DataView(memory.buffer, control, CONTROL_ROOM * size);
    this.packets = Buffer.from(memory.buffer, packets, LARGEST_PACKET * size);
  }

  /** Address of a message. */
  at(n: number): bigint {
    return this.#base + BigInt(MESSAGE_BYTES * n);
  }
  /** The index in `words` of a message. */
  message(n: number): number {
    return MESSAGE.words * n;
  }
  /** ... and of its packet's length. */
  length(n: number): number {
    return MESSAGE.words * this.size + 4 * n + 2;
  }
  /** Microsecond of the system's clock at which the kernel had the packet, when it was received with a stamp. */
  stamp(n: number): number {
    const at = n * CONTROL_ROOM + STAMP_AT;
    return Number(this.control.getBigInt64(at, true)) * 1e6 + Number(this.control.getBigInt64(at + 8, true)) / 1e3;
  }
}

/** Ports are in network order (ip(7)). */
export function putPort(name: Uint8Array, at: number, port: number): void {
  name[at + 2] = port >>> 8;
  name[at + 3] = port & 0xff;
}
