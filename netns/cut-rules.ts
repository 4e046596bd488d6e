/**
 * What a partition refuses: a table of its own for each fault, in the last router before the receiver, so that NATs on the way have seen the packet as if it passed (the
 * order of `sim`).
 */
import { hostsIn, type NftFamily } from "./nft-family.ts";
import { refusalChains, refuse } from "./refusals.ts";

const tableOf = (fault: number): string => `midcall_cut_${fault}`;

/** Packets from any of these hosts to one of a router's own. */
export type Cut = { readonly from: Iterable<string>; readonly to: string };

/** A script for `nft -f` in a router's namespace, which replaces what `fault` has cut there: these packets have no route. */
export const cutRules = (cuts: readonly Cut[], fault: number, families: readonly NftFamily[]): string =>
  families
    .flatMap((family) => [
      `table ${family} ${tableOf(fault)}`,
      `delete table ${family} ${tableOf(fault)}`,
      `table ${family} ${tableOf(fault)} {`,
      ...refusalChains(["no-route"], fault),
      " chain forward { type filter hook forward priority filter; policy accept;",
      ...cuts
        .filter(({ to }) => hostsIn(family, [to]).length > 0)
        .map(({ from, to }) => {
          const hosts = hostsIn(family, from).join(", ");
          return `  ${family} saddr { ${hosts} } ${family} daddr ${to} ${refuse("no-route", fault)}`;
        }),
      " }",
      "}",
    ])
    .join("\n");

/** The script that ends it. */
export const uncutRules = (fault: number, families: readonly NftFamily[]): string =>
  families.map((family) => `delete table ${family} ${tableOf(fault)}`).join("\n");
