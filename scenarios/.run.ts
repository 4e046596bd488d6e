import { CATALOGUE } from "./catalogue.ts"; import { sabotage } from "../cli/sabotage.ts";
const twin = process.argv[5] === "twin";
const only = process.argv[2]?.split(","); const seeds = Number(process.argv[3] ?? 1), from = Number(process.argv[4] ?? 1);
const one = CATALOGUE.filter(s => only?.[0] === "all" || only?.includes(s.name));
if (twin) { sabotage(one[0]!.twin!.mutation); }
const { runSim } = await import("../sim/lab.ts"); const { sizedCodec } = await import("../sim/sized-codec.ts"); const { nullCrypto } = await import("../sim/null-crypto.ts");
const { measure } = await import("../reports/measure.ts"); const { judge } = await import("../reports/judge.ts");
for (const s of one) {
 const v: Record<string, number> = {}; const bad: string[] = []; const max: Record<string, number> = {};
 for (let seed = from; seed < from + seeds; seed++) {
  const o = runSim({ scenario: s, seed }, { codec: sizedCodec, crypto: nullCrypto });
  const e = measure(o.records, s); const os = judge(e).oracles;
  const worst = os.some(r=>r.verdict==="broken") ? "broken" : os.some(r=>r.verdict==="inconclusive") ? "inconclusive":"held";
  v[worst] = (v[worst] ?? 0) + 1;
  for (const [p,a] of Object.entries(e.measurements.audio) as any) { for (const k of ["longestGapMs","concealmentRatio","interruptionCount"]) max[k] = Math.max(max[k]??0, a[k]); max.p95 = Math.max(max.p95??0, a.mouthToEarMs.p95 ?? 0); }
  for (const r of e.measurements.recovery as any) { max.fromHeal = Math.max(max.fromHeal??0, r.fromHealMs??-1); max.fromFault = Math.max(max.fromFault??0, r.fromFaultMs??-1); }
  if (twin) { if (bad.length < 1) bad.push(os.filter(r=>r.verdict!=="held").map(r=>r.name+": "+r.detail.slice(0,70)).join(" ; ")); const b = os.filter(r=>r.name===s.twin!.breaks && r.verdict==="broken").length>0; v["breaks "+s.twin!.breaks+"="+b] = (v["breaks "+s.twin!.breaks+"="+b]??0)+1; }
  else if (worst !== "held" && bad.length < 3) bad.push(`seed ${seed}: ${os.filter(r=>r.verdict!=="held").map(r=>r.name+" "+r.detail.slice(0,100)).join(" ; ")}`);
 }
 console.log(s.name, JSON.stringify(v), JSON.stringify(max), bad.join(" | "));
}
