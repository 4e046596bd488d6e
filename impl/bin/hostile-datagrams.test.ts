import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Address, address, parseAddress } from "../base/address.ts";
import { Stream } from "../base/random.ts";
import type { Saying } from "../base/record.ts";
import { millis } from "../base/units.ts";
import { identityFromSecret } from "../core/identity.ts";
import { nodeCrypto } from "../io/node-crypto.ts";
import { type RunningClient, runClient } from "./client.ts";
import { type RunningRelay, runRelay } from "./relay.ts";

/** Datagrams of each kind thrown at the relay. chosen: some three seconds, on a machine that has other work. */
const THROWN = 6_000;

/**
 * A relay and two clients in a call over real QUIC. Alice's packets pass a box that sends altered copies of each before it, from the address that
 * the relay knows her by; a stranger throws random octets and altered copies of the same packets from an address of its own.
 */
describe("a relay that hostile datagrams rain upon while a call is up", () => {
  let folder = "";
  let relay: RunningRelay;
  let stranger: Socket;
  const clients: RunningClient[] = [];
  const sockets: Socket[] = [];
  const said = new Map<string, Saying[]>();
  const hear = (who: string) => {
    const list: Saying[] = [];
    said.set(who, list);
    return (saying: Saying): void => void list.push(saying);
  };
  const of = <Ev extends Saying["ev"]>(who: string, ev: Ev): Extract<Saying, { ev: Ev }>[] =>
    (said.get(who) ?? []).filter((one): one is Extract<Saying, { ev: Ev }> => one.ev === ev);
  const frames = (who: string): number =>
    of(who, "media-played").reduce((sum, one) => sum + (one.kind === "source" ? one.n : 0), 0);
  const refused = (): number => {
    const counts = new Map(of("r1", "refused").map((one) => [`${one.reason} ${one.what}`, one.count]));
    return [...counts.values()].reduce((sum, count) => sum + count, 0);
  };
  const until = async (holds: () => boolean, limitMillis: number): Promise<boolean> => {
    const limit = process.hrtime.bigint() + BigInt(limitMillis) * 1_000_000n;
    while (!holds() && process.hrtime.bigint() < limit) await new Promise((resolve) => setTimeout(resolve, 5));
    return holds();
  };
  const bound = async (): Promise<Socket> => {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    sockets.push(socket);
    return socket;
  };
  const luck = new Stream(11, "hostile");
  const altered = (packet: Uint8Array): Uint8Array => {
    const copy = new Uint8Array(packet);
    for (let i = luck.nextBelow(4); i >= 0; i--) copy[luck.nextBelow(copy.length)] = luck.nextBelow(256);
    return luck.nextBelow(4) === 0 ? copy.subarray(0, luck.nextBelow(copy.length)) : copy;
  };
  /** Real packets for the stranger to alter. */
  const seen: Uint8Array[] = [];

  /** Stands between a client and the relay. */
  const box = async (target: number): Promise<Address> => {
    const [front, back] = [await bound(), await bound()];
    let client = 0;
    front.on("message", (packet, sender) => {
      client = sender.port;
      if (seen.length < 500) seen.push(new Uint8Array(packet));
      for (let i = 0; i < 3; i++) back.send(altered(packet), target, "127.0.0.1");
      back.send(packet, target, "127.0.0.1");
    });
    back.on("message", (packet) => {
      front.send(altered(packet), client, "127.0.0.1");
      front.send(packet, client, "127.0.0.1");
    });
    return address("127.0.0.1", front.address().port);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "midcall-hostile-"));
    relay = await runRelay({ name: "r1", host: "127.0.0.1", port: 0, stateDir: folder, onSaying: hear("r1") });
    stranger = await bound();
    const port = parseAddress(relay.local)?.port ?? 0;
    for (const [index, name] of ["bob", "alice"].entries()) {
      const client = await runClient({
        name,
        identity: identityFromSecret(nodeCrypto, new Uint8Array(32).fill(index + 1)),
        relay: { address: index === 0 ? relay.local : await box(port), pin: relay.pin },
        answer: { mode: "AcceptTrusted", after: millis(0) },
        voice: "tone",
        onSaying: hear(name),
      });
      clients.push(client);
    }
    const peer = identityFromSecret(nodeCrypto, new Uint8Array(32).fill(1)).fingerprint;
    await until(() => of("bob", "registration").at(-1)?.state === "registered", 5_000);
    clients[1]?.command({ type: "call", peer });
    expect(await until(() => frames("alice") > 50 && frames("bob") > 50, 10_000)).toBe(true);
  });
  afterAll(async () => {
    for (const client of clients) await client.stop();
    await relay.stop();
    for (const socket of sockets) socket.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("the call goes on, every datagram that is none of ours is counted as refused, and nothing is kept of it", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const live = (): number => {
      collect();
      return process.memoryUsage().heapUsed + process.memoryUsage().external;
    };
    const port = parseAddress(relay.local)?.port ?? 0;
    const [heard, before, memory] = [Math.min(frames("alice"), frames("bob")), refused(), live()];
    const received = (): number => of("r1", "network").at(-1)?.receivedPackets ?? 0;
    const receivedBefore = received();
    for (let i = 0; i < THROWN; i++) {
      stranger.send(luck.nextBytes(luck.nextBelow(i % 3 === 0 ? 1_400 : 90)), port, "127.0.0.1");
      stranger.send(altered(seen[luck.nextBelow(seen.length)] ?? new Uint8Array(1)), port, "127.0.0.1");
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // Traffic and refusals are told once a second, each in its own.
    expect(await until(() => refused() - before > 0.9 * THROWN, 3_000)).toBe(true);
    expect(await until(() => received() - receivedBefore > THROWN, 3_000)).toBe(true);
    expect(await until(() => Math.min(frames("alice"), frames("bob")) > heard + 100, 5_000)).toBe(true);
    for (const name of ["alice", "bob"]) {
      expect(
        of(name, "call")
          .map((one) => one.state)
          .filter((state) => state === "ended" || state === "resuming"),
        name,
      ).toEqual([]);
      expect(of(name, "registration").at(-1)?.state, name).toBe("registered");
    }
    expect(of("r1", "refused").length).toBeLessThan(200);
    said.clear();
    expect(live() - memory).toBeLessThan(8_000_000);
  });
});
