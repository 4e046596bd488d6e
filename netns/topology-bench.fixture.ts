/** Test bench: topologies with clean links, and processes in their namespaces that send and hear. Tests that use it need root, ip and nft. */
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { InterfaceModel, NatModel, PartyModel, Scenario } from "../scenarios/expanded.ts";
import { CLEAN } from "../scenarios/impairment/link.ts";
import { requireMachine } from "./command.ts";
import { buildTopology, joinPlainly, type Topology } from "./topology.ts";
import type { Answer, Order } from "./topology-end.fixture.ts";

export const HOME: NatModel = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
  ports: "preserve",
  hairpin: "off",
  lifetime: 30_000_000,
  inboundRefresh: true,
  behind: null,
};

export const newRun = (): string => randomBytes(4).toString("hex");

/** An interface without impairments. */
export const plug = (nat: string | null): InterfaceModel => ({ up: CLEAN, down: CLEAN, nat });
export const party = (interfaces: Readonly<Record<string, string | null>>, role: PartyModel["role"] = "client"): PartyModel => ({
  role,
  driftPpm: 0,
  interfaces: Object.fromEntries(Object.entries(interfaces).map(([name, nat]) => [name, plug(nat)])),
});

/** The body of a test that needs namespaces: where the machine cannot build them it is left out, saying why. */
export async function withBench(context: { skip(why: string): void }, body: (bench: Bench) => Promise<void>): Promise<void> {
  try {
    requireMachine();
  } catch (error) {
    context.skip((error as Error).message);
  }
  const bench = makeBench();
  try {
    await body(bench);
  } finally {
    await bench.close();
  }
}

export type Sock = {
  readonly port: number;
  /** Sends; the system's error code, or "" when it took it. */
  send(to: string, text: string): Promise<string>;
  /** Source of the packet that said `text`; undefined when none came within `within` ms (2,000). */
  hear(text: string, within?: number): Promise<string | undefined>;
  punch(to: readonly string[], text: string, every?: number, rounds?: number): Promise<boolean>;
  stream(to: string, text: string, every: number, count: number): Promise<void>;
  /** Ends a stream before its time. */
  stop(): Promise<void>;
  sources(): Promise<readonly string[]>;
};
export type End = {
  open(host?: string, port?: number): Promise<Sock>;
  /** Error code that a connected socket gets which writes to `to`; undefined when it gets none within `within` ms (10,000). */
  refused(to: string, within?: number): Promise<string | undefined>;
};

export type Bench = {
  /** A topology whose wires are joined. */
  build(
    nats: Scenario["nats"],
    parties: Scenario["parties"],
    more?: { readonly adopt?: ReadonlyMap<string, number>; readonly run?: string; readonly willHaveV6?: boolean },
  ): Promise<Topology>;
  /** A process in the party's namespace. */
  end(topology: Topology, party: string): Promise<End>;
  close(): Promise<void>;
};

function makeBench(): Bench {
  const children: ChildProcess[] = [];
  const topologies: Topology[] = [];
  return {
    async build(nats, parties, { adopt = new Map(), run = newRun(), willHaveV6 = false } = {}) {
      const made = await buildTopology({ run, nats, parties, seed: 7, adopt, willHaveV6 });
      topologies.push(made);
      await joinPlainly(made.wires);
      return made;
    },
    async end(topology, name) {
      const child = fork(join(import.meta.dirname, "topology-end.fixture.ts"), [], {
        execPath: "ip",
        execArgv: ["netns", "exec", topology.namespaceOf(name), process.execPath],
        env: { ...process.env, NODE_OPTIONS: "" },
      });
      children.push(child);
      return endOf(child);
    },
    async close() {
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(topologies.map((one) => one.close()));
    },
  };
}

async function endOf(child: ChildProcess): Promise<End> {
  const waiting = new Map<number, (value: unknown) => void>();
  child.on("message", ({ id, value }: Answer) => {
    waiting.get(id)?.(value);
    waiting.delete(id);
  });
  let next = 1;
  const answer = (id: number): Promise<unknown> => new Promise((resolve) => waiting.set(id, resolve));
  const order = (what: DistributiveOmit<Order, "id">): Promise<unknown> => {
    const id = next++;
    child.send({ ...what, id });
    return answer(id);
  };
  await answer(0);
  return {
    refused: async (to, within = 10_000) => ((await order({ do: "refused", to, within })) as string | null) ?? undefined,
    async open(host = "0.0.0.0", port = 0) {
      const { socket, port: bound } = (await order({ do: "open", host, port })) as { socket: number; port: number };
      return {
        port: bound,
        send: async (to, text) => (await order({ do: "send", socket, to, text })) as string,
        hear: async (text, within = 2_000) => ((await order({ do: "hear", socket, text, within })) as string | null) ?? undefined,
        punch: async (to, text, every = 10, rounds = 25) =>
          (await order({ do: "punch", socket, to, text, every, rounds })) as boolean,
        stream: async (to, text, every, count) => void (await order({ do: "stream", socket, to, text, every, count })),
        stop: async () => void (await order({ do: "stop", socket })),
        sources: async () => (await order({ do: "sources", socket })) as readonly string[],
      };
    },
  };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
