import { expect, it } from "vitest";
import type { SignalType } from "../impl/wire/signal.ts";
import { SIGNALLING_MESSAGES } from "../scenarios/fault-language.ts";

it("a signalling fault knows exactly the message types of the wire", () => {
  const known: readonly SignalType[] = SIGNALLING_MESSAGES; // does not compile when the list names a type the wire has not
  const missing: readonly Exclude<SignalType, (typeof SIGNALLING_MESSAGES)[number]>[] = [];
  const nothing: readonly never[] = missing; // nor when the wire has a type the list does not name
  expect(new Set(known).size + nothing.length).toBe(known.length);
});
