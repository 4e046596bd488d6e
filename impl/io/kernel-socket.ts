/**
 * The system calls of a UDP socket on Linux, through koffi: socket(2), bind(2), recvmmsg(2), sendmmsg(2), and the event loop's word on when one is readable.
 * Numbers and layouts are those of the kernel's headers for 64-bit x86 and ARM, where they agree; elsewhere there is none.
 */
import { createRequire } from "node:module";
import { isMainThread } from "node:worker_threads";

import { AF_INET6, type SocketAddresses, socketAddresses } from "./socket-addresses.ts";

/** socket(7), ip(7), ipv6(7), recv(2). */
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4_000;
const SOCK_CLOEXEC = 0o2_000_000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SO_TIMESTAMPNS = 35;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
/** clock_gettime(3). */
const CLOCK_REALTIME = 0;
/** errno(3). */
export const EINTR = 4;
export const EAGAIN = 11;

type Koffi = typeof import("koffi");

export type Kernel = {
  addresses(asTold: (host: string) => string): SocketAddresses;
  /** An open, bound socket that never blocks; undefined: it cannot be had. `both`: for IPv4 too, when it is of IPv6. */
  open(
    name: Uint8Array,
    options: { readonly both: boolean; readonly receiveBuffer: number; readonly stamps: boolean },
  ): number | undefined;
  /** The address bound, as struct sockaddr. */
  name(fd: number): Buffer | undefined;
  close(fd: number): void;
  /** How many messages of a batch were taken or sent; below 0: the error is `errno`. A message too long for its room tells its real length. */
  receive(fd: number, messages: bigint, count: number): number;
  send(fd: number, messages: bigint, count: number): number;
  errno(): number;
  /** Microsecond of the system's clock (CLOCK_REALTIME), as arrivals are stamped. */
  time(): number;
  addressOf(memory: Uint8Array): bigint;
  /** Tells in the event loop when the socket is ready, as often as it is. */
  poll(fd: number, ready: (events: { readonly readable: boolean; readonly writable: boolean }) => void): Poll;
};
export type Poll = {
  /** Whether it is also told when more can be sent. */
  awaitsRoom(does: boolean): void;
  close(): void;
};

let opened: { readonly kernel: Kernel | undefined } | undefined;

/** Undefined where koffi, the platform or the C library has none, and in worker threads. */
export function kernelSockets(): Kernel | undefined {
  opened ??= { kernel: load() };
  return opened.kernel;
}

function load(): Kernel | undefined {
  if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64")) return undefined;
  // A worker that is terminated while koffi tells it of a socket takes the whole process with it (koffi 3.3.4).
  if (!isMainThread) return undefined;
  try {
    return bindings(createRequire(import.meta.url)("koffi") as Koffi);
  } catch {
    return undefined; // a platform that koffi has no binary for, or a C library without these calls
  }
}

function bindings(koffi: Koffi): Kernel {
  const library = koffi.load(null);
  const socket = library.func("int socket(int domain, int type, int protocol)") as (...words: number[]) => number;
  const bind = library.func("int bind(int fd, const void *name, uint32_t length)");
  const getsockname = library.func("int getsockname(int fd, void *name, void *length)");
  const setsockopt = library.func("int setsockopt(int fd, int level, int option, const void *value, uint32_t length)");
  const close = library.func("int close(int fd)") as (fd: number) => number;
  const recvmmsg = library.func("int recvmmsg(int fd, void *messages, unsigned int count, int flags, void *timeout)");
  const sendmmsg = library.func("int sendmmsg(int fd, void *messages, unsigned int count, int flags)");
  const gettime = library.func("int clock_gettime(int clock, void *time)");
  const timespec = new BigInt64Array(16); // two of them are used; so many lie outside the heap, where nothing moves
  const option = (fd: number, level: number, name: number, value: number): boolean =>
    setsockopt(fd, level, name, new Uint8Array(Int32Array.of(value).buffer), 4) === 0;
  return {
    addresses: socketAddresses(library),
    open: (name, { both, receiveBuffer, stamps }) => {
      const family = name[0] ?? 0;
      const fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (fd < 0) return undefined;
      // What the system's limit (net.core.rmem_max) does not stop whoever administers it from having.
      if (!option(fd, SOL_SOCKET, SO_RCVBUFFORCE, receiveBuffer)) option(fd, SOL_SOCKET, SO_RCVBUF, receiveBuffer);
      if (stamps) option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
      const isReady = family !== AF_INET6 || option(fd, IPPROTO_IPV6, IPV6_V6ONLY, both ? 0 : 1);
      if (isReady && bind(fd, name, family === AF_INET6 ? 28 : 16) === 0) return fd;
      close(fd);
      return undefined;
    },
    name: (fd) => {
      const [name, length] = [Buffer.alloc(32), Buffer.from(Uint32Array.of(32).buffer)];
      return getsockname(fd, name, length) === 0 ? name : undefined;
    },
    close: (fd) => void close(fd),
    receive: (fd, messages, count) => recvmmsg(fd, messages, count, MSG_DONTWAIT | MSG_TRUNC, null),
    send: (fd, messages, count) => sendmmsg(fd, messages, count, MSG_DONTWAIT),
    errno: () => koffi.errno(),
    time: () => {
      gettime(CLOCK_REALTIME, timespec);
      return Number(timespec[0]) * 1e6 + Number(timespec[1]) / 1e3;
    },
    addressOf: (memory) => koffi.address(memory),
    poll: (fd, ready) => {
      const told = ((_: number, events: { readonly readable: boolean; readonly writable: boolean }) => ready(events)) as never;
      const handle = koffi.node.poll(fd, { readable: true }, told);
      return {
        awaitsRoom: (does) => handle.start({ readable: true, writable: does }, told),
        close: () => handle.close(),
      };
    },
  };
}
