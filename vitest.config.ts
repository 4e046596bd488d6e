import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Laboratories' threads and processes strip the types of the same sources again and again otherwise (cli/midcall.mjs). */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules/.cache/midcall");

/** Tests of cli that judge by the real clock. */
const REAL_CLI = [
  "abandoned",
  "bench-neteq",
  "capture",
  "dashboards-up",
  "docker-lab",
  "doctor",
  "launch",
  "live",
  "loopback",
  "machine-trouble",
  "netns-catalogue",
  "netns-direct",
  "netns-faults",
  "netns-metrics",
  "netns-parity",
  "parity",
  "reproduce-netns",
];
/** Tests that judge by the real clock: sockets, processes, namespaces. They run one file at a time, after all others; what only waits for real programs is among the others. */
const REAL = [
  "impl/io/{quic-endpoint,udp-proxy,metrics-port}.test.ts",
  "impl/bin/**/*.test.ts",
  "netns/**/*.test.ts",
  ...REAL_CLI.map((name) => `cli/${name}.test.ts`),
];
/** Keeps a time of its own, whatever else the machine does, and takes some four minutes of a processor: with MIDCALL_WHOLE_CATALOGUE=1. */
const GUEST = "netns/link/netem.test.ts";
const LIMIT_MS = 300_000;
const isWhole = process.env.MIDCALL_WHOLE_CATALOGUE === "1";
const all = "{impl,sim,scenarios,netns,reports,dashboards,cli}/**/*.test.ts";

const config: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    // Against a test that hangs, and for nothing else: what a test takes is the machine's affair.
    testTimeout: LIMIT_MS,
    hookTimeout: LIMIT_MS,
    maxWorkers: 2,
    globalSetup: ["./netns/install.setup.ts", "./cli/prometheus.setup.ts", "./cli/browser.setup.ts", "./cli/codec2.setup.ts"],
    reporters: ["default", "./.ci/left-out.ts"],
    projects: [
      { extends: true, test: { name: "virtual", include: [all], exclude: ["**/node_modules/**", ...REAL] } },
      ...(isWhole ? [{ extends: true as const, test: { name: "guest", include: [GUEST] } }] : []),
      {
        extends: true,
        test: {
          name: "real",
          include: REAL,
          exclude: ["**/node_modules/**", GUEST],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

export default config;
