import { expect, test } from "vitest";
import { readCommand } from "./client-commands.ts";

const PIN = "ab".repeat(32);

test.each([
  ["", { type: "none" }],
  ["  deregister ", { type: "deregister" }],
  ["hang-up", { type: "hang-up", reason: "hung-up" }],
  ["quit", { type: "quit" }],
  [`call ${"0f".repeat(16)}`, { type: "call", peer: "0f".repeat(16) }],
  [`register 127.0.0.1:4433 ${PIN}`, { type: "register", relay: { address: "127.0.0.1:4433", pin: PIN } }],
  [
    `register [::1]:4433 ${PIN.toUpperCase()} sesame`,
    { type: "register", relay: { address: "[::1]:4433", pin: PIN, token: "sesame" } },
  ],
])("%j is a command", async (line, command) => {
  expect(await readCommand(line)).toEqual(command);
});

test.each([
  ["swich", /no such command, want register/],
  ["register 127.0.0.1:4433 abc", /pin of 64/],
  [`register 127.0.0.1 ${PIN}`, /register: Want HOST:PORT/],
  [`register 127.0.0.1:0 ${PIN}`, /port 0/],
  ["call bob", /fingerprint of 32/],
  ["hang-up now", /takes nothing/],
])("%j is none, and what would be right is said", async (line, why) => {
  const typed = await readCommand(line);
  expect(typed.type === "wrong" ? typed.why : typed).toMatch(why);
});
