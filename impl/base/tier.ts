/** The quality tiers a sender can be told to speak in. What each is made of: impl/core/quality/coding.ts. */

export const TIERS = ["good", "degraded", "catastrophic"] as const;
export type Tier = (typeof TIERS)[number];

/** A tier that stays, or whatever the link bears (impl/core/quality/controller.ts). */
export const TIER_CHOICES = ["good", "degraded", "catastrophic", "adaptive"] as const;
export type TierChoice = (typeof TIER_CHOICES)[number];
