import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { address, parseAddress } from "../base/address.ts";
import { openUdpProxy, type UdpProxy, type UdpProxyOptions } from "./udp-proxy.ts";

let target: Socket;
let client: Socket;
let proxy: UdpProxy | undefined;
const seen: { text: string; port: number }[] = [];
const bind = async (): Promise<Socket> => {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
};
beforeEach(async () => {
  seen.length = 0;
  [target, client] = [await bind(), await bind()];
  target.on("message", (packet, from) => {
    seen.push({ text: packet.toString(), port: from.port });
    target.send(packet, from.port, from.address);
  });
});
afterEach(async () => {
  await proxy?.close();
  target.close();
  client.close();
});
const open = async (change: Partial<UdpProxyOptions>): Promise<UdpProxy> => {
  proxy = await openUdpProxy({
    target: address("127.0.0.1", target.address().port),
    delayMillis: 0,
    lossRatio: 0,
    seed: 1,
    ...change,
  });
  return proxy;
};
const say = (text: string): void => client.send(text, parseAddress(proxy?.local ?? "")?.port ?? 0, "127.0.0.1");
const echo = async (text: string): Promise<void> => {
  say(text);
  const [back] = await once(client, "message");
  expect(String(back)).toBe(text);
};

describe("udp proxy", () => {
  test("a packet goes there and back after twice the delay", async () => {
    await open({ delayMillis: 30 });
    const began = process.hrtime.bigint();
    await echo("one");
    expect(Number(process.hrtime.bigint() - began) / 1e6).toBeGreaterThanOrEqual(58);
  });

  test("the target sees one port for a client, and another after rebind", async () => {
    const { rebind } = await open({});
    await echo("one");
    await echo("two");
    rebind();
    await echo("three");
    const ports = seen.map((one) => one.port);
    expect(ports[0]).toBe(ports[1]);
    expect(ports[2]).not.toBe(ports[1]);
  });

  test("while blocked nothing passes, afterwards everything does", async () => {
    const { impair, counters } = await open({});
    impair({ blocked: true });
    say("lost");
    while (counters().dropped === 0) await new Promise((resolve) => setImmediate(resolve));
    impair({ blocked: false });
    await echo("kept");
    expect(seen.map((one) => one.text)).toEqual(["kept"]);
  });

  test("the same seed loses the same packets, about the share asked for", async () => {
    const runs: string[][] = [];
    for (let run = 0; run < 2; run++) {
      seen.length = 0;
      const { counters, close } = await open({ lossRatio: 0.3, seed: 9 });
      for (let i = 0; i < 200; i++) {
        say(String(i));
        if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      while (counters().dropped + counters().forwarded < 200 + seen.length || seen.length < 100)
        await new Promise((resolve) => setImmediate(resolve));
      runs.push(seen.map((one) => one.text).slice(0, 100));
      expect(seen.length).toBeLessThan(175);
      await close();
      proxy = undefined;
    }
    expect(runs[0]).toEqual(runs[1]);
  });

  test("a target that is no IPv4 address is a TypeError", async () => {
    await expect(open({ target: "localhost:1" })).rejects.toThrow(TypeError);
  });
});
