import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadOrMakeCertificate, makeCertificate } from "./certificate.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "midcall-certificate-"));
});
afterEach(() => rm(dir, { recursive: true }));

describe("certificate", () => {
  test("it is signed by its own key, valid now, and named by the SHA-256 of its DER", () => {
    const made = makeCertificate();
    const read = new X509Certificate(made.certificatePem);
    expect(read.verify(read.publicKey)).toBe(true);
    expect(read.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: "prime256v1" });
    expect(Date.parse(read.validFrom)).toBeLessThan(Date.now());
    expect(Date.parse(read.validTo)).toBeGreaterThan(Date.now());
    expect(made.fingerprint).toBe(read.fingerprint256.replaceAll(":", "").toLowerCase());
    expect(made.resetKey).toHaveLength(32);
  });

  test("two are never alike", () => {
    const [a, b] = [makeCertificate(), makeCertificate()];
    expect(a.fingerprint).not.toBe(b.fingerprint);
    expect(a.resetKey).not.toEqual(b.resetKey);
  });

  test("a kept one comes back whole, from a file only its owner reads, and nothing else is left in the folder", async () => {
    const inner = join(dir, "a", "b");
    const made = await loadOrMakeCertificate(inner);
    expect(await loadOrMakeCertificate(inner)).toEqual(made);
    expect(await readdir(inner)).toEqual(["quic.pem"]);
    expect((await stat(join(inner, "quic.pem"))).mode & 0o777).toBe(0o600);
  });

  test("processes that start at once in one folder agree on one certificate", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => loadOrMakeCertificate(dir)));
    expect(new Set(all.map((one) => one.fingerprint)).size).toBe(1);
    expect(await readdir(dir)).toEqual(["quic.pem"]);
  });

  test.each([
    ["is not PEM", "hello"],
    ["is empty", ""],
    ["has another certificate's key", makeCertificate().certificatePem + makeCertificate().keyPem],
    ["has no key", makeCertificate().certificatePem],
  ])("a file that %s is an IoError that tells what to do, and is left alone", async (_, text) => {
    await writeFile(join(dir, "quic.pem"), text);
    await expect(loadOrMakeCertificate(dir)).rejects.toMatchObject({
      code: "certificate-file",
      message: expect.stringContaining("delete it"),
    });
    expect((await stat(join(dir, "quic.pem"))).size).toBe(text.length);
  });

  test("a folder that cannot be made is an IoError", async () => {
    await writeFile(join(dir, "file"), "");
    await expect(loadOrMakeCertificate(join(dir, "file", "x"))).rejects.toMatchObject({
      name: "IoError",
      code: "certificate-file",
    });
  });
});
