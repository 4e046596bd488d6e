/**
 * A client's port mapping alone, on a socket of its own: asks the router of its network for a port, says `mapped ADDRESS`, then `heard TEXT` for every packet from there. Run in a namespace; argument: which
 * protocols it may speak (`pcp`, `nat-pmp` or `upnp`). Ends when its standard input does, having taken the mapping back.
 */
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { Instant } from "../impl/base/units.ts";
import * as portMapping from "../impl/core/ice/port-mapping.ts";
import * as igd from "../impl/core/ice/upnp-igd.ts";
import { DEFAULT_SESSION } from "../impl/core/session.ts";
import { askByHttp } from "../impl/io/http-request.ts";
import { monotonicClock } from "../impl/io/monotonic-clock.ts";
import { openEndpoint } from "../impl/io/quic-endpoint.ts";

const [, , protocol, gateway = ""] = process.argv;
const { now } = monotonicClock(undefined);
let pmp = portMapping.start();
let upnp = igd.start();
let timer: NodeJS.Timeout | undefined;

const endpoint = await openEndpoint({
  ...{ host: "::", port: 0, config: DEFAULT_SESSION, now },
  listener: {
    accepted: () => undefined,
    event: () => undefined,
    packet: (from, bytes) => {
      if (portMapping.isRouters(pmp, from)) toPmp({ type: "response", from, bytes });
      else if (igd.isRouters(upnp, from)) toUpnp({ type: "found", bytes });
      else console.log(`heard ${Buffer.from(bytes.subarray(20)).toString()}`);
    },
  },
});

function effect(one: portMapping.Effect | igd.Effect): void {
  if (one.type === "unexpected") console.log("unexpected");
  else if (one.type === "mapped") console.log(`mapped ${one.address}`);
  else if (one.type === "http") askByHttp(one.request, (response) => toUpnp({ type: "http", id: one.request.id, response }));
  // A router that speaks both is not asked by PCP where NAT-PMP is meant.
  else if (protocol !== "nat-pmp" || one.bytes[0] !== 2) endpoint.sendPacket(one.to, one.bytes);
}
function toPmp(input: portMapping.Input): void {
  const [next, effects] = portMapping.step({ entropy: (length) => new Uint8Array(randomBytes(length)) }, pmp, now(), input);
  pmp = next;
  effects.forEach(effect);
  schedule();
}
function toUpnp(input: igd.Input): void {
  const [next, effects] = igd.step(upnp, now(), input);
  upnp = next;
  effects.forEach(effect);
  schedule();
}
function schedule(): void {
  clearTimeout(timer);
  const at = Instant.earliest(portMapping.deadline(pmp), igd.deadline(upnp));
  if (at !== undefined)
    timer = setTimeout(
      () => (protocol === "upnp" ? toUpnp({ type: "wake" }) : toPmp({ type: "wake" })),
      Math.max(0, Instant.between(now(), at) / 1_000),
    );
}

const interfaces = Object.entries(networkInterfaces())
  .filter(([name]) => name !== "lo")
  .map(([name, all = []]) => ({ name, addresses: all.map((one) => one.address), isDefault: true }));
const network = { port: Number(endpoint.local.split(":").at(-1)), interfaces, gateway };
const tell = (input: portMapping.Input & igd.Input): void => (protocol === "upnp" ? toUpnp(input) : toPmp(input));
tell({ type: "network", network });
tell({ type: "want" });
process.stdin.resume().on("end", () => {
  tell({ type: "release" });
  setTimeout(() => process.exit(0), 300);
});
