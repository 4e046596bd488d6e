/** How a scenario writes a NAT: a preset's name, a preset with something changed, or the whole model. Read into NatModel. */
import { z } from "zod";
import type { NatBehaviour, NatModel } from "./expanded.ts";
import { NAT_PRESETS } from "./nats.ts";
import { LARGEST_BLOCK, PORTS } from "./port-block.ts";
import { parseTime, type Time } from "./time.ts";
import { name, strict, time } from "./vocabulary.ts";

/** A NAT as written; what is left out is as in the preset, which is `home` when none is named. */
export type WrittenNat =
  | string
  | {
      readonly preset?: string | undefined;
      readonly mapping?: NatBehaviour | undefined;
      readonly filtering?: NatBehaviour | undefined;
      readonly ports?: NatModel["ports"] | undefined;
      /** A range of so many ports for each subscriber, from a pool of so many; implies `ports: "block"`. */
      readonly portBlock?: { readonly size: number; readonly blocks?: number | undefined } | undefined;
      readonly hairpin?: NatModel["hairpin"] | undefined;
      readonly lifetime?: Time | undefined;
      readonly inboundRefresh?: boolean | undefined;
      /** Name of the NAT this one sits behind. */
      readonly behind?: string | null | undefined;
      readonly portMapping?: NatModel["portMapping"] | undefined;
    };

/** The preset a NAT is based on when it names none: the commonest box. */
export const DEFAULT_PRESET = "home";

const behaviour = z.enum(["endpoint-independent", "address-dependent", "address-and-port-dependent"]);
const preset = z.enum([...NAT_PRESETS.keys()] as [string, ...string[]]);

/** A NAT as written. */
export const nat: z.ZodType<WrittenNat, WrittenNat> = z
  .union(
    [
      preset,
      strict({
        preset: preset.optional(),
        mapping: behaviour.optional(),
        filtering: behaviour.optional(),
        ports: z.enum(["preserve", "random", "sequential", "block"]).optional(),
        portBlock: strict({
          size: z.int().min(1).max(LARGEST_BLOCK),
          blocks: z.int().min(1).max(PORTS).optional(),
        }).optional(),
        hairpin: z.enum(["off", "internal-source", "external-source"]).optional(),
        lifetime: time.optional(),
        inboundRefresh: z.boolean().optional(),
        behind: z.union([name, z.null()]).optional(),
        portMapping: z.enum(["pcp", "nat-pmp", "upnp-igd"]).optional(),
      }),
    ],
    { error: "a preset's name or an object with a NAT's behaviour" },
  )
  .meta({ id: "nat" });

const base = (preset: string): NatModel => {
  const found = NAT_PRESETS.get(preset);
  if (found === undefined) throw new RangeError(`NAT preset: want one of ${[...NAT_PRESETS.keys()].join(", ")}, got ${preset}`);
  return found.model;
};

const readBlock = ({
  size,
  blocks,
}: {
  readonly size: number;
  readonly blocks?: number | undefined;
}): NonNullable<NatModel["portBlock"]> => ({
  size,
  ...(blocks === undefined ? {} : { blocks }),
});

/** The model of a written NAT. RangeError for a preset the schema would have refused. */
export function readNat(written: WrittenNat): NatModel {
  if (typeof written === "string") return { ...base(written) };
  const from = base(written.preset ?? DEFAULT_PRESET);
  const ports = written.ports ?? (written.portBlock === undefined ? from.ports : "block");
  const portBlock = written.portBlock ?? (ports === "block" ? from.portBlock : undefined);
  return {
    mapping: written.mapping ?? from.mapping,
    filtering: written.filtering ?? from.filtering,
    ports,
    hairpin: written.hairpin ?? from.hairpin,
    lifetime: written.lifetime === undefined ? from.lifetime : (parseTime(written.lifetime) ?? from.lifetime),
    inboundRefresh: written.inboundRefresh ?? from.inboundRefresh,
    behind: written.behind ?? null,
    ...(portBlock === undefined ? {} : { portBlock: readBlock(portBlock) }),
    ...(written.portMapping === undefined ? {} : { portMapping: written.portMapping }),
  };
}
