/** A direct path that dies and comes back all the time: whether the call goes to and fro with it, and what is heard of that. */
import { expect, test } from "vitest";
import { partition } from "../scenarios/fault-builders.ts";
import { scenario } from "../scenarios/scenario.ts";
import { runSim } from "./lab.ts";
import { nullCrypto } from "./null-crypto.ts";
import { sizedCodec } from "./sized-codec.ts";

const link = { profile: "broadband", delay: "12500us" };
/** Each outage lasts half a second longer than it takes to declare the path dead. */
const OUTAGES = 8;

test("a pair that dies every three seconds is left alone for longer each time, and the relay carries the call meanwhile", () => {
  const run = runSim(
    {
      scenario: scenario({
        ...{ name: "flaps", asks: "To and fro?", duration: "30s", iceTransportPolicy: "all" },
        parties: { alice: { link }, bob: { link } },
        faults: Array.from({ length: OUTAGES }, (_, k) => partition("alice", "bob", { at: `${4 + 3 * k}s`, for: "1500ms" })),
      }),
      seed: 3,
    },
    { codec: sizedCodec, crypto: nullCrypto },
  );
  for (const who of ["alice", "bob"]) {
    const paths = run.records.flatMap((one) => (one.ev === "path" && one.who === who && one.t < 30_000_000 ? [one] : []));
    const gone = paths.filter(({ path }, k) => path === "relay" && k > 0).map(({ t }) => t);
    // Tried again at once, then after two seconds, then after eight.
    expect(gone.length, JSON.stringify(paths.map(({ t, path }) => [t, path]))).toBeGreaterThanOrEqual(2);
    expect(gone.length).toBeLessThanOrEqual(4);
    const played = run.records.flatMap((one) =>
      one.ev === "media-played" && one.who === who && one.kind !== "source" ? [one.n] : [],
    );
    expect(Math.max(0, ...played)).toBeLessThanOrEqual(8);
  }
});
