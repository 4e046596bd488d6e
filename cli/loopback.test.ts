import { beforeAll, describe, expect, it } from "vitest";
import { type LoopbackRun, runLoopback } from "./loopback.ts";

describe("a call over loopback QUIC between real processes, whose relay is killed and comes back", () => {
  let run: LoopbackRun;

  beforeAll(async () => {
    run = await runLoopback();
  });

  const verdictOf = (oracle: string): string => {
    const found = run.result.oracles.find((one) => one.name === oracle);
    return `${found?.verdict}: ${found?.detail}`;
  };

  it("is the same call afterwards, and both hear each other again", () => {
    expect(verdictOf("same-call")).toMatch(/^held/);
    const recovered = run.result.measurements.recovery.map((one) => [
      one.party,
      one.fromHealMs !== null,
      (one.fromFaultMs ?? 0) > 3_000,
    ]);
    expect(recovered.sort()).toEqual([
      ["alice", true, true],
      ["bob", true, true],
    ]);
  });

  it("repeats no nonce, opens nothing twice, has one supervisor, frees everything", () => {
    for (const oracle of ["no-nonce-reuse", "no-double-decrypt", "one-supervisor", "everything-freed"])
      expect(verdictOf(oracle), oracle).toMatch(/^held/);
  });

  it("notices the relay's return by its stateless reset or its STUN answer, not by waiting for the backoff", () => {
    for (const who of ["alice", "bob"]) {
      const reasons = run.records.flatMap((record) =>
        record.ev === "registration" && record.who === who ? [record.reason ?? ""] : [],
      );
      expect(reasons, who).toContain("relay answers");
    }
  });

  it("logs a round trip a second, of loopback with the delay put there, as long as the relay is there", () => {
    for (const who of ["alice", "bob"]) {
      const told = run.records.flatMap((one) => (one.ev === "session-stats" && one.who === who ? [one] : []));
      expect(told.length, who).toBeGreaterThan(5);
      for (const one of told) expect(one.currentRoundTripTime, who).toBeLessThan(10);
      expect(Math.max(...told.map((one) => one.packetsReceived)), who).toBeGreaterThan(100);
    }
  });

  it("is heard: speech before the kill, quiet while the relay is down, speech again after it", () => {
    for (const [name, pcm] of run.heard) {
      const rms = (fromSeconds: number, toSeconds: number): number => {
        const part = pcm.subarray(Math.round(fromSeconds * 48_000), Math.round(toSeconds * 48_000));
        return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
      };
      const end = pcm.length / 48_000;
      expect(rms(0.5, 4.5), `${name} before`).toBeGreaterThan(300);
      expect(rms(6, 7.5), `${name} while down`).toBeLessThan(10);
      expect(rms(end - 4, end - 0.5), `${name} after`).toBeGreaterThan(300);
    }
  });
});
