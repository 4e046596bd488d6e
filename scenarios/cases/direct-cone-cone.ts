/** Two homes behind NATs that let in only whom they have written to: the direct path has to be punched from both sides at once. */

import { link } from "../direct-parts.ts";
import type { Scenario } from "../expanded.ts";
import { expectConcealment, expectConnect, expectMedia, expectPath, expectSameCall } from "../index.ts";
import { scenario } from "../scenario.ts";

const directConeCone: Scenario = scenario({
  name: "direct-cone-cone",
  asks: "Do two clients behind port-restricted NATs find a direct path, with the relay carrying their voice until then?",
  tags: ["ice", "nat", "quick"],
  duration: "8s",
  iceTransportPolicy: "all",
  parties: { alice: { nat: "home", link }, bob: { nat: "port-restricted", link } },
  expect: [
    // Answer and set-up, one round trip to the relay each, and the first media by the relay: the direct path comes two round trips later.
    expectConnect({ within: "300ms" }),
    expectMedia(),
    expectPath({ path: "direct" }),
    expectConcealment({ max: 0.01 }),
    expectSameCall(),
  ],
  twin: { mutation: "acceptor-never-punches", breaks: "path-is" },
});

export default directConeCone;
