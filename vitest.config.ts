import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{impl,sim,scenarios,netns,reports,dashboards,cli}/**/*.test.ts"],
    testTimeout: 30_000,
    maxWorkers: 2,
  },
});
