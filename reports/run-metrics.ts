/** What result.json says of a run, as metrics: verdict, oracles and the measurements that runs are compared by. */
import { ORACLE_VERDICTS, VERDICTS } from "../impl/base/metric/label-words.ts";
import type { Tell } from "../impl/base/metric/reading.ts";
import type { Result } from "./result.ts";

/** Tells the `midcall_run_*` metrics of one run. What a run has no figure for is not told. */
export function tellResult(result: Result, tell: Tell): void {
  const { scenario, lab, seed, codec, crypto, measurements } = result;
  tell("midcall_run_info", { scenario, lab, seed, codec, crypto, commit: result.versions.commit }, 1);
  for (const verdict of VERDICTS) tell("midcall_run_verdict", { scenario, lab, verdict }, verdict === result.verdict ? 1 : 0);
  for (const { name, verdict: was } of result.oracles)
    for (const verdict of ORACLE_VERDICTS)
      tell("midcall_run_oracle", { scenario, oracle: name, verdict }, verdict === was ? 1 : 0);
  tell("midcall_run_virtual_seconds", { scenario, lab }, result.virtualMs / 1e3);
  tell("midcall_run_wall_seconds", { scenario, lab }, result.wallMs / 1e3);
  for (const [party, audio] of Object.entries(measurements.audio)) {
    const { p50, p95 } = audio.mouthToEarMs;
    if (audio.mos !== null) tell("midcall_run_mos", { scenario, party }, audio.mos);
    tell("midcall_run_longest_gap_seconds", { scenario, party }, audio.longestGapMs / 1e3);
    tell("midcall_run_gaps", { scenario, party }, audio.gapCount);
    tell("midcall_run_concealment_ratio", { scenario, party }, audio.concealmentRatio);
    if (p50 !== null) tell("midcall_run_mouth_to_ear_seconds", { scenario, party, share: "0.5" }, p50 / 1e3);
    if (p95 !== null) tell("midcall_run_mouth_to_ear_seconds", { scenario, party, share: "0.95" }, p95 / 1e3);
  }
  for (const { fault: number, party, fromFaultMs, fromHealMs } of measurements.recovery) {
    const fault = `${number}: ${result.conditions[number]?.fault ?? ""}`;
    if (fromFaultMs !== null) tell("midcall_run_recovery_seconds", { scenario, party, fault, from: "fault" }, fromFaultMs / 1e3);
    if (fromHealMs !== null) tell("midcall_run_recovery_seconds", { scenario, party, fault, from: "heal" }, fromHealMs / 1e3);
  }
  for (const [party, { downMs }] of Object.entries(measurements.signal))
    tell("midcall_run_down_seconds", { scenario, party }, downMs / 1e3);
}
