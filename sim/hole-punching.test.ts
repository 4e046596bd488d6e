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

type Outcome = {
  readonly isDirect: boolean;
  /** From the first set-up to both on a direct path, and the longest from a party's set-up to its first packet of media, microseconds. */
  readonly after: number;
  readonly heardAfter: number;
};

function called(a: Kind, b: Kind): Outcome {
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
  const heardAfter = ["alice", "bob"].map((who) => {
    const setUp = run.records.find((one) => one.ev === "signal" && one.who === who && one.type === "CallSetup")?.t ?? 0;
    const heard = run.records.find((one) => one.ev === "media-received" && one.who === who);
    return heard?.ev === "media-received" ? heard.at - setUp : Number.POSITIVE_INFINITY;
  });
  return { isDirect, after: Math.max(...direct) - began, heardAfter: Math.max(...heardAfter) };
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

const WHERE =
  "direct wherever theory allows, within 2.5 round trips and 100 ms of the set-up, and heard within two round trips of it anyway";
test.each(KINDS)(`${WHERE}: $mapping, $filtering`, (a) => {
  for (const b of KINDS) {
    const { isDirect, after, heardAfter } = called(a, b);
    expect(heardAfter, `${nameOf(a)} calls ${nameOf(b)}`).toBeLessThanOrEqual(2 * ROUND_TRIP);
    expect(isDirect, `${nameOf(a)} calls ${nameOf(b)}`).toBe(isPossible(a, b));
    if (isDirect) expect(after, `${nameOf(a)} calls ${nameOf(b)}`).toBeLessThanOrEqual(2.5 * ROUND_TRIP + 100_000);
  }
});
