/**
 * The front door of the scenario language, and what `import ... from "midcall"` gives: `scenario()` with words for faults
 * and expectations, the parser, and the types.
 */
export { deregister, hangUp, register, type WrittenAction } from "./action-language.ts";
export type * from "./expanded.ts";
export * from "./expectation-builders.ts";
export * from "./fault-builders.ts";
export type { WrittenFault } from "./fault-language.ts";
export { type Parsed, parseScenario, scenarioJsonSchema } from "./language.ts";
export type { LinkNumbers, WrittenLink, WrittenOverlay } from "./link-language.ts";
export type { WrittenNat } from "./nat-language.ts";
export type { Problem } from "./problem.ts";
export { ScenarioError, scenario } from "./scenario.ts";
export type { Time } from "./time.ts";
export type { WrittenCall, WrittenExpectation, WrittenParty, WrittenScenario } from "./written-scenario.ts";
