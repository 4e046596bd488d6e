/**
 * What a partition refuses: a table of its own for each fault, in the last router before the receiver, so that NATs on the way have seen the packet as if it passed (the
 * order of `sim`).
 */
import { refusalChains, refuse } from "./refusals.ts";

const tableOf = (fault: number): string => `midcall_cut_${fault}`;

/** Packets from any of these hosts to one of a router's own. */
export type Cut = { readonly from: Iterable<string>; readonly to: string };

/** A script for `nft -f` in a router's namespace, which replaces what `fault` has cut there: these packets have no route. */
export const cutRules = (cuts: readonly Cut[], fault: number): string =>
  [
    `table ip ${tableOf(fault)}`,
    `delete table ip ${tableOf(fault)}`,
    `table ip ${tableOf(fault)} {`,
    ...refusalChains(["no-route"], fault),
    " chain forward { type filter hook forward priority filter; policy accept;",
    ...cuts.map(({ from, to }) => `  ip saddr { ${[...from].join(", ")} } ip daddr ${to} ${refuse("no-route", fault)}`),
    " }",
    "}",
  ].join("\n");

/** The script that ends it. */
export const uncutRules = (fault: number): string => `delete table ip ${tableOf(fault)}`;
