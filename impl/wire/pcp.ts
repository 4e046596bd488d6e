/**
 * Port Control Protocol (RFC 6887): the one request that asks a router to let everybody in on a UDP port, MAP, and its response. Left out on purpose: PEER,
 * ANNOUNCE, options, protocols other than UDP.
 */
import { ByteReader, putUint } from "../base/cursor.ts";

/** UDP port of PCP and NAT-PMP servers (section 19.1, RFC 6886 section 6). */
export const PORT_MAPPING_PORT = 5_351;
/** Octets of a mapping nonce (section 11.1). */
export const NONCE_BYTES = 12;
const VERSION = 2; // section 7
const MAP = 1; // section 19.2
const RESPONSE = 0x80; // section 7.2: the R bit
const UDP = 17;
const HEADER = 24; // sections 7.1 and 7.2
const MAP_BYTES = 36; // section 11.1
/** Section 7.1 permits no longer message. */
const MOST_BYTES = 1_100;

/** Whether a packet may be a router's word on port mapping: NAT-PMP or PCP by its version, neither of which a QUIC packet or STUN from that port is. */
export const isMappingResponse = (bytes: Uint8Array, fromPort: number): boolean =>
  fromPort === PORT_MAPPING_PORT && (bytes[0] === 0 || bytes[0] === VERSION) && (bytes[1] ?? 0) >= RESPONSE;

/** Result codes that are looked at by name (section 7.4); the others are refusals like any other. */
export const PCP_RESULT = { success: 0, unsupportedVersion: 1, notAuthorized: 2, noResources: 8, addressMismatch: 12 } as const;

/** `client`: IPv4 address of the asking interface. `lifetime` in seconds, 0 takes the mapping back. `external*`: what is wished for, 0 and 0.0.0.0: anything. */
export type PcpRequest = {
  readonly client: string;
  readonly nonce: Uint8Array;
  readonly lifetime: number;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly externalHost: string;
};
/** `epoch`: seconds since the server lost its state. A refusal's `lifetime` says for how long asking again is of no use. */
export type PcpResponse = {
  readonly result: number;
  readonly lifetime: number;
  readonly epoch: number;
  readonly nonce: Uint8Array;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly externalHost: string;
};

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]; // ::ffff:0:0/96 (section 5)

function putHost(into: Uint8Array, at: number, host: string): void {
  into.set([...MAPPED, ...host.split(".").map(Number)], at);
}
/** Undefined for an IPv6 address. */
function readHost(reader: ByteReader): string | undefined {
  const octets = reader.bytes(16);
  return MAPPED.every((octet, k) => octets[k] === octet) ? octets.subarray(12).join(".") : undefined;
}

const body = (out: Uint8Array, of: Omit<PcpRequest, "client" | "lifetime">): Uint8Array => {
  out.set(of.nonce, HEADER);
  out[HEADER + NONCE_BYTES] = UDP;
  putUint(out, HEADER + 16, 2, of.internalPort);
  putUint(out, HEADER + 18, 2, of.externalPort);
  putHost(out, HEADER + 20, of.externalHost);
  return out;
};

export function encodePcpRequest(request: PcpRequest): Uint8Array {
  const out = new Uint8Array(HEADER + MAP_BYTES);
  out.set([VERSION, MAP]);
  putUint(out, 4, 4, request.lifetime);
  putHost(out, 8, request.client);
  return body(out, request);
}

export function encodePcpResponse(response: PcpResponse): Uint8Array {
  const out = new Uint8Array(HEADER + MAP_BYTES);
  out.set([VERSION, RESPONSE | MAP, 0, response.result]);
  putUint(out, 4, 4, response.lifetime);
  putUint(out, 8, 4, response.epoch);
  return body(out, response);
}

/** Undefined for anything else than a MAP of UDP over IPv4. Never throws. */
export function parsePcpRequest(bytes: Uint8Array): PcpRequest | undefined {
  const reader = new ByteReader(bytes);
  const [version, opcode] = [reader.uint(1), reader.uint(1)];
  reader.bytes(2);
  const lifetime = reader.uint(4);
  const client = readHost(reader);
  const rest = readBody(reader, bytes.length);
  return version !== VERSION || opcode !== MAP || client === undefined || rest === undefined
    ? undefined
    : { client, lifetime, ...rest };
}

/** Undefined for anything else than the response to a MAP of UDP over IPv4. Never throws. */
export function parsePcpResponse(bytes: Uint8Array): PcpResponse | undefined {
  const reader = new ByteReader(bytes);
  const [version, opcode] = [reader.uint(1), reader.uint(1)];
  reader.bytes(1);
  const [result, lifetime, epoch] = [reader.uint(1), reader.uint(4), reader.uint(4)];
  reader.bytes(12);
  const rest = readBody(reader, bytes.length);
  if (version !== VERSION || opcode !== (RESPONSE | MAP) || rest === undefined) return undefined;
  return { result, lifetime, epoch, ...rest };
}

function readBody(reader: ByteReader, length: number): Omit<PcpRequest, "client" | "lifetime"> | undefined {
  const nonce = reader.bytes(NONCE_BYTES).slice();
  const protocol = reader.uint(1);
  reader.bytes(3);
  const [internalPort, externalPort] = [reader.uint(2), reader.uint(2)];
  const externalHost = readHost(reader);
  if (reader.bad || length > MOST_BYTES || protocol !== UDP || externalHost === undefined) return undefined;
  return { nonce, internalPort, externalPort, externalHost };
}
