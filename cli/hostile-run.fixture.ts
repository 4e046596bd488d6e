/** A run in which everything that comes from outside is an attack: a party's name that is markup, ends a line, commands GitHub and drives a terminal, and a fault, a reason and a scenario like it. */
import type { LogRecord } from "../impl/base/record.ts";
import { assess } from "../reports/index.ts";
import { aRelayRestart, aScenario, KILL, s } from "../reports/log-builder.ts";
import type { Result } from "../reports/result.ts";
import type { Scenario } from "../scenarios/expanded.ts";

export const MARKUP = "<img src=x onerror=document.title='owned'>";
/** Markup; a line of its own with a workflow command; the window's title by OSC 0; CSI as one octet of C1; a mark that turns text around; the end of script and CDATA. */
export const HOSTILE: string = `${MARKUP}\r\n::error::owned\u001b]0;owned\u0007\u009b31m\u202e</script>]]>|\`"{{`;

/** `value` with alice's name replaced by `name` in every string and key. */
function renamed<T>(value: T, name: string): T {
  const word = (text: string): string => text.replace(/\balice\b/g, () => name);
  const walk = (one: unknown): unknown => {
    if (typeof one === "string") return word(one);
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [word(key), walk(inner)]));
  };
  return walk(value) as T;
}

export type HostileRun = { readonly result: Result; readonly scenario: Scenario; readonly records: readonly LogRecord[] };

/** A restart that is not survived in time, by a party of that name. */
export function hostileRun(name: string = HOSTILE): HostileRun {
  const written = aScenario({
    name: `attack ${name}`,
    asks: `Is ${name} text?`,
    faults: [KILL],
    expect: [{ oracle: "media-recovers", within: 210_000, from: "heal" }],
    tags: [name],
  });
  const log = aRelayRestart()
    .fault(1, `rebind ${name}`, s(9))
    .say(s(6), "alice", { ev: "call", call: name, state: "ended", peer: name, reason: name })
    .say(s(6.1), "alice", { ev: "registration", state: "reconnecting", supervisors: 1, reason: name })
    .say(s(6.2), "alice", { ev: "signal", dir: "sent", type: name, session: 1 })
    .say(s(6.3), "alice", { ev: "note", text: name });
  const scenario = renamed(written, name);
  const records = renamed(log.records(), name);
  const result = assess({
    scenario,
    records,
    hash: "d72a8f833b172303",
    versions: { midcall: "0.1.0", node: "v24.21.0", commit: name },
    codec: "sized",
    crypto: "null",
    lab: "sim",
    seed: "0x2a",
    virtualMs: 21_000,
    wallMs: 12,
    dir: `out/${name}`,
  });
  return { result: { ...result, cause: `${result.cause} ${name}` }, scenario, records };
}
