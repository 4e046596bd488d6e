import fc from "fast-check";
import { expect, test } from "vitest";
import { Instant, Micros, millis, seconds } from "../../base/units.ts";
import { encodeNatPmpResponse, parseNatPmpRequest } from "../../wire/nat-pmp.ts";
import { encodePcpResponse, parsePcpRequest } from "../../wire/pcp.ts";
import { deadline, type Effect, type Input, type State, start, step } from "./port-mapping.ts";

const config = { entropy: (length: number) => new Uint8Array(length).fill(7) };
const at = (ms: number): Instant => Instant.after(Instant(0), millis(ms));
const ROUTER = "192.168.1.1:5351";
const network = (gateway: string | null = "192.168.1.1") => ({
  ...{ port: 4433, interfaces: [{ name: "wlan0", addresses: ["fe80::2", "192.168.1.2"], isDefault: true }] },
  ...(gateway === null ? {} : { gateway }),
});
const pcp = (lifetime: number, result = 0, nonce = config.entropy(12)): Input => ({
  ...{ type: "response", from: ROUTER },
  bytes: encodePcpResponse({
    ...{ result, lifetime, epoch: 9, nonce, internalPort: 4433, externalPort: 5000, externalHost: "203.0.113.9" },
  }),
});
const pmp = (response: Parameters<typeof encodeNatPmpResponse>[0]): Input => ({
  ...{ type: "response", from: ROUTER, bytes: encodeNatPmpResponse(response) },
});

/** A machine that is told things in turn, and what it did. */
function machine() {
  let state: State = start();
  const tell = (now: Instant, input: Input): readonly Effect[] => {
    const [next, effects] = step(config, state, now, input);
    state = next;
    return effects;
  };
  return { tell, deadline: () => deadline(state) };
}
const wanting = () => {
  const one = machine();
  one.tell(at(0), { type: "network", network: network() });
  return { ...one, first: one.tell(at(0), { type: "want" }) };
};
const asked = (effects: readonly Effect[]): readonly string[] =>
  effects.flatMap((one) => {
    if (one.type !== "packet") return [one.type];
    const [modern, old] = [parsePcpRequest(one.bytes), parseNatPmpRequest(one.bytes)];
    return [
      `${modern === undefined ? `nat-pmp ${old?.type}` : "pcp"} ${modern?.lifetime ?? (old?.type === "map" ? old.lifetime : "")}`.trim(),
    ];
  });

test("a router is asked by PCP, for the socket's port, as the interface's own address", () => {
  const { first } = wanting();
  expect(first).toHaveLength(1);
  const [packet] = first;
  expect(packet).toMatchObject({ type: "packet", to: ROUTER });
  expect(packet?.type === "packet" && parsePcpRequest(packet.bytes)).toMatchObject({ client: "192.168.1.2", internalPort: 4433 });
});

test("a mapping is told once, renewed at half its life, told as lost at its end, and taken back", () => {
  const { tell, deadline: due } = wanting();
  expect(tell(at(3), pcp(600))).toEqual([{ type: "mapped", address: "203.0.113.9:5000" }]);
  expect(due()).toBe(at(300_003));
  expect(asked(tell(at(300_003), { type: "wake" }))).toEqual(["pcp 1800"]);
  expect(tell(at(300_005), pcp(600))).toEqual([]);
  tell(at(600_005), { type: "wake" });
  expect(tell(at(900_005), { type: "wake" })).toContainEqual({ type: "mapped", address: undefined });
  tell(at(900_006), pcp(600));
  expect(asked(tell(at(900_007), { type: "release" }))).toEqual(["pcp 0"]);
  expect(due()).toBeUndefined();
});

test("a router of before PCP is asked by NAT-PMP as soon as it says so, and by both when it says nothing", () => {
  const { tell } = wanting();
  expect(asked(tell(at(2), pmp({ type: "refused", result: 1 })))).toEqual(["nat-pmp address", "nat-pmp map 1800"]);
  expect(tell(at(3), pmp({ type: "map", epoch: 1, internalPort: 4433, externalPort: 5000, lifetime: 600 }))).toEqual([]);
  expect(tell(at(4), pmp({ type: "address", epoch: 1, host: "203.0.113.9" }))).toEqual([
    { type: "mapped", address: "203.0.113.9:5000" },
  ]);
  expect(asked(wanting().tell(at(250), { type: "wake" }))).toEqual(["pcp 1800", "nat-pmp address", "nat-pmp map 1800"]);
});

test("one that answers nothing is asked five times within eight seconds, and again on the next network alone", () => {
  const { tell, deadline: due } = wanting();
  let rounds = 1;
  for (let next = due(); next !== undefined; next = due()) {
    expect(next).toBeLessThan(seconds(8));
    if (tell(next, { type: "wake" }).length > 0) rounds++;
  }
  expect(rounds).toBe(5);
  expect(tell(at(60_000), { type: "want" })).toEqual([]);
  expect(tell(at(61_000), { type: "network", network: network("192.168.7.1") })).toMatchObject([{ to: "192.168.7.1:5351" }]);
});

test("an answer by somebody else, to another question, or with a mapping that is over at once gives nothing", () => {
  const { tell } = wanting();
  expect(tell(at(1), { ...pcp(600), from: "192.168.1.66:5351" } as Input)).toEqual([{ type: "unexpected" }]);
  expect(tell(at(1), pcp(600, 0, new Uint8Array(12)))).toEqual([{ type: "unexpected" }]);
  expect(tell(at(1), { type: "response", from: ROUTER, bytes: new Uint8Array([2, 0x81]) })).toEqual([{ type: "unexpected" }]);
  expect(tell(at(2), pcp(0))).toEqual([]);
});

test("without a router, or without IPv4, nobody is asked; another network loses the mapping", () => {
  const { tell } = machine();
  expect(tell(at(0), { type: "network", network: network(null) })).toEqual([]);
  expect(tell(at(0), { type: "want" })).toEqual([]);
  const other = wanting();
  other.tell(at(1), pcp(600));
  expect(other.tell(at(2), { type: "network", network: { port: 4433, interfaces: [] } })).toEqual([
    { type: "mapped", address: undefined },
  ]);
});

test("whatever a router says, a wake at the deadline always moves on", () => {
  const answer = fc.oneof(
    fc.record({ lifetime: fc.nat(5_000), result: fc.nat(3) }).map(({ lifetime, result }) => pcp(lifetime, result)),
    fc.nat(3).map((result) => pmp({ type: "refused", result: result + 1 })),
    fc.nat(4_000).map((lifetime) => pmp({ type: "map", epoch: 0, internalPort: 4433, externalPort: 9, lifetime })),
    fc.constant(pmp({ type: "address", epoch: 0, host: "203.0.113.9" })),
    fc.constantFrom<Input>({ type: "want" }, { type: "release" }),
  );
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 12 }), (answers) => {
      const { tell, deadline: due } = wanting();
      let now = at(0);
      for (const one of answers) {
        tell(now, one);
        const next = due();
        if (next === undefined) continue;
        expect(next).toBeGreaterThan(now);
        now = next;
        tell(now, { type: "wake" });
        now = Instant.after(now, Micros(1));
      }
    }),
    { seed: 11, numRuns: 200 },
  );
});
