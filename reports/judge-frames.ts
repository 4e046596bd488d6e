/** The media invariants of every run: packets stay in their call, and every frame that was sent is accounted for exactly once. */
import { broken, type Finding, held, instant } from "./finding.ts";
import type { FrameAccount } from "./frame-accounting.ts";
import type { Evidence } from "./measure.ts";

/** Nobody opens a packet that the other party of the same call did not seal, or plays one that it did not open, or one twice. */
export function packetsInTheirCall({ media: { streams, strays } }: Evidence): Finding {
  const [first] = strays;
  if (first === undefined)
    return held(
      `every packet opened was sealed by the call's other party, over ${streams.length} ${streams.length === 1 ? "key" : "keys"}`,
    );
  const more = strays.length === 1 ? "" : `; ${strays.length - 1} more such packets`;
  return broken(`${first.who} ${first.why}${more}`, first.at);
}

/**
 * Frames sent are frames played, recovered, late, under way or lost with a cause. Parties write down every frame they seal, open and play, and every laboratory
 * what its links, boxes and kernels dropped. On a machine that did not keep up, a kernel may have dropped what nobody counted: machine.ts says so then.
 */
export function everyFrameAccounted({ media: { accounts } }: Evidence): Finding {
  const details = accounts.map(inWords).join("; ");
  const [worst] = accounts.filter((one) => one.unexplained > 0);
  if (worst === undefined) return held(details === "" ? "no media" : details);
  const at = worst.firstUnexplained ?? 0;
  const words = `${worst.unexplained} frames of ${worst.from} vanished without a cause, the first sent at ${instant(at)}`;
  return { ...broken(`${words}; ${details}`, at), brief: words };
}

function inWords(one: FrameAccount): string {
  const { from, to, sent, played, recovered, late, underWay, byFault, byLink, interrupted, heldBack, unreadable, unexplained } =
    one;
  const parts: readonly (readonly [number, string])[] = [
    [played, "played"],
    [recovered, "recovered"],
    [late, "late"],
    [underWay, "under way"],
    ...[...byFault].sort(([a], [b]) => a - b).map(([fault, n]) => [n, `lost to fault ${fault}`] as const),
    [byLink, "lost by the link"],
    [heldBack, "held back"],
    [unreadable, "not readable"],
    [interrupted, "lost while interrupted"],
    [unexplained, "unexplained"],
  ];
  const said = parts.flatMap(([n, what]) => (n === 0 ? [] : [`${n} ${what}`]));
  return `${from} to ${to ?? "nobody"}: ${sent} sent = ${said.join(" + ")}`;
}
