/** Every pair of the nine NATs of RFC 4787 takes the path that theory predicts, and takes it in time. */
import { expect, test } from "vitest";
import { scenario } from "../scenarios/scenario.ts";
import { runSim } from "./lab.ts";
import { isPossible, KINDS, type Kind, nameOf } from "./nat-pairs.fixture.ts";
import { nullCrypto } from "./null-crypto.ts";
import { sizedCodec } from "./sized-codec.ts";

/** 12.5 ms one way on each client's link: 50 ms round trip. */
const link = { profile: "broadband", delay: "12500us" };
const ROUND_TRIP = 50_000;

function called(a: Kind, b: Kind): { readonly isDirect: boolean; readonly after: number } {
  const nat = { preset: "symmetric", ports: "random" } as const;
  const run = runSim(
    {
      scenario: scenario({
        ...{ name: "pair", asks: "Do they meet?", duration: "5s", iceTransportPolicy: "all" },
        parties: { alice: { nat: { ...nat, ...a }, link }, bob: { nat: { ...nat, ...b }, link } },
      }),
      seed: 7,
    },
    { codec: sizedCodec, crypto: nullCrypto },
  );
  const steps = run.records.flatMap((one) => (one.ev === "path" ? [one] : []));
  const last = new Map(steps.map((one) => [one.who, one.path]));
  const began = steps.find((one) => one.path === "relay")?.t ?? 0;
  const direct = steps.filter((one) => one.path === "direct").map((one) => one.t);
  const isDirect = last.get("alice") === "direct" && last.get("bob") === "direct";
  expect(isDirect || [...last.values()].every((path) => path === "relay")).toBe(true);
  return { isDirect, after: Math.max(...direct) - began };
}

test("the theory is the textbook's where there is one", () => {
  const textbook: Readonly<Record<string, Kind>> = {
    "full cone": { mapping: "endpoint-independent", filtering: "endpoint-independent" },
    restricted: { mapping: "endpoint-independent", filtering: "address-dependent" },
    "port restricted": { mapping: "endpoint-independent", filtering: "address-and-port-dependent" },
    symmetric: { mapping: "address-and-port-dependent", filtering: "address-and-port-dependent" },
  };
  const impossible = Object.entries(textbook).flatMap(([one, a]) =>
    Object.entries(textbook).flatMap(([other, b]) => (isPossible(a, b) ? [] : [`${one} - ${other}`])),
  );
  expect(impossible).toEqual(["port restricted - symmetric", "symmetric - port restricted", "symmetric - symmetric"]);
});

test.each(KINDS)("direct wherever theory allows, within 2.5 round trips and 100 ms of the set-up: $mapping, $filtering", (a) => {
  for (const b of KINDS) {
    const { isDirect, after } = called(a, b);
    expect(isDirect, `${nameOf(a)} calls ${nameOf(b)}`).toBe(isPossible(a, b));
    if (isDirect) expect(after, `${nameOf(a)} calls ${nameOf(b)}`).toBeLessThanOrEqual(2.5 * ROUND_TRIP + 100_000);
  }
});
