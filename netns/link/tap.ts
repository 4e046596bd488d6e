/**
 * A macvtap character device as a source and sink of frames, without native code. It is read through libuv's event loop by way of Node's
 * pipe handle, which takes any descriptor that can be polled; where a Node has closed that door, by blocking reads on the thread
 * pool, at about a third of the packets a second.
 */
import { closeSync, constants, openSync, read, writeSync } from "node:fs";
import { Socket } from "node:net";

export type Reader = "pipe" | "thread-pool";

export type Tap = {
  readonly reader: Reader;
  /** Sends one frame, virtio-net header first; false when the device did not take it. */
  send(frame: Uint8Array): boolean;
};

/** Largest frame a device hands over: a 64 KiB packet with its headers. */
const LARGEST_FRAME = 65_536 + 64;

type PipeHandle = { open(fd: number): number };
type PipeBinding = { readonly Pipe: new (kind: number) => PipeHandle; readonly constants: { readonly SOCKET: number } };

/** Opens the device for the life of the process. `wanted` is a preference: see `reader` for what is used. Throws the system's error when it cannot be opened. */
export function openTap(path: string, wanted: Reader, receive: (frame: Uint8Array) => void, failed: (cause: Error) => void): Tap {
  const pipe = wanted === "pipe" ? pipeBinding() : undefined;
  const fd = openSync(path, pipe === undefined ? constants.O_RDWR : constants.O_RDWR | constants.O_NONBLOCK);
  const tap = (reader: Reader): Tap => ({
    reader,
    send(frame) {
      try {
        return writeSync(fd, frame) === frame.length;
      } catch {
        return false; // a full queue or a device that is down: to the network, a packet lost
      }
    },
  });
  if (pipe !== undefined) {
    const handle = new pipe.Pipe(pipe.constants.SOCKET);
    const status = handle.open(fd);
    if (status === 0) {
      // @types/node leaves out `handle`, which net.Socket takes for any libuv stream.
      const socket = new Socket({ handle, readable: true } as object);
      socket.on("data", receive); // one frame each: the device gives one a read, and a flowing stream never joins chunks
      socket.on("error", failed);
      return tap("pipe");
    }
    closeSync(fd);
    return openTap(path, "thread-pool", receive, failed);
  }
  const buffer = new Uint8Array(LARGEST_FRAME);
  const next = (): void =>
    read(fd, buffer, 0, buffer.length, null, (error, length) => {
      if (error !== null) return failed(error);
      if (length > 0) receive(buffer.slice(0, length));
      next();
    });
  next();
  return tap("thread-pool");
}

/** Node's internal binding, deprecated in the documentation alone (DEP0111); undefined where it is gone. */
function pipeBinding(): PipeBinding | undefined {
  try {
    return (process as unknown as { readonly binding: (name: string) => PipeBinding }).binding("pipe_wrap");
  } catch {
    return undefined;
  }
}
