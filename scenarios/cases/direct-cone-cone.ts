/** Two homes behind NATs that let in only whom they have written to: the direct path has to be punched from both sides at once. */

import { directSoon, link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { scenario } from "../scenario.ts";

const directConeCone: Scenario = scenario({
  name: "direct-cone-cone",
  asks: "Do two clients behind port-restricted NATs find a direct path, with the relay carrying their voice until then?",
  tags: ["ice", "nat", "quick"],
  duration: "8s",
  iceTransportPolicy: "all",
  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },
  expect: directSoon(),
  twin: { mutation: "acceptor-never-punches", breaks: "path-is" },
});

export default directConeCone;
