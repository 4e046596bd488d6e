/**
 * The seam between the laboratory and what runs its parties: plain processes in network namespaces (`launch-process.ts`), or containers.
 * A launcher starts a Node.js module and gives the lab a hold of that very process; what the party says travels over the lab's socket, not through here.
 */

/** One process to start. */
export type LaunchSpec = {
  /** The party; the same name is launched again after a kill, in the same `folder`. */
  readonly name: string;
  /** Network namespace it lives in, as `ip netns` knows it. */
  readonly namespace: string;
  /** Absolute path of the module that Node.js runs. */
  readonly module: string;
  readonly args: readonly string[];
  /** The run's working folder, absolute: everything that `args` name lies in it or is read-only. */
  readonly folder: string;
};

export type Launched = {
  /** Of the Node.js process itself, as seen from this machine. */
  readonly pid: number;
  /** Ignored once it has ended. */
  signal(name: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): void;
  /** Resolves when it has ended, with its exit code or the signal that ended it; never rejects. */
  readonly exited: Promise<Exit>;
  /** The last of what it wrote to standard error. */
  stderrTail(): string;
};

export type Exit = { readonly code: number | null; readonly signal: string | null };

export type Launcher = {
  /** What the result calls the laboratory. */
  readonly lab: "netns" | "docker";
  /**
   * Called once before the topology is built: for a launcher whose parties bring network namespaces of their own, a process id in each one's;
   * undefined: the topology makes the namespaces.
   */
  readonly adopt?: (run: string, parties: readonly string[], folder: string) => Promise<ReadonlyMap<string, number>>;
  /** Rejects with NetnsError when the machine refuses. Several processes of one party may live at once (a stand-by beside one that dies). */
  start(spec: LaunchSpec): Promise<Launched>;
  /** Called once after the last process ended and the topology is gone; everything the launcher made is gone afterwards. */
  close?(): Promise<void>;
};
