import { CATALOGUE } from "./catalogue.ts"; import { parseScenario } from "./index.ts"; import { readFileSync } from "node:fs"; import { MUTATIONS } from "./mutations.ts"; import { applyMutation } from "./mutation.ts";
for (const [n, s] of CATALOGUE) { const r = parseScenario(JSON.parse(JSON.stringify(s))); console.log(n, r.ok && JSON.stringify(r.scenario) === JSON.stringify(s), JSON.stringify(s).length); }
for (const m of MUTATIONS.values()) { try { applyMutation(readFileSync(m.file,"utf8"), m); console.log("fits", m.name);} catch(e) { console.log(String(e)); } }
