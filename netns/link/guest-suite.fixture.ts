/** The words of vitest that contract suites use, in terms of node:test, for a guest too slow to start vitest: the bundle for a guest has this in vitest's place. */
import { after, afterEach as afterEachOf, before, describe as describeOf, test as testOf } from "node:test";

export { expect } from "expect";

/** Milliseconds. chosen: a contract's slowest test takes two seconds on the machine itself. */
const timeout = 120_000;
type Work = () => unknown;

export const describe = (name: string, work: () => void): void => void describeOf(name, work);
export const test = (name: string, work: Work): void => void testOf(name, { timeout }, async () => void (await work()));
export const beforeAll = (work: Work, limit: number = timeout): void =>
  before(async () => void (await work()), { timeout: limit });
export const afterAll = (work: Work): void => after(async () => void (await work()), { timeout });
export const afterEach = (work: Work): void => afterEachOf(async () => void (await work()), { timeout });
