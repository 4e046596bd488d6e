import { describe, expect, test } from "vitest";
import { describeFault } from "./fault-label.ts";
import { parseScenario } from "./language.ts";
import { scenario } from "./scenario.ts";
import type { WrittenScenario } from "./written-scenario.ts";

const head = { name: "case", asks: "Is it so?" };
const read = (written: Partial<WrittenScenario>) => scenario({ ...head, ...written });
const complaints = (input: unknown): string[] => {
  const parsed = parseScenario(input);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};

test("a router that opens ports on request is there in virtual time only", () => {
  const mapped = { parties: { alice: { nat: { preset: "symmetric", portMapping: "pcp" } } } };
  const base = { name: "mapped", asks: "Is a port opened?" };
  expect(complaints({ ...base, ...mapped })).toEqual([
    'labs: has sim, netns, docker: want ["sim"], alice-symmetric opens ports on request (pcp) in virtual time only',
  ]);
  expect(complaints({ ...base, ...mapped, labs: ["sim"] })).toEqual([]);
});

describe("blocks of ports", () => {
  const behind = (nat: object | string) => ({ parties: { alice: { nat } } });
  test("are said by their size, and go where another policy is named", () => {
    const block = read(behind({ preset: "cgnat", portBlock: { size: 8, blocks: 2 } }));
    expect(block.nats["alice-cgnat"]).toMatchObject({ ports: "block", portBlock: { size: 8, blocks: 2 } });
    expect(parseScenario(block)).toEqual({ ok: true, scenario: block });
    expect(read(behind({ preset: "cgnat-block", ports: "random" })).nats["alice-cgnat-block"]).not.toHaveProperty("portBlock");
  });
  test.each([
    [{ ports: "block" }, 'portBlock: is missing: want the ports of each block, such as { "size": 512 }'],
    [{ ports: "random", portBlock: { size: 8 } }, 'portBlock: belongs to ports "block", not "random": want one of them'],
    [{ portBlock: { size: 4096, blocks: 16 } }, "portBlock.blocks: 16 blocks of 4096 are more than 64512 ports: want at most 15"],
  ])("%j: %s", (nat, complaint) => expect(complaints({ ...head, ...behind(nat) })).toEqual([`nats.alice-nat.${complaint}`]));
});

describe("faults of one flow, and middleboxes", () => {
  const behind = { parties: { alice: { nat: "home" }, bob: { nat: "symmetric" } } };
  const withFault = (fault: object) => ({ ...head, ...behind, faults: [{ at: "1s", ...fault }] });
  test("are read with their defaults", () => {
    const { faults } = read({
      ...behind,
      faults: [
        { kind: "rebind", target: "bob", at: "1s", other: "alice" },
        { kind: "block-udp", target: "bob", at: "1s", answer: "port-unreachable" },
        { kind: "late-kill", target: "alice", at: "1s" },
      ],
    });
    expect(faults).toMatchObject([{ other: "alice" }, { answer: "port-unreachable" }, { lives: 3_000_000 }]);
    expect(faults.map(describeFault)).toEqual([
      "rebind bob-symmetric to alice",
      "block-udp bob-symmetric: port-unreachable",
      "late-kill alice-home after 3s",
    ]);
  });
  test.each([
    [
      { kind: "rebind", target: "alice", other: "bob" },
      "other: alice-home has one mapping for all remotes: want a NAT whose mapping is address-dependent, or no other",
    ],
    [{ kind: "rebind", target: "bob", other: "alcie" }, 'other: "alcie" is not a party: did you mean "alice"?'],
    [{ kind: "late-kill", target: "bob", lives: 0 }, "lives: lets no flow live: want a time above 0, or block-udp"],
  ])("%j: %s", (fault, complaint) => expect(complaints(withFault(fault))).toEqual([`faults[0].${complaint}`]));
});

describe("a partition of parties behind NATs", () => {
  const cut = (nats: WrittenScenario["nats"], alice: string, bob: string) => ({
    ...head,
    nats,
    parties: { alice: { nat: alice }, bob: { nat: bob } },
    faults: [{ kind: "partition", target: "alice", other: "r1", at: "1s" }],
  });
  test("is read where each has its NATs to itself", () => expect(complaints(cut({}, "home", "cgnat"))).toEqual([]));
  test.each([
    ["a NAT", cut({ flat: "home" }, "flat", "flat"), "flat"],
    [
      "a carrier's NAT",
      cut({ carrier: "cgnat", one: { behind: "carrier" }, two: { behind: "carrier" } }, "one", "two"),
      "carrier",
    ],
  ])("is refused where they share %s", (_, written, nat) =>
    expect(complaints(written)).toEqual([
      `faults[0].target: "alice" is behind ${nat} with bob: want a party that has its NATs to itself, or block-udp at its NAT`,
    ]),
  );
});
