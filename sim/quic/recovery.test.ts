import { expect, test } from "vitest";
import { APPLICATION, type Frame, type QuicPacket, SEAL } from "./packet.ts";
import { changePath, lossDeadline, lossTimer, packetSent, type Recovery, startRecovery, takeAck } from "./recovery.ts";

const DONE: Frame = { type: "handshake-done" };

const packet = (fields: Partial<QuicPacket>): QuicPacket => ({
  proto: "quic",
  seal: SEAL,
  space: APPLICATION,
  dcid: 1,
  scid: 0,
  number: 0,
  ackLargest: -1,
  ackSmallest: -1,
  ackMore: undefined,
  ackDelay: 0,
  datagram: undefined,
  frames: undefined,
  sentAt: 0,
  size: 150,
  epoch: 0,
  datagrams: 1,
  eliciting: true,
  next: undefined,
  ...fields,
});

const confirmed = (): Recovery => {
  const r = startRecovery(false);
  r.confirmed = true;
  r.spaces[APPLICATION].open = true;
  return r;
};
const send = (r: Recovery, now: number, fields: Partial<QuicPacket> = {}): void => {
  const space = r.spaces[APPLICATION];
  packetSent(r, space, packet({ number: space.next, sentAt: now, epoch: r.epoch, ...fields }), now);
};
const ack = (r: Recovery, smallest: number, largest: number, now: number, more?: number[]): boolean =>
  takeAck(r, r.spaces[APPLICATION], APPLICATION, packet({ ackSmallest: smallest, ackLargest: largest, ackMore: more }), now);

test("acknowledged packets leave the flight, in one range or several", () => {
  const r = confirmed();
  for (let i = 0; i < 6; i++) send(r, i);
  expect(r.inFlight).toBe(900);
  expect(ack(r, 4, 5, 50_000, [1, 0])).toBe(true);
  expect(r.inFlight).toBe(150); // 2 is lost by number, 3 is not yet
  expect(r).toMatchObject({ datagramsAcked: 4, datagramsLost: 1 });
});

test("a packet is lost when one three numbers later is acknowledged, not before (RFC 9002 section 6.1.1)", () => {
  const r = confirmed();
  for (let i = 0; i < 4; i++) send(r, i);
  ack(r, 1, 2, 50_000);
  expect(r.packetsLost).toBe(0);
  ack(r, 3, 3, 50_000);
  expect(r.packetsLost).toBe(1);
});

test("a packet is lost by time at 9/8 of the round trip after it was sent, and not before (section 6.1.2)", () => {
  const r = confirmed();
  send(r, 0);
  send(r, 1_000);
  ack(r, 1, 1, 81_000); // a sample of 80 ms
  expect(lossDeadline(r, false)).toBe(90_000);
  lossTimer(r, 90_000);
  expect(r.packetsLost).toBe(1);
  expect(lossDeadline(r, false)).toBe(Number.POSITIVE_INFINITY);
});

test("the probe timeout doubles until an acknowledgement, and repeats the reliable frames without calling them lost", () => {
  const r = confirmed();
  r.spaces[APPLICATION].unacked.add(DONE);
  send(r, 0, { frames: [DONE] });
  const timeout = 999_000 + 25_000;
  expect(lossDeadline(r, false)).toBe(timeout);
  lossTimer(r, timeout);
  expect(lossDeadline(r, false)).toBe(2 * timeout);
  expect(r.spaces[APPLICATION]).toMatchObject({ probes: 1, resend: [DONE] });
  expect(r.packetsLost).toBe(0);
  ack(r, 0, 0, timeout + 10);
  expect(r.backoff).toBe(0);
  expect(r.spaces[APPLICATION].resend).toEqual([]);
});

test("a client that heard nothing probes for a server that may be blocked; a blocked server sleeps (section 6.2.2.1)", () => {
  const client = startRecovery(true);
  client.touchedAt = 5_000;
  expect(lossDeadline(client, false)).toBe(1_004_000);
  lossTimer(client, 1_004_000);
  expect(client.spaces[0].probes).toBe(1);
  const server = startRecovery(false);
  send(server, 0);
  server.confirmed = true;
  expect(lossDeadline(server, true)).toBe(Number.POSITIVE_INFINITY);
});

test("an acknowledgement of what was never sent is refused and changes nothing", () => {
  const r = confirmed();
  send(r, 0);
  expect(ack(r, 0, 1, 10)).toBe(false);
  expect(r.inFlight).toBe(150);
});

test("packets of another path neither fill the window of this one nor sample its round trip (RFC 9000 section 9.4)", () => {
  const r = confirmed();
  for (let i = 0; i < 5; i++) send(r, 0);
  changePath(r, true);
  expect(r.inFlight).toBe(0);
  ack(r, 4, 4, 70_000);
  expect(r.roundTrip.sampled).toBe(false);
  expect(r.congestion.recoveryStart).toBe(-1);
  expect(r.inFlight).toBe(0);
});

test("the window grows by what is acknowledged, unless the application was the limit", () => {
  const r = confirmed();
  send(r, 0);
  ack(r, 0, 0, 50_000);
  expect(r.congestion.window).toBe(12_000);
  r.applicationLimited = false;
  send(r, 60_000);
  ack(r, 1, 1, 110_000);
  expect(r.congestion.window).toBe(12_150);
});

test("an ACK that also shows a loss reduces the window first, and what it acknowledges makes room beside it (appendix A.7)", () => {
  const r = confirmed();
  r.applicationLimited = false;
  for (let i = 0; i < 5; i++) send(r, i);
  ack(r, 3, 4, 50_000); // 0 and 1 are lost, 2 is in flight
  expect(r.congestion.window).toBeCloseTo(8_400);
  expect(r.congestion.extra).toBe(300 + 1_200);
});
