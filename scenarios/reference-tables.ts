/** The reference tables of the guide to writing scenarios, in Markdown, made from the catalogues so that they cannot go out of date. */
import { CATALOGUE } from "./catalogue.ts";
import type { LinkModel } from "./expanded.ts";
import { FAULT_KINDS } from "./fault-language.ts";
import { meanLoss } from "./gilbert.ts";
import { MUTATIONS } from "./mutations.ts";
import { NAT_PRESETS } from "./nats.ts";
import { INVARIANTS, ORACLES, type OracleParameter } from "./oracles.ts";
import { PROFILES } from "./profiles.ts";
import { formatTime } from "./time.ts";

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

const code = (text: string): string => `\`${text}\``;

const parameter = (one: OracleParameter): string => {
  const given = one.required ? "required" : one.default === undefined ? "" : `default ${code(String(one.default))}`;
  return `${code(one.name)}: ${one.takes}${given === "" ? "" : ` (${given})`}`;
};

const percent = (ratio: number): string => `${Math.round(ratio * 1_000) / 10} %`;

function linkCell(link: LinkModel): string {
  const parts = [
    link.delay > 0 ? formatTime(link.delay) + (link.jitter > 0 ? ` ± ${formatTime(link.jitter)}` : "") : "",
    link.loss > 0 ? `${percent(link.loss)} lost` : "",
    link.burst !== null ? `${percent(meanLoss(link.burst))} lost in bursts of ${Math.round(10 / link.burst.r) / 10}` : "",
    link.drop.length > 0 ? `packets ${link.drop.join(", ")} lost` : "",
    link.rate !== null ? `${link.rate.bps / 1_000_000} Mbit/s, queue ${link.rate.queueBytes / 1_000} kB` : "",
    link.deliveries !== undefined
      ? `${link.deliveries.at.length} recorded deliveries in ${formatTime(link.deliveries.period)}`
      : "",
    link.mtu !== undefined ? `packets over ${link.mtu} octets lost` : "",
    (link.corrupt ?? 0) > 0 ? `${percent(link.corrupt ?? 0)} altered` : "",
    link.duplicate > 0 ? `${percent(link.duplicate)} twice` : "",
    link.reorder !== null ? `${percent(link.reorder.share)} held back ${formatTime(link.reorder.by)}` : "",
    link.trace.length > 0 ? `an event every ${link.trace.length} packets` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "clean" : parts.join(", ");
}

/** Every table by the name of its place in the guide. */
export const REFERENCE_TABLES: ReadonlyMap<string, string> = new Map([
  [
    "faults",
    table(
      ["kind", "what happens", "`target`", "other keys", "when `for` is over"],
      [...FAULT_KINDS.values()].map((one) => [
        code(one.kind),
        one.does,
        one.target,
        one.keys.map(code).join(", "),
        one.heals ?? "cannot be undone, no `for`",
      ]),
    ),
  ],
  [
    "oracles",
    table(
      ["oracle", "what it promises", "parameters"],
      [...ORACLES.values()].map((one) => [code(one.name), one.promises, one.parameters.map(parameter).join("; ")]),
    ),
  ],
  [
    "invariants",
    table(
      ["always judged", "what it promises"],
      INVARIANTS.map((one) => [code(one.name), one.promises]),
    ),
  ],
  [
    "profiles",
    table(
      ["profile", "what it is", "up", "down"],
      [...PROFILES.values()].map((one) => [
        code(one.name),
        one.is,
        linkCell(one.up),
        JSON.stringify(one.up) === JSON.stringify(one.down) ? "the same" : linkCell(one.down),
      ]),
    ),
  ],
  [
    "nats",
    table(
      ["preset", "what it is", "mapping", "filtering", "ports", "lifetime"],
      [...NAT_PRESETS.values()].map(({ name, is, model }) => [
        code(name),
        is,
        model.mapping,
        model.filtering,
        model.ports,
        formatTime(model.lifetime),
      ]),
    ),
  ],
  [
    "cases",
    table(
      ["case", "what it asks", "tags", "must break under"],
      CATALOGUE.map((one) => [
        code(one.name),
        one.asks,
        one.tags.join(", "),
        one.twin === null ? "" : `${code(one.twin.mutation)}: ${MUTATIONS.get(one.twin.mutation)?.imitates ?? ""}`,
      ]),
    ),
  ],
]);

const begin = (name: string): string => `<!-- table: ${name} -->`;
const end = "<!-- end of table -->";

/** `markdown` with each table between its marks replaced by the current one. RangeError when a table's marks are missing. */
export function withTables(markdown: string): string {
  let out = markdown;
  for (const [name, text] of REFERENCE_TABLES) {
    const from = out.indexOf(begin(name));
    const to = out.indexOf(end, from);
    if (from === -1 || to === -1) throw new RangeError(`markdown: want the marks ${begin(name)} and ${end}`);
    out = `${out.slice(0, from + begin(name).length)}\n${text}\n${out.slice(to)}`;
  }
  return out;
}
