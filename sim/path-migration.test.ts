/**
 * The dialler of a direct path changes its own address while the peer's stays (a roam): its QUIC session goes on from the new address (RFC 9000 section 9) as soon
 * as the peer hears it from there, before any new session could be made. The peer is at a public address, so that nothing but the session itself is in question.
 */
import { expect, test } from "vitest";
import { interfaceDown } from "../scenarios/fault-builders.ts";
import { scenario } from "../scenarios/scenario.ts";
import { runSim } from "./lab.ts";
import { nullCrypto } from "./null-crypto.ts";
import { sizedCodec } from "./sized-codec.ts";

/** 50 ms round trip between the two. */
const link = { profile: "broadband", delay: "12500us" };
const ROAM = 4_000_000;
/** The new network is noticed after 15 ms, a frame leaves within 20, crosses both links, and the new path is proved in a round trip. */
const WITHIN = 15_000 + 20_000 + 25_000 + 50_000 + 10_000;

test("a session goes on when only the dialler's own address changed, and media with it", () => {
  const run = runSim(
    {
      scenario: scenario({
        ...{ name: "migration", asks: "The same session?", duration: "8s", iceTransportPolicy: "all" },
        parties: {
          alice: { interfaces: { wlan0: { nat: "home", link }, cell0: { nat: "port-restricted", link } } },
          bob: { link },
        },
        faults: [interfaceDown("alice", { interface: "wlan0", at: "4s" })],
      }),
      seed: 5,
    },
    { codec: sizedCodec, crypto: nullCrypto },
  );
  const pairs = run.records.flatMap((one) => (one.ev === "candidate-pair" && one.who === "bob" ? [one] : []));
  const before = pairs.find((one) => one.state === "succeeded");
  const migrated = pairs.find((one) => one.state === "migrated" && one.t > ROAM);
  const next = pairs.find((one) => one.state === "succeeded" && one.t > ROAM);
  expect(migrated?.session).toBe(before?.session);
  expect((migrated?.t ?? Number.POSITIVE_INFINITY) - ROAM).toBeLessThanOrEqual(WITHIN);
  expect(migrated?.t).toBeLessThan(next?.t ?? Number.POSITIVE_INFINITY);
  expect(migrated?.remote).not.toBe(before?.remote);
});
