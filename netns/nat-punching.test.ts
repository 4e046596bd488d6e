/** Hole punching between the five kinds of NAT that textbooks tell apart (RFC 3489 section 5, RFC 5128). */
import { expect, test } from "vitest";
import type { NatModel } from "../scenarios/expanded.ts";
import type { Topology } from "./topology.ts";
import { HOME, party, type Sock, withBench } from "./topology-bench.fixture.ts";

const KINDS: Readonly<Record<string, NatModel>> = {
  cone: { ...HOME, filtering: "endpoint-independent" },
  restricted: { ...HOME, filtering: "address-dependent" },
  ported: HOME,
  addressed: { ...HOME, mapping: "address-dependent", ports: "random" },
  symmetric: { ...HOME, mapping: "address-and-port-dependent", ports: "random" },
};
const NAMES = Object.keys(KINDS);

/** Which pairs reach each other: all but a port filter against a mapping that differs by peer. */
const reaches = (a: string, b: string): boolean => {
  const strict = ["ported", "addressed", "symmetric"];
  return !(strict.includes(a) && strict.includes(b)) || (a === "ported" && b === "ported");
};

/** Trials for each of the 25 pairs; set the variable for a long look. chosen: some seconds in all. */
const TRIALS = Number(process.env.MIDCALL_PUNCH_TRIALS ?? 5);

test(
  "every pair of NATs punches through, or does not, as the textbook says: each time",
  (context) =>
    withBench(context, async (bench) => {
      const nats = Object.fromEntries(
        ["a", "b"].flatMap((side) => NAMES.map((name) => [`${side}-${name}`, KINDS[name] as NatModel])),
      );
      const parties = {
        ...Object.fromEntries(
          ["a", "b"].flatMap((side) => NAMES.map((name) => [`${side}${name}`, party({ eth0: `${side}-${name}` })])),
        ),
        r1: party({ eth0: null }, "relay"),
      };
      const topology = await bench.build(nats, parties);
      const wrong: string[] = [];
      const ends = new Map(
        await Promise.all(Object.keys(parties).map(async (name) => [name, await bench.end(topology, name)] as const)),
      );
      const server = await ends.get("r1")?.open();
      if (server === undefined) throw new Error("no server");
      let trial = 0;
      for (const a of NAMES) {
        for (const b of NAMES) {
          for (let n = 0; n < TRIALS; n++) {
            const text = `trial ${trial++}`;
            const sockets = await Promise.all([ends.get(`a${a}`)?.open(), ends.get(`b${b}`)?.open()]);
            const [one, other] = sockets as [Sock, Sock];
            const [first, second] = [
              await mapped(topology, one, server, `${text} a`),
              await mapped(topology, other, server, `${text} b`),
            ];
            const rounds = reaches(a, b) ? 25 : 4;
            const both = await Promise.all([one.punch([second], text, 10, rounds), other.punch([first], text, 10, rounds)]);
            if (both.some((through) => through !== reaches(a, b))) wrong.push(`${a} x ${b}, ${text}: ${both}`);
          }
        }
      }
      expect(wrong).toEqual([]);
    }),
  600_000,
);

/** Where the server sees a socket. */
async function mapped(topology: Topology, socket: Sock, server: Sock, text: string): Promise<string> {
  await socket.send(`${topology.addressOf("r1")}:${server.port}`, text);
  const source = await server.hear(text);
  if (source === undefined) throw new Error(`${text}: did not reach the server`);
  return source;
}
