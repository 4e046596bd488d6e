/** A real NetEq: the relay and the lists it is fed by, and one short line with Chromium where there is one. Ours, in virtual time: neteq-ours.test.ts. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { access, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { readWav } from "../impl/io/wav.ts";
import { chromiumNeteq, heldUpLine } from "./chromium-neteq.ts";
import { impaired } from "./jitter-conditions.ts";
import { parseTrace, rtpdump, traceText } from "./link-trace.ts";
import { linesOf, MODES } from "./neteq-trial.ts";
import { speechPath } from "./speech.ts";
import { listedRelay } from "./udp-relay.ts";

const delays = (loss: number): Float64Array => impaired({ loss })(1, 700);

test("a list is read back as it was written, and a line that is none is named", () => {
  expect(parseTrace(traceText(delays(0.2)))).toEqual(delays(0.2));
  expect(() => parseTrace(`${traceText(delays(0.2)).split("\n")[0]}\n-\n-3\n`)).toThrow(
    "line 3: want - or whole microseconds, got -3",
  );
  expect(() => parseTrace("20000\n")).toThrow("line 1");
});

test("an rtpdump holds the packets that come, in order of arrival, as rtptools lay them out", () => {
  const dump = Buffer.from(
    rtpdump([Uint8Array.of(1), Uint8Array.of(2, 2), Uint8Array.of(3)], Float64Array.of(70_000, -1, 10_000)),
  );
  const magic = "#!rtpplay1.0 127.0.0.1/5004\n";
  expect(dump.subarray(0, magic.length).toString()).toBe(magic);
  const first = magic.length + 16;
  // Packet 2 overtakes packet 0: sent at 60 and 20 ms.
  expect([dump.readUInt16BE(first), dump.readUInt16BE(first + 2), dump.readUInt32BE(first + 4)]).toEqual([21, 13, 70]);
  expect([dump.readUInt16BE(first + 10), dump.readUInt32BE(first + 12), dump[first + 20]]).toEqual([2, 1_920, 3]);
  expect([dump.readUInt32BE(first + 21 + 4), dump.readUInt16BE(first + 21 + 10), dump[first + 21 + 20]]).toEqual([90, 0, 1]);
  expect(dump.length).toBe(first + 2 * 21);
});

test("the relay drops what the list drops and passes everything that is no RTP", async () => {
  const relay = await listedRelay();
  const [sender, receiver] = [createSocket("udp4"), createSocket("udp4")];
  sender.bind(0, "127.0.0.1");
  receiver.bind(0, "127.0.0.1");
  await Promise.all([once(sender, "listening"), once(receiver, "listening")]);
  const got: string[] = [];
  const all = Promise.withResolvers<void>();
  const want = ["stun", "dtls", "0", "2", "4", "rtcp"];
  receiver.on("message", (bytes) => {
    const [first = 0, second = 0] = bytes;
    got.push(
      first < 4
        ? "stun"
        : first < 64
          ? "dtls"
          : second === 200
            ? "rtcp"
            : String(bytes.readUInt16BE(2) - 65_534 + (bytes.readUInt16BE(2) < 100 ? 65_536 : 0)),
    );
    if (want.every((one) => got.includes(one))) all.resolve();
  });
  const heard = once(sender, "message");
  receiver.send(Uint8Array.of(0, 1), relay.ports.toSender, "127.0.0.1");
  const send = (bytes: Uint8Array): void => sender.send(bytes, relay.ports.toReceiver, "127.0.0.1");
  // The relay learns both addresses by what comes from them.
  const learning = setInterval(() => {
    send(Uint8Array.of(1, 1));
    receiver.send(Uint8Array.of(0, 1), relay.ports.toSender, "127.0.0.1");
  }, 20);
  await heard;
  clearInterval(learning);
  relay.apply(Float64Array.of(1_000, -1, 1_000, -1, 2_000));
  send(Uint8Array.of(22, 254));
  for (const seq of [65_534, 65_535, 0, 1, 2]) send(Uint8Array.of(0x80, 111, seq >> 8, seq & 255, 0, 0, 0, 0, 0, 0, 0, 0));
  send(Uint8Array.of(0x80, 200, 0, 1));
  await all.promise;
  expect(new Set(got)).toEqual(new Set(want));
  expect(relay.counts()).toEqual({ passed: 3, dropped: 2 });
  expect(relay.lateness.figure.worstMs).toBeGreaterThanOrEqual(0);
  relay.close();
  sender.close();
  receiver.close();
});

const hasChromium = await access("/usr/bin/chromium").then(
  () => true,
  () => false,
);
test("Chromium hears the list: it conceals some of what is lost, no less than nothing and no more than all", async (context) => {
  if (!hasChromium) context.skip("there is no /usr/bin/chromium (Debian: apt-get install -y chromium)");
  const link = { name: "loss 20 %", delays: impaired({ loss: 0.2 }) };
  const lines = linesOf([link], MODES.slice(0, 1), 1);
  const { chromium, figures, heldUp } = await chromiumNeteq(lines, await readWav(speechPath("speech-a")), {
    ...{ stage: () => undefined, signal: new AbortController().signal, measured: 3_000_000 },
    goesFirst: false, // others measure beside it, and may hold it up
  });
  expect(chromium).toMatch(/^\d+\./);
  expect(figures.length + heldUp.length).toBeGreaterThan(0);
  for (const one of [...figures, ...heldUp]) {
    expect(one).toMatchObject({ link: "loss 20 %", mode: "no FEC", seed: 1 });
    expect(one.concealed).toBeGreaterThan(2);
    expect(one.concealed).toBeLessThan(90);
    expect(one.delayMs).toBeGreaterThan(0);
  }
  for (const one of heldUp) expect(heldUpLine(one)).toContain("loss 20 %, no FEC, seed 1: the machine held it up");
});

test("an interrupt ends what is being listened to, and leaves nothing of the browser", async (context) => {
  if (!hasChromium) context.skip("there is no /usr/bin/chromium (Debian: apt-get install -y chromium)");
  const homes = async (): Promise<readonly string[]> =>
    (await readdir(tmpdir())).filter((name) => name.startsWith("midcall-neteq-"));
  const before = await homes();
  const interrupt = new AbortController();
  let batches = 0;
  const lines = linesOf([{ name: "loss 20 %", delays: impaired({ loss: 0.2 }) }], MODES.slice(0, 1), 1);
  const heard = chromiumNeteq(lines, await readWav(speechPath("speech-a")), {
    ...{ stage: () => interrupt.abort(), signal: interrupt.signal, goesFirst: false, measured: 3_000_000 },
    each: () => batches++,
  });
  await expect(heard).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  expect(batches).toBe(0);
  expect(await homes()).toEqual(before);
});
