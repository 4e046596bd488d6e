/** The live page as one text: its frame, its style, its scripts, and what is known before the run: the scenario's topology and what can be done to it. */
import { escaped } from "../../reports/escape.ts";
import { legend } from "../../reports/html-parts.ts";
import { asScriptData } from "../../reports/page-data.ts";
import { STYLE } from "../../reports/page-style.ts";
import { topologyOf } from "../../reports/topology.ts";
import { PLOT, scriptsOf } from "../page-script.ts";
import type { Start } from "./page/start.ts";
import type { Watched } from "./server.ts";

/** chosen: what a person tries first, for as long as a person watches. */
const HANDS = [
  ["kill", "a party", "Kill for 2 s", "2s"],
  ["pause", "a party", "Pause for 2 s", "2s"],
  ["blackout", "a client", "Black out for 2 s", "2s"],
  ["interface-down", "a client", "Take interface down for 2 s", "2s"],
  ["rebind", "a NAT", "Rebind", null],
  ["expire", "a NAT", "Expire mappings", null],
] as const;

export async function livePage({ scenario, lab, inject }: Watched): Promise<string> {
  const scripts = await scriptsOf([...PLOT, "./live/page/network", "./live/page/live"]);
  const { places, wires } = topologyOf(scenario, {});
  const start: Start = { scenario: scenario.name, lab, duration: scenario.duration, isPaced: lab === "sim", places, wires };
  const clients = Object.entries(scenario.parties).filter(([, { role }]) => role === "client");
  const targets = {
    "a party": Object.keys(scenario.parties),
    "a client": clients.map(([name]) => name),
    "a NAT": Object.keys(scenario.nats),
  };
  const buttons = HANDS.flatMap(([kind, whom, words, lasts]) =>
    targets[whom].map((target) => {
      const fault = { kind, target, ...(lasts === null ? {} : { for: lasts }) };
      return `<button type="button" data-fault="${escaped(JSON.stringify(fault))}">${words}: ${escaped(target)}</button>`;
    }),
  );
  return `<!doctype html>
<html lang="en" class="scripted">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src ${scripts.map(({ allowedBy }) => allowedBy).join(" ")}; connect-src 'self'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(scenario.name)}: live</title>
<style>${STYLE}${LIVE_STYLE}</style>
</head>
<body>
<main>
<header id="head" class="going">
<p class="verdict" id="verdict">● live</p>
<h1>${escaped(scenario.name)}</h1>
<p class="cause" id="cause" hidden></p>
<p class="asks">${escaped(scenario.asks)}</p>
<p class="clock"><span id="clock">0.000 s</span> <progress id="progress" max="1" value="0"></progress> <span class="soft">${escaped(lab)}</span>
${lab === "sim" ? '<label class="soft">Speed <select id="speed"><option value="1">1×</option><option value="4">4×</option><option value="16">16×</option><option value="1000">all at once</option></select></label>' : ""}</p>
</header>
<ul id="active" class="events" aria-label="Faults in force" aria-live="polite"></ul>
<section aria-labelledby="network-title"><h2 id="network-title">Network</h2><div class="scroll"><div id="network" role="img" aria-label="Topology with the voice that flows"></div></div></section>
${inject === undefined ? "" : `<section aria-labelledby="hands"><h2 id="hands">By hand</h2><div class="plot-tools">${buttons.join("")}</div><p class="soft" id="answer" role="status"></p></section>`}
<section aria-labelledby="so-far"><h2 id="so-far">So far</h2>${legend()}
<div class="plot-frame"><div id="plot" tabindex="0" role="img" aria-label="Timeline of the run so far"></div></div></section>
<section aria-labelledby="log-title"><h2 id="log-title">Log</h2><div class="log-window" tabindex="0"><table class="log"><tbody id="log-lines"></tbody></table></div></section>
</main>
<script type="application/json" id="start">${asScriptData(start)}</script>
${scripts.map(({ text }) => `<script type="module">${text}</script>`).join("\n")}
</body>
</html>
`;
}

const LIVE_STYLE = `
.going { --tone: var(--source); } #network { height: 240px; } .clock { margin: 0; display: flex; flex-wrap: wrap; gap: 10px; align-items: center; }
#clock { font: 600 20px/1 ui-monospace, monospace; font-variant-numeric: tabular-nums; } progress { accent-color: var(--source); width: min(300px, 40vw); }
#active:not(:empty) { margin-top: 10px; } #active li { border-left: 4px solid var(--fault); background: var(--card); border-radius: 4px; padding: 3px 10px; font-size: 13px; }
`;
