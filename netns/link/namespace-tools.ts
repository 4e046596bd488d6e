/** `ip`, `tc` and `nft` inside one network namespace, many lines a process. All reject with NetnsError as `run` does. */
import { run } from "../command.ts";

const batch = (tool: string, namespace: string, lines: readonly string[], force: boolean): Promise<string> =>
  run(tool, ["-n", namespace, ...(force ? ["-force"] : []), "-batch", "-"], `${lines.join("\n")}\n`);

/** Lines for `ip -batch`; the first that fails ends the batch, unless `force` is set. */
export const ip = (namespace: string, lines: readonly string[], force = false): Promise<string> =>
  batch("ip", namespace, lines, force);

/** Lines for `tc -batch`, likewise. */
export const tc = (namespace: string, lines: readonly string[], force = false): Promise<string> =>
  batch("tc", namespace, lines, force);

/** What `tc` prints about a namespace. */
export const tcShow = (namespace: string, args: readonly string[]): Promise<string> => run("tc", ["-n", namespace, ...args]);

/** What `nft` prints in a namespace; `script` is its standard input. */
export const nft = (namespace: string, args: readonly string[], script = ""): Promise<string> =>
  run("ip", ["netns", "exec", namespace, "nft", ...args], script);

/**
 * Has one processor receive all packets of some devices (RPS). Left alone, a veth hands a packet to the processor its sender happened to run on, and on a busy machine
 * a sender that moved overtakes itself: order and drop lists would be the scheduler's. Where the kernel has no RPS, nothing is done.
 */
export const receiveInOrder = (namespace: string, devices: readonly string[]): Promise<string> =>
  run("ip", ["netns", "exec", namespace, "sh", "-c", STEER, "sh", ...devices]);

const STEER =
  'for device; do for queue in /sys/class/net/"$device"/queues/rx-*/rps_cpus; do [ ! -w "$queue" ] || echo 1 >"$queue"; done; done';
