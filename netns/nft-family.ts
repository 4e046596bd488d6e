/** The families of nftables that a run's rules are for. */
import type { AddressFamily } from "../impl/base/address.ts";
import type { TopologyPlan } from "./topology-plan.ts";

export type NftFamily = "ip" | "ip6";
/** What nftables calls a family. */
export const NFT_FAMILY: Readonly<Record<AddressFamily, NftFamily>> = { v4: "ip", v6: "ip6" };

/** Without IPv6 in the plan the kernel need not have it either. */
export const nftFamilies = ({ hasV6 }: Pick<TopologyPlan, "hasV6">): readonly NftFamily[] => (hasV6 ? ["ip", "ip6"] : ["ip"]);

/** Those of some hosts that rules of the family are about. */
export const hostsIn = (family: NftFamily, hosts: Iterable<string>): readonly string[] =>
  [...hosts].filter((one) => one.includes(":") === (family === "ip6"));
