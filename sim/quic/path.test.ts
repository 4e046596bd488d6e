import { expect, test } from "vitest";
import { allowance, move, pathTimer, respond, startPath } from "./path.ts";

const OLD = "198.51.100.7:5000";
const NEW = "203.0.113.9:6000";

test("an address that is not validated gets three times what it sent (RFC 9000 section 8)", () => {
  const p = startPath(OLD, false);
  p.received = 300;
  expect(allowance(p)).toBe(900);
  p.sent = 900;
  expect(allowance(p)).toBe(0);
  p.validated = true;
  expect(allowance(p)).toBe(1_200);
});

test("a new address is challenged at once, used at once, and validated by the right answer only", () => {
  const p = startPath(OLD, true);
  move(p, NEW, 1_000, 77, 200_000);
  expect(p).toMatchObject({ remote: NEW, validated: false, previous: OLD });
  expect(pathTimer(p, 1_000)).toBe(true);
  expect(pathTimer(p, 100_000)).toBe(false);
  expect(pathTimer(p, 201_000)).toBe(true);
  expect(respond(p, 76)).toBe(false);
  expect(respond(p, 77)).toBe(true);
  expect(p).toMatchObject({ remote: NEW, validated: true, previous: undefined });
  expect(respond(p, 77)).toBe(false);
});

test("without an answer the connection goes back to the old address after three timeouts (section 9.3.2)", () => {
  const p = startPath(OLD, true);
  move(p, NEW, 0, 77, 200_000);
  expect(pathTimer(p, 600_000)).toBe(false);
  expect(p).toMatchObject({ remote: OLD, validated: true });
});

test("a peer that returns to its validated address needs no challenge, also over a detour of two", () => {
  const p = startPath(OLD, true);
  move(p, NEW, 0, 77, 200_000);
  move(p, "203.0.113.9:6001", 10, 78, 200_000);
  expect(p).toMatchObject({ previous: OLD, validated: false });
  move(p, OLD, 20, 79, 200_000);
  expect(p).toMatchObject({ remote: OLD, validated: true, previous: undefined });
});
