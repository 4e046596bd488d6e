/** Arbitrary voice: what each client speaks in, how it protects it, the same for the whole call or as the link bears it, and whether it sends its silences. */
import fc from "fast-check";
import { type FecScheme, MAX_WINDOW } from "../../impl/base/fec-scheme.ts";
import { TIER_CHOICES } from "../../impl/base/tier.ts";
import type { CallModel, PartyModel } from "../../scenarios/expanded.ts";

type Voice = Pick<PartyModel, "fec" | "adaptsFec" | "tier" | "dtx">;

/** One of each kind of scheme, with few packets of redundancy. chosen: what the tiers use lies within (impl/core/quality/coding.ts). */
const scheme: fc.Arbitrary<FecScheme> = fc.oneof<fc.Arbitrary<FecScheme>[]>(
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }))
    .map(([depth, apart]) => ({ scheme: "red", depth, apart })),
  fc
    .tuple(fc.integer({ min: 1, max: MAX_WINDOW }), fc.integer({ min: 10, max: 200 }))
    .map(([window, percent]) => ({ scheme: "rlc", window, percent })),
  fc
    .tuple(fc.constantFrom("rows" as const, "columns" as const, "both" as const), fc.integer({ min: 2, max: 5 }))
    .map(([protects, length]) => ({ scheme: "xor", protects, length, rows: protects === "rows" ? 1 : 3 })),
  fc
    .tuple(
      fc.constantFrom("rs" as const, "raptorq" as const),
      fc.integer({ min: 2, max: 8 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom("at-once" as const, "spread" as const, "aboard" as const),
    )
    .map(([kind, source, repair, interleave, leaves]) => ({ scheme: kind, source, repair, interleave, leaves })),
);

/** chosen: half of all clients speak as most do, the others in any way there is. */
const voice: fc.Arbitrary<Voice> = fc
  .record({
    tier: fc.oneof(fc.constant("good" as const), fc.constantFrom(...TIER_CHOICES)),
    fec: fc.option(scheme),
    adapts: fc.boolean(),
    isSilent: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .map(({ tier, fec, adapts, isSilent }) => ({
    ...(tier === "good" ? {} : { tier }),
    ...(fec === null ? {} : { fec }),
    ...(adapts && fec !== null ? { adaptsFec: true as const } : {}),
    ...(isSilent ? { dtx: true as const } : {}),
  }));

/** The parties with another voice for each client; with `isVaried` false as they are. */
export function exploredVoice(
  parties: Readonly<Record<string, PartyModel>>,
  isVaried: boolean,
): fc.Arbitrary<Readonly<Record<string, PartyModel>>> {
  if (!isVaried) return fc.constant(parties);
  const drawn = Object.entries(parties).map(([name, party]) =>
    party.role === "relay"
      ? fc.constant([name, party] as const)
      : voice.map((own) => {
          const { fec: _fec, adaptsFec: _adapts, tier: _tier, dtx: _dtx, ...others } = party;
          return [name, { ...others, ...own }] as const;
        }),
  );
  return fc.tuple(...drawn).map((all) => Object.fromEntries(all));
}

/** What both say: in turns where silences are not sent, else as the base has it. Sized frames have no other content. */
export const spoken = <T extends CallModel>(
  call: T,
  { parties }: { readonly parties: Readonly<Record<string, PartyModel>> },
): T =>
  parties[call.caller]?.dtx === true || parties[call.callee]?.dtx === true
    ? { ...call, callerSays: "turns-a", calleeSays: "turns-b" }
    : call;
