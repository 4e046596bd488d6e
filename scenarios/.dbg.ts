import { CATALOGUE } from "./catalogue.ts";
const { runSim } = await import("../sim/lab.ts"); const { sizedCodec } = await import("../sim/sized-codec.ts"); const { nullCrypto } = await import("../sim/null-crypto.ts");
const { measure } = await import("../reports/measure.ts"); const { gapsOf } = await import("../reports/playout.ts");
const s = CATALOGUE.find(x=>x.name===process.argv[2])!; const o = runSim({scenario:s, seed:Number(process.argv[3])},{codec:sizedCodec,crypto:nullCrypto});
const e = measure(o.records, s);
for (const p of e.playouts) for (const g of gapsOf(p.slots)) if (g.frames>=20) { console.log(p.party, g.at/1e6, g.frames);
 for (const r of o.records) if (r.t>=g.at-300000 && r.t<=g.at+g.frames*20000+200000 && !["media-played","stats"].includes(r.ev)) console.log(JSON.stringify(r).slice(0,170)); break; }
