import { expect, it } from "vitest";
import { Outbox } from "./outbox.ts";

it("every refusal is counted, a flood is written at powers of two only, and reasons do not mix", () => {
  const outbox = new Outbox();
  for (let i = 0; i < 100_000; i++) outbox.refuse("malformed", "datagram");
  const written = outbox.take();
  expect(written).toHaveLength(16 + 12); // 1..16 in full, then 32, 64, ... 65,536
  expect(written.at(-1)).toMatchObject({ saying: { ev: "refused", reason: "malformed", count: 65_536 } });
  outbox.refuse("replayed", "media packet");
  expect(outbox.take()).toEqual([{ type: "say", saying: { ev: "refused", reason: "replayed", what: "media packet", count: 1 } }]);
});

it("effects come out once, in the order they were put in", () => {
  const outbox = new Outbox();
  outbox.send(7, { type: "Hangup", call_id: "a".repeat(32) });
  outbox.push({ type: "close", session: 7, detail: "over" });
  expect(outbox.take().map((effect) => effect.type)).toEqual(["say", "send", "close"]);
  expect(outbox.take()).toEqual([]);
});

it("a message that does not parse is refused by its own type where it has one", () => {
  const outbox = new Outbox();
  expect(outbox.read(1, new TextEncoder().encode('{"type":"Teleport"}'))).toBeUndefined();
  expect(outbox.take()).toMatchObject([{ saying: { ev: "refused", reason: "unknown-type", what: "Teleport" } }]);
});
