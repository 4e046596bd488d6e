/** Two homes whose NATs no direct path gets through, and whose routers carry IPv6 through stateful firewalls (RFC 6092): both sides open them at once. */

import { directSoon, link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { scenario } from "../scenario.ts";

const home = { nat: "symmetric", families: ["v4", "v6"], link } as const;

const directV6Firewalls: Scenario = scenario({
  name: "direct-v6-firewalls",
  asks: "Do two clients find a direct path over IPv6, through the firewalls of both their routers, where IPv4 has none?",
  tags: ["ice", "nat", "ipv6"],
  duration: "8s",
  iceTransportPolicy: "all",
  parties: { alice: home, bob: home, r1: { role: "relay", families: ["v4", "v6"] } },
  expect: directSoon(),
  twin: { mutation: "ipv6-never-tried", breaks: "path-is" },
});

export default directV6Firewalls;
