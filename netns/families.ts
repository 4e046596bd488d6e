/** An interface's address families as they change: addresses and routes of the party's namespace, and rules that tell what was for an address that is gone. */
import type { AddressFamily } from "../impl/base/address.ts";
import { ipLines, loadingRules } from "./command.ts";
import { NFT_FAMILY } from "./nft-family.ts";
import { refusalChains, refuse } from "./refusals.ts";
import type { Shell } from "./shell.ts";
import { arrival, departure, FIRST_METRIC } from "./topology-commands.ts";
import type { PartyPort } from "./topology-plan.ts";
import { arrival6, departure6 } from "./topology-v6.ts";

const ALL: readonly AddressFamily[] = ["v4", "v6"];
/** A port's address of a family. */
const addressOf = (port: PartyPort, family: AddressFamily): string => (family === "v4" ? port.address : port.address6);

/** A change by a fault: `undo` gives back what there was, `given` tells how many packets have left from addresses that it gave. */
export type FamilyChange = { undo(): Promise<void>; given(): Promise<number> };

/** Has `port` have `after` instead of `before`; `shell` waits in the party's namespace. */
export async function changeFamilies(
  shell: Shell,
  port: PartyPort,
  before: readonly AddressFamily[],
  after: readonly AddressFamily[],
  fault: number,
): Promise<FamilyChange> {
  const [lost, given] = [
    ALL.filter((one) => before.includes(one) && !after.includes(one)),
    ALL.filter((one) => after.includes(one) && !before.includes(one)),
  ];
  const table = (family: AddressFamily): string => `${NFT_FAMILY[family]} midcall_families_${fault}`;
  const rules = [
    ...lost.map(
      (family) => `table ${table(family)} {
${refusalChains(["no-route"], fault).join("\n")}
 chain pre { type filter hook prerouting priority filter; policy accept;
  ${NFT_FAMILY[family]} daddr ${addressOf(port, family)} meta l4proto udp ${refuse("no-route", fault)}
 }
}`,
    ),
    ...given.map(
      (family) => `table ${table(family)} {
 chain out { type filter hook output priority filter; policy accept;
  ${NFT_FAMILY[family]} saddr ${addressOf(port, family)} meta l4proto udp counter
 }
}`,
    ),
  ].join("\n");
  const metric = FIRST_METRIC + port.preference;
  const take = (family: AddressFamily): readonly string[] => (family === "v4" ? departure : departure6)(port, metric);
  const give = (family: AddressFamily): readonly string[] => (family === "v4" ? arrival : arrival6)(port, metric);
  if (rules !== "") await shell(`${ipLines([...lost.flatMap(take), ...given.flatMap(give)])}\n${loadingRules(rules)}`);
  let counted = 0;
  const read = async (): Promise<number> => {
    const listed = await Promise.all(given.map((family) => shell(`nft list chain ${table(family)} out`)));
    return listed.reduce((sum, text) => sum + Number(/counter packets (\d+)/.exec(text)?.[1] ?? 0), 0);
  };
  let isUndone = false;
  return {
    undo: async () => {
      if (rules === "" || isUndone) return;
      counted = await read();
      isUndone = true;
      const gone = [...lost, ...given].map((family) => `delete table ${table(family)}`).join("\n");
      await shell(`${ipLines([...given.flatMap(take), ...lost.flatMap(give)])}\n${loadingRules(gone)}`);
    },
    given: async () => (isUndone ? counted : read()),
  };
}
