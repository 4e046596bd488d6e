import { test } from "vitest";
import { quiche } from "../impl/io/quic-engine.ts";
import { quicWorld } from "../impl/io/quic-world.ts";
import { millis } from "../impl/base/units.ts";
const cfg = { handshakeTimeout: millis(5000), idleTimeout: millis(9000), keepAlive: millis(1000), silence: millis(500) };
const proto: any = (quiche as any).Config.prototype; const orig = proto.enablePacing;
for (const pacing of [false, true]) for (const loss of [0.02, 0.5]) test(`engine ${pacing} ${loss}`, async () => {
  proto.enablePacing = function () { orig.call(this, pacing); };
  const world: any = await quicWorld(cfg);
  world.impair({ delayMillis: 25, lossRatio: 0 });
  world.client.endpoint.connect(1, world.serverAddress, world.serverPin);
  await world.run(() => false, 500);
  world.impair({ lossRatio: loss });
  let sent = 0; const t0 = world.now(); let next = 0; const lines: string[] = [];
  while (world.now() - t0 < 20e6) { while (sent * 20_000 <= world.now() - t0) { sent++; world.client.endpoint.sendDatagram(1, new Uint8Array(100)); world.server.endpoint.sendDatagram(-1, new Uint8Array(100)); } await world.run(() => false, 2);
    if (world.now() - t0 > next) { next += 4_000_000; const f = world.client.endpoint.pathFacts(1); lines.push(`${((world.now() - t0) / 1e6).toFixed(0)}s rtt ${f.rtt / 1000} win ${f.window} lost ${f.lost}`); } }
  const n = (side: any) => (side.observer.seen.filter((s: any) => s.type === "event" && s.event.type === "datagram").length / sent).toFixed(3);
  console.log("RESULT pacing", pacing, loss, "up", n(world.server), "down", n(world.client), lines.join(" | "));
  await world.close();
}, 60000);
