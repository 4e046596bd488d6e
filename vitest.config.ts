import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Laboratories' threads and processes strip the types of the same sources again and again otherwise (cli/midcall.mjs). */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules/.cache/midcall");

/** Tests of cli that need the machine to themselves: they measure by the real clock what a busy neighbour changes, or run as many parties at once as two processors carry. */
const ALONE_CLI = ["loopback", "netns-direct", "parity"];
/** Tests of cli that have two or three runs on a real kernel at once, whose parties go first (netns/precedence.ts): two files at a time, and nothing else. */
const LAB_CLI = ["docker-lab", "netns-catalogue", "netns-faults", "netns-parity"];
/** Tests of cli with real parties in real time, which wait more than they compute. */
const REAL_CLI = [
  "abandoned",
  "bench-neteq",
  "capture",
  "dashboards-up",
  "doctor",
  "launch",
  "live",
  "machine-trouble",
  "netns-metrics",
  "relay-sigterm",
  "reproduce-netns",
];
/** One file at a time, after all others. */
const ALONE = [
  "impl/io/quic-endpoint.test.ts",
  "impl/io/quic-strangers.test.ts",
  "impl/bin/hostile-datagrams.test.ts",
  "netns/link/!(netem).test.ts",
  ...ALONE_CLI.map((name) => `cli/${name}.test.ts`),
];
const LAB = LAB_CLI.map((name) => `cli/${name}.test.ts`);
/** Sockets, processes, namespaces, containers: three files at a time and the guest, when those that compute are through. What only waits for real programs is among those. */
const REAL = [
  "impl/io/{udp-proxy,metrics-port}.test.ts",
  "impl/bin/**/*.test.ts",
  "netns/**/*.test.ts",
  ...REAL_CLI.map((name) => `cli/${name}.test.ts`),
];
/** Compute, and keep nothing outside of themselves: their files share a worker's modules, which are otherwise loaded anew for each of them, a third of a second of a processor. */
const PURE = ["impl/{base,wire,core}/**/*.test.ts", "{sim,scenarios,reports}/**/*.test.ts"];
/** Keeps a time of its own, takes some four minutes of a processor, and of those only what nobody else wants: it begins before those that wait most of the time. */
const GUEST = "netns/link/netem.test.ts";
class GuestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isGuest = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith(GUEST);
    return [...sorted.filter(isGuest), ...sorted.filter((file) => !isGuest(file))];
  }
}
const NOT_OURS = "**/node_modules/**";
const LIMIT_MS = 300_000;
const all = "{impl,sim,scenarios,netns,reports,dashboards,cli}/**/*.test.ts";

const config: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    // Against a test that hangs, and for nothing else: what a test takes is the machine's affair.
    testTimeout: LIMIT_MS,
    hookTimeout: LIMIT_MS,
    maxWorkers: 2,
    globalSetup: ["./netns/install.setup.ts", "./cli/prometheus.setup.ts", "./cli/browser.setup.ts", "./cli/codec2.setup.ts"],
    sequence: { sequencer: GuestFirst },
    reporters: ["default", "./.ci/left-out.ts"],
    projects: [
      { extends: true, test: { name: "pure", include: PURE, exclude: [NOT_OURS], isolate: false } },
      { extends: true, test: { name: "virtual", include: [all], exclude: [NOT_OURS, ...PURE, ...REAL, ...LAB, ...ALONE] } },
      {
        extends: true,
        test: { name: "real", include: REAL, exclude: [NOT_OURS, ...ALONE], sequence: { groupOrder: 1 }, maxWorkers: 4 },
      },
      { extends: true, test: { name: "lab", include: LAB, exclude: [NOT_OURS], sequence: { groupOrder: 2 } } },
      {
        extends: true,
        test: {
          name: "alone",
          include: ALONE,
          exclude: [NOT_OURS],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});

export default config;
