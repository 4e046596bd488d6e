import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { lacks } from "./install.ts";
import { parseTrace, type Refusal, refusalChains, refuse, watchRefusals } from "./refusals.ts";

const LINE =
  'trace id 74c599a4 ip midcall refused_nat_filtering packet: iif "wan" ether saddr 02:00:00:00:00:01 ip saddr 198.51.100.3 ip daddr 203.0.113.1 ip dscp cs0 ip ecn not-ect ip ttl 63 ip id 27726 ip length 120 udp sport 4433 udp dport 50020 udp length 100 @th,64,48 0x68656c6c6f0a ';

test("a line of the trace that tells of a refused packet gives its cause, its addresses and its size", () => {
  expect(parseTrace(LINE)).toEqual({ cause: "nat-filtering", from: "198.51.100.3:4433", to: "203.0.113.1:50020", bytes: 120 });
});

test("of IPv6 the header counts too, which its length does not", () => {
  const packet = "ip6 saddr 2001:db8:1::2 ip6 daddr 2001:db8::1 ip6 dscp cs0 ip6 ecn not-ect ip6 hoplimit 63 ip6 flowlabel 0";
  const refused = `trace id 1 ip6 midcall_firewall refused_nat_filtering packet: iif "wan" ether saddr 02:00:00:00:00:01 ${packet}`;
  expect(parseTrace(`${refused} ip6 nexthdr udp ip6 length 28 udp sport 1 udp dport 2 udp length 28 `)).toEqual({
    ...{ cause: "nat-filtering", from: "[2001:db8:1::2]:1", to: "[2001:db8::1]:2", bytes: 68 },
  });
  const closed = `trace id 1 ip6 midcall_party refused_port_closed packet: oif "eth0" ${packet}`;
  expect(parseTrace(`${closed} ip6 nexthdr ipv6-icmp ip6 length 76 icmpv6 type destination-unreachable`)).toEqual({
    ...{ cause: "port-closed", from: "2001:db8::1", to: "2001:db8:1::2", bytes: 68 },
  });
});

test("a chain that a fault made names it, also where it answers", () => {
  for (const chain of ["refused_blocked_by_7", "refused_blocked_by_7_answered"])
    expect(parseTrace(LINE.replace("refused_nat_filtering", chain))).toMatchObject({ cause: "blocked", fault: 7 });
});

test("of a closed port the trace has the host's answer: the packet is what the answer encloses", () => {
  const line =
    'trace id 1 ip midcall_party refused_port_closed packet: oif "eth0" ip saddr 192.168.1.2 ip daddr 198.51.100.3 ip ttl 64 ip id 1 ip length 148 icmp type destination-unreachable icmp code port-unreachable icmp id 0';
  expect(parseTrace(line)).toEqual({ cause: "port-closed", from: "198.51.100.3", to: "192.168.1.2", bytes: 120 });
});

test.each([
  [
    "the rule that follows a packet",
    "trace id 74c599a4 ip midcall refused_nat_filtering rule meta nftrace set 1 (verdict continue)",
  ],
  ["another chain", LINE.replace("refused_nat_filtering", "inward")],
  ["a cause that is none", LINE.replace("nat_filtering", "boredom")],
  ["no addresses", LINE.replace("ip saddr", "ip6 saddr")],
  ["no length", LINE.replace("ip length", "length")],
  ["nothing", ""],
])("%s tells of none", (_, line) => expect(parseTrace(line)).toBeUndefined());

test("no line makes it throw", () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(LINE.length), (noise, at) => {
      parseTrace(noise);
      parseTrace(LINE.slice(0, at) + noise + LINE.slice(at));
    }),
    { seed: 5, numRuns: 500 },
  );
});

test("every packet that a rule refuses is told once, and nothing of the watch is left after it", async (context) => {
  const missing = (await lacks()).map(({ what }) => what).join("; ");
  if (missing !== "") context.skip(missing);
  const run = promisify(execFile);
  const namespace = `mctest-${randomBytes(3).toString("hex")}`;
  const inside = (script: string) => run("ip", ["netns", "exec", namespace, "bash", "-c", script]);
  await run("ip", ["netns", "add", namespace]);
  try {
    const rules = [
      "table ip midcall {",
      ...refusalChains(["nat-filtering"]),
      " chain in { type filter hook input priority 0; policy accept;",
      `  udp dport 9999 ${refuse("nat-filtering")}`,
      " }",
      "}",
    ].join("\n");
    await inside(`ip link set lo up; nft -f - <<'.'\n${rules}\n.`);
    const told: Refusal[] = [];
    const watch = watchRefusals(namespace, (refusal) => told.push(refusal));
    const ofSize = (octets: number): number => told.filter(({ bytes }) => bytes === 28 + octets).length;
    await watch.up;
    await inside("printf 12345 > /dev/udp/127.0.0.1/9998"); // refused by nobody
    await inside("for i in 1 2 3; do printf 12345 > /dev/udp/127.0.0.1/9999; done; printf 123456 > /dev/udp/127.0.0.1/9999");
    // The last one, of another size, tells when that is over.
    while (ofSize(6) === 0) await inside("true");
    await watch.close();
    expect([ofSize(5), ofSize(6)]).toEqual([3, 1]);
    expect(new Set(told.map(({ cause, to }) => `${cause} ${to}`))).toEqual(new Set(["nat-filtering 127.0.0.1:9999"]));
    expect((await run("ip", ["netns", "pids", namespace])).stdout).toBe("");
  } finally {
    await run("ip", ["netns", "del", namespace]);
  }
});
