/** Processes that end and come back while something else is at work on them. */
import { expect, test } from "vitest";
import { deregister, drain, kill, pause, register, type Scenario, scenario, type WrittenFault } from "../scenarios/index.ts";
import { runSim } from "./lab.ts";
import { nullCrypto } from "./null-crypto.ts";
import { sizedCodec } from "./sized-codec.ts";

const NAT = { preset: "home", portMapping: "upnp-igd" } as const;
const call = (...faults: WrittenFault[]): Scenario =>
  scenario({
    name: "ends",
    asks: "?",
    labs: ["sim"],
    duration: "9s",
    expect: [],
    parties: { alice: { nat: NAT, iceTransportPolicy: "all" } },
    faults,
  });

/** What became of the process, with the seconds at which it did; nothing of the run's end. */
function lives(who: string, ...faults: WrittenFault[]): readonly (readonly [number, string])[] {
  const { crashed, records } = runSim({ scenario: call(...faults), seed: 1 }, { codec: sizedCodec, crypto: nullCrypto });
  expect(crashed).toBeUndefined();
  return records.flatMap((one) =>
    one.ev === "process" && one.who === who && one.t < 9e6 ? [[one.t / 1e6, one.state] as const] : [],
  );
}

test("a relay that is drained and killed is started again when both are over", () => {
  const states = lives("r1", drain("r1", { at: "3s", within: "2s", for: "4s" }), kill("r1", { at: "4s", for: "1s" }));
  expect(states).toEqual([
    [0, "started"],
    [4, "killed"],
    [7, "started"],
  ]);
});

test("a drained relay that was held still until it should be back is back as soon as it has ended", () => {
  const [, paused, resumed, exited, started] = lives(
    "r1",
    drain("r1", { at: "3s", within: "1s", for: "2s" }),
    pause("r1", { at: "3001ms", for: "3s" }),
  );
  expect([paused, resumed]).toEqual([
    [3.001, "paused"],
    [6.001, "resumed"],
  ]);
  expect(exited?.[1]).toBe("exited");
  expect(started).toEqual([exited?.[0], "started"]);
});

test("a client that speaks HTTP with its router can be killed and started again", () => {
  expect(lives("alice", kill("alice", { at: "3s", for: "1s" })).map(([at, state]) => `${at} ${state}`)).toEqual([
    "0 started",
    "3 killed",
    "4 started",
  ]);
});

test("a client that was killed goes to the relay its user chose last, and to none after deregistering", () => {
  const homes = (...actions: ReturnType<typeof register | typeof deregister>[]): readonly (string | undefined)[] => {
    const relays = { r1: { role: "relay" }, r2: { role: "relay" } } as const;
    const asked = scenario({
      ...{ name: "ends", asks: "?", duration: "9s", labs: ["sim"], expect: [] },
      ...{ parties: { alice: {}, bob: {}, ...relays }, faults: [kill("alice", { at: "3s", for: "1s" })], actions },
    });
    const { records } = runSim({ scenario: asked, seed: 1 }, { codec: sizedCodec, crypto: nullCrypto });
    const later = records.filter((one) => one.t >= 4e6 && one.t < 9e6);
    return later.flatMap((one) =>
      one.ev === "registration" && one.who === "alice" && one.state === "registered" ? [one.relay] : [],
    );
  };
  const [r1] = homes();
  const [r2] = homes(register("alice", "r2", { at: "3500ms" }));
  expect(r1).toMatch(/^198/);
  expect(r2).toMatch(/^198/);
  expect(r2).not.toBe(r1);
  expect(homes(deregister("alice", { at: "2s" }))).toEqual([]);
});
