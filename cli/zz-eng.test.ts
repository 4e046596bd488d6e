import { test } from "vitest";
import { quicWorld } from "/work/main/impl/io/quic-world.ts";
import { millis } from "/work/main/impl/base/units.ts";
const cfg = { handshakeTimeout: millis(5000), idleTimeout: millis(9000), keepAlive: millis(1000), silence: millis(500) };
test("engine", async () => {
  const world: any = await quicWorld(cfg);
  world.impair({ delayMillis: 25 });
  world.client.endpoint.connect(1, world.serverAddress, world.serverPin);
  await world.run(() => false, 500);
  world.impair({ lossRatio: 0.5 });
  let sent = 0; const t0 = world.now(); let next = 0; const lines: string[] = []; let prev = 0, prevD = 0;
  while (world.now() - t0 < 9e6) { while (sent * 20_000 <= world.now() - t0) { sent++; world.client.endpoint.sendDatagram(1, new Uint8Array(100)); world.server.endpoint.sendDatagram(-1, new Uint8Array(100)); } await world.run(() => false, 2);
    if (world.now() - t0 > next) { next += 500_000; const f = world.client.endpoint.pathFacts(1); const c = world.client.endpoint.counters(); lines.push(`RESULT t ${((world.now() - t0) / 1e6).toFixed(1)} rtt ${f.rtt / 1000} window ${f.window} sent +${f.sent - prev} lost ${f.lost} udp ${c.sentPackets}`); prev = f.sent; } }
  for (const l of lines) console.log(l);
  // silence the server's own traffic: only the client talks, nothing comes back any more
  world.impair({ lossRatio: 1 });
  const s0 = world.client.endpoint.counters().sentPackets;
  for (let i = 0; i < 20; i++) { world.client.endpoint.sendDatagram(1, new Uint8Array(100)); await world.run(() => false, 20); }
  const s1 = world.client.endpoint.counters().sentPackets;
  for (let i = 0; i < 20; i++) { world.client.endpoint.sendDatagram(1, new Uint8Array(100)); await world.run(() => false, 20); }
  console.log("RESULT packets sent into the void in two times 400 ms:", s1 - s0, world.client.endpoint.counters().sentPackets - s1);
  await world.close();
}, 60000);
