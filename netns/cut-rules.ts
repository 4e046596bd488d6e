/** What a partition refuses: a table of its own for each fault where the internet forwards, beside the internet's rules. */
import { refusalChains, refuse } from "./refusals.ts";

const tableOf = (fault: number): string => `midcall_cut_${fault}`;

/** A script for `nft -f` in the internet's namespace: packets from the first addresses of each way to its second ones have no route, by `fault`. */
export const cutRules = (ways: readonly (readonly [from: readonly string[], to: readonly string[]])[], fault: number): string =>
  [
    `table ip ${tableOf(fault)} {`,
    ...refusalChains(["no-route"], fault),
    " chain forward { type filter hook forward priority filter; policy accept;",
    ...ways.map(([from, to]) => `  ip saddr { ${from.join(", ")} } ip daddr { ${to.join(", ")} } ${refuse("no-route", fault)}`),
    " }",
    "}",
  ].join("\n");

/** The script that ends it. */
export const uncutRules = (fault: number): string => `delete table ip ${tableOf(fault)}`;
