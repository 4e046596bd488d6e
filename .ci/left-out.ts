/**
 * The last lines of `npm test`: what the commit's own campaign found (annotations of type `found`), and which tests this machine could not run, by name and with the reason. A test that lacks something
 * says so with `context.skip("reason")`. With CI=true nothing may be left out: a skipped test fails the run.
 */
import type { Reporter, TestModule } from "vitest/node";

export default class LeftOut implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const found = modules.flatMap((module) =>
      [...module.children.allTests()].flatMap((test) => test.annotations().filter(({ type }) => type === "found")),
    );
    if (found.length > 0) {
      const lines = found.map(({ message }) => message).join("\n");
      console.log(`Found by this commit's campaign; it may be older than the commit and fails nothing (docs/ci.md):\n${lines}`);
      if (process.env.GITHUB_ACTIONS === "true")
        console.log("::warning title=campaign::this commit's campaign found a violation");
    }
    const left: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const result = test.result();
        const reason = (result.state === "skipped" && result.note) || "no reason given";
        left.push(`  ${module.relativeModuleId} > ${test.fullName}: ${reason}`);
      }
    }
    if (left.length === 0) {
      console.log("Nothing was left out: every test could run on this machine.");
      return;
    }
    console.log(`Left out on this machine (${left.length}):\n${left.join("\n")}`);
    if (process.env.CI === "true") {
      console.log("CI=true: nothing may be left out, so this run failed.");
      process.exitCode = 1;
    } else {
      console.log("What is missing and how to get it: npx midcall doctor");
    }
  }
}
