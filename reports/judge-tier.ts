/** The oracle about what a party speaks in: that its voice is as good as the network lets it be, once the network is whole again. */
import { TIERS } from "../impl/base/tier.ts";
import type { OracleParameters } from "../scenarios/oracles.ts";
import { endedAt, firstAt, talkersOf } from "./call-log.ts";
import { broken, type Finding, held, inconclusive, instant, inTime, together } from "./finding.ts";
import { lastHeal } from "./judge-settling.ts";
import type { Evidence } from "./measure.ts";

/** In this tier or a better one from `within` after the last heal on. A call that tells of no tier stays in the best one (impl/core/media-stream.ts). */
export function speaksIn(evidence: Evidence, { party, tier, within }: OracleParameters["speaks-in"]): Finding {
  const healed = lastHeal(evidence);
  if (typeof healed === "string") return inconclusive(`${healed} was never healed`);
  const from = healed + within;
  const parties = party === undefined ? talkersOf(evidence.scenario) : [party];
  const findings = parties.map((who) => spoken(evidence, who, TIERS.indexOf(tier), from));
  return together(findings, `${tier} or better from ${instant(from)} on`, "the scenario plans no calls");
}

function spoken({ calls, records, runEnd }: Evidence, who: string, worst: number, from: number): Finding {
  const own = calls.filter((call) => firstAt(call, who, "active") !== undefined && endedAt(call, runEnd) > from);
  if (own.length === 0) return inconclusive(`${who} is in no call by then`);
  for (const call of own) {
    const told = records.flatMap((one) => (one.ev === "tier" && one.who === who && one.call === call.id ? [one] : []));
    const bad = told.find((one, i) => TIERS.indexOf(one.tier) > worst && (told[i + 1]?.t ?? endedAt(call, runEnd)) > from);
    if (bad === undefined) continue;
    const since = bad.t <= from ? "" : `, ${inTime(bad.t - from)} later`;
    return broken(`${who} speaks ${bad.tier}${since} (${bad.reason})`, Math.max(from, bad.t));
  }
  return held(`${who} does`);
}
