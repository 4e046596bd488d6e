import { defineConfig } from "vitest/config";

const config: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    include: ["{impl,sim,scenarios,netns,reports,dashboards,cli}/**/*.test.ts"],
    globalSetup: ["./netns/install.setup.ts"],
    testTimeout: 30_000,
    maxWorkers: 2,
    reporters: ["default", "./.ci/left-out.ts"],
  },
});

export default config;
