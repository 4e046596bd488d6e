/** Chooses the link driver by what the kernel has and what the models ask for, and attaches it. */
import { randomness } from "../../impl/base/random.ts";
import type { LinkModel } from "../../scenarios/expanded.ts";
import { Link } from "../../scenarios/impairment/link.ts";
import { NetnsError } from "../netns-error.ts";
import { attachEmulator } from "./emulator.ts";
import { exactly } from "./expressible.ts";
import { attachKernel } from "./kernel-driver.ts";
import type { DriverName, LinkOptions, Links } from "./links.ts";
import { ip, nft, tc } from "./namespace-tools.ts";

/**
 * Joins the two devices of every wire. `auto` is `netem` where the kernel has it and it does everything asked exactly as asked, else the
 * `emulator`. NetnsError `link` when the driver cannot be had or cannot do what a model asks; nothing is left behind then.
 */
export async function attachLinks(options: LinkOptions): Promise<Links> {
  const driver = options.driver === "auto" ? await choose(options) : options.driver;
  if (driver === "emulator") return attachEmulator(options);
  const namespace = options.wires[0]?.namespace;
  if (options.driver !== "auto" && namespace !== undefined && !(await offeredDrivers(namespace)).includes(driver))
    throw new NetnsError("link", `this kernel has no ${driver} link driver (${WANTS[driver]}); the emulator needs none of it`);
  return attachKernel(options, driver);
}

/** What a driver is made of, for somebody who misses it. */
const WANTS = { netem: "tc-netem: modprobe sch_netem", nft: "nftables, tbf and htb: modprobe sch_tbf sch_htb" } as const;

/** Link drivers that this kernel and its tools offer, tried in `namespace`, which is left as it was. Needs root. */
export async function offeredDrivers(namespace: string): Promise<readonly DriverName[]> {
  const works = (attempt: Promise<unknown>): Promise<boolean> =>
    attempt.then(
      () => true,
      () => false,
    );
  const queueing = async (kind: string): Promise<boolean> => {
    if (!(await works(tc(namespace, [`qdisc add dev lo root ${kind}`])))) return false;
    await tc(namespace, ["qdisc del dev lo root"]);
    return true;
  };
  const tap = async (): Promise<boolean> => {
    const devices = [
      "link add ltprobe0 type veth peer name ltprobe1",
      "link add link ltprobe0 name ltprobe2 type macvtap mode passthru",
    ];
    const made = await works(ip(namespace, devices));
    await works(ip(namespace, ["link del ltprobe0"]));
    return made;
  };
  const rules = await works(nft(namespace, ["list", "tables"]));
  const kernel = rules && (await queueing("tbf rate 1mbit burst 1500 limit 1500")) && (await queueing("htb default 1"));
  const netem = kernel && (await queueing("netem delay 1ms"));
  return [
    ...((await tap()) ? ["emulator" as const] : []),
    ...(netem ? ["netem" as const] : []),
    ...(kernel ? ["nft" as const] : []),
  ];
}

async function choose(options: LinkOptions): Promise<DriverName> {
  const exact = options.wires.every(({ party, interface: name }) => {
    if ((options.near?.(party, name) ?? []).length > 0 || options.overlays === undefined) return false;
    const { up, down } = options.models(party, name);
    return [up, down].every((model) => netemFits(model, options.overlays?.(party, name) ?? []));
  });
  const namespace = options.wires[0]?.namespace;
  if (options.capture !== undefined || !exact || namespace === undefined) return "emulator";
  return (await offeredDrivers(namespace)).includes("netem") ? "netem" : "emulator";
}

/** Whether netem does the model exactly, alone, under each overlay, and under all of them at once. */
export function netemFits(model: LinkModel, overlays: readonly Partial<LinkModel>[]): boolean {
  return [[], ...overlays.map((one) => [one]), overlays].every((laid) => {
    const link = new Link("fits", model, randomness(0));
    for (const one of laid) link.lay(one, 0);
    return exactly("netem", link.inForce);
  });
}
