/**
 * The certificate a relay shows: self-signed, made at start, trusted by its fingerprint alone (nobody checks names or dates).
 * X.509 by RFC 5280 in the peculiar ASN.1 classes, ECDSA P-256 with SHA-256 (RFC 8446 section 9.1: every TLS 1.3 peer has it).
 */
import { createHash, createPrivateKey, generateKeyPairSync, hkdfSync, randomBytes, sign, X509Certificate } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  Certificate as Asn1Certificate,
  AttributeTypeAndValue,
  AttributeValue,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import { makeFolder } from "./folder.ts";
import { IoError } from "./io-error.ts";

/** A certificate with its private key, ready for a QUIC endpoint. */
export type Certificate = {
  readonly certificatePem: string;
  /** PKCS #8. A secret. */
  readonly keyPem: string;
  /** SHA-256 of the certificate's DER, 64 lowercase hexadecimal digits: what clients pin. */
  readonly fingerprint: string;
  /** 32 octets for stateless reset tokens (RFC 9000 section 10.3.2), derived from the private key. A secret. */
  readonly resetKey: Uint8Array;
};

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"; // RFC 5758 section 3.2
const COMMON_NAME = "2.5.4.3"; // RFC 5280 appendix A.1
const FILE = "quic.pem";
const DAY_MILLIS = 86_400_000;
/** chosen: the pin is the trust, so the dates only have to contain any clock. */
const YEARS_VALID = 20;

/** A new key and certificate. */
export function makeCertificate(): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = Date.now();
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const commonName = new AttributeTypeAndValue({ type: COMMON_NAME, value: new AttributeValue({ utf8String: "midcall" }) });
  const name = new Name([new RelativeDistinguishedName([commonName])]);
  const serialNumber = randomBytes(16); // RFC 5280 section 4.1.2.2: positive, not zero, at most 20 octets
  serialNumber[0] = 1 + ((serialNumber[0] ?? 0) % 127);
  const body = new TBSCertificate({
    version: Version.v3,
    serialNumber: new Uint8Array(serialNumber).buffer,
    signature: algorithm,
    issuer: name,
    validity: new Validity({
      notBefore: new Date(now - 30 * DAY_MILLIS),
      notAfter: new Date(now + YEARS_VALID * 365 * DAY_MILLIS),
    }),
    subject: name,
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: "spki", format: "der" }), SubjectPublicKeyInfo),
  });
  const signature = sign("sha256", new Uint8Array(AsnConvert.serialize(body)), privateKey);
  const whole = new Asn1Certificate({
    tbsCertificate: body,
    signatureAlgorithm: algorithm,
    signatureValue: new Uint8Array(signature).buffer,
  });
  const der = Buffer.from(AsnConvert.serialize(whole));
  const certificatePem = new X509Certificate(der).toString();
  return fromPem(certificatePem, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
}

/**
 * The certificate kept in `dir` (made with all parents, private), so that a restarted relay has the pin and the reset key it had before.
 * IoError `certificate-file` when the file is there but is not a certificate with its key, or cannot be read or written.
 */
export async function loadOrMakeCertificate(dir: string): Promise<Certificate> {
  const path = join(dir, FILE);
  const kept = await read(path);
  if (kept !== undefined) return kept;
  const made = makeCertificate();
  const fresh = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    await makeFolder(dir, 0o700);
    await writeFile(fresh, made.certificatePem + made.keyPem, { mode: 0o600, flag: "wx" });
    await link(fresh, path); // unlike a rename this fails when another process was first
    return made;
  } catch (cause) {
    const first = codeOf(cause) === "EEXIST" ? await read(path) : undefined;
    if (first !== undefined) return first;
    throw new IoError(
      "certificate-file",
      `cannot write ${path} (${reasonOf(cause)}): make the folder writable or name another`,
      cause,
    );
  } finally {
    await rm(fresh, { force: true });
  }
}

async function read(path: string): Promise<Certificate | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw new IoError(
      "certificate-file",
      `cannot read ${path} (${reasonOf(cause)}): check that it is a file, its owner and mode`,
      cause,
    );
  }
  try {
    const keyAt = text.indexOf("-----BEGIN PRIVATE KEY-----");
    const certificate = new X509Certificate(text.slice(0, keyAt));
    if (!certificate.checkPrivateKey(createPrivateKey(text.slice(keyAt)))) throw new Error("the key is not the certificate's");
    return fromPem(text.slice(0, keyAt), text.slice(keyAt));
  } catch (cause) {
    throw new IoError("certificate-file", `${path} is not a certificate with its key: delete it to have a new one made`, cause);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);

function fromPem(certificatePem: string, keyPem: string): Certificate {
  const secret = createPrivateKey(keyPem).export({ type: "pkcs8", format: "der" });
  return {
    certificatePem,
    keyPem,
    fingerprint: fingerprintOf(new X509Certificate(certificatePem).raw),
    resetKey: new Uint8Array(hkdfSync("sha256", secret, "", "midcall stateless reset", 32)),
  };
}

/** SHA-256 of a certificate's DER as 64 lowercase hexadecimal digits. */
export const fingerprintOf = (der: Uint8Array): string => createHash("sha256").update(der).digest("hex");
