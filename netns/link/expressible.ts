/** What the kernel's drivers can and cannot do with a model: the one place that says so, for the choice of a driver and for its refusals. */
import type { InForce } from "../../scenarios/impairment/link.ts";

export type KernelDriver = "netem" | "nft";

/** Why `driver` cannot do what is in force, in a reader's words; undefined: it can. */
export function objection(driver: KernelDriver, { model, losers }: InForce): string | undefined {
  if (model.reorder !== null) return "reordering by holding packets back";
  if (model.trace.length > 0) return "a trace";
  if (model.deliveries !== undefined) return "recorded delivery opportunities";
  if (model.mtu !== undefined) return "a largest packet";
  if (model.corrupt !== undefined) return "corruption of what a checksum does not see";
  if (losers.filter((one) => one.drop.length > 0).length > 1) return "several drop lists at once";
  if (model.jitter > 0 && (driver === "nft" || model.jitterShape !== "uniform" || model.order !== "free"))
    return driver === "nft" ? "jitter" : "jitter other than uniform with the order left free";
  if (driver === "nft" && model.delay > 0) return "a delay";
  if (driver === "nft" && model.duplicate > 0) return "duplication";
  return undefined;
}

/**
 * Whether it does so exactly: a token bucket lets the first packet after a pause through at once, which the model's transmitter does not; and the
 * kernel's bursts count packets, the model's go on in time.
 */
export const exactly = (driver: KernelDriver, inForce: InForce): boolean =>
  objection(driver, inForce) === undefined && inForce.model.rate === null && inForce.losers.every(({ burst }) => burst === null);
