/**
 * STUN Binding, the question "from which address do you see me?" (RFC 8489): request, success response and XOR-MAPPED-ADDRESS; and the question "are you
 * there?" of a client that must not ask the former: a request nobody may understand, and the error response that section 6.3.1 has every server give it.
 * Left out on purpose: credentials, MESSAGE-INTEGRITY and ICE attributes (RFC 8445); unknown attributes are passed over, and a response with an unknown
 * comprehension-required one is refused as section 6.3.3 asks.
 */
import { type Address, address, parseAddress } from "../base/address.ts";
import { ByteReader, putUint } from "../base/cursor.ts";

/** Octets of a transaction ID (section 5). */
export const TRANSACTION_ID_BYTES = 12;
const HEADER_BYTES = 20; // section 5
const MAGIC_COOKIE = 0x2112_a442; // section 5
const BINDING_REQUEST = 0x0001; // section 5: method 0x001, class 0b00
const BINDING_SUCCESS = 0x0101; // section 5: method 0x001, class 0b10
const BINDING_ERROR = 0x0111; // section 5: method 0x001, class 0b11
const ERROR_CODE = 0x0009; // section 14.8
const UNKNOWN_ATTRIBUTES = 0x000a; // section 14.10
const XOR_MAPPED_ADDRESS = 0x0020; // section 14.2
/** An attribute that must be understood and that nobody does. chosen: the last of those that are given out last (section 18.3), and given to nobody so far. */
const NOT_UNDERSTOOD = 0x7fff;
/** Attributes that one error response names. chosen: a request of a datagram's size cannot ask for a longer answer than itself. */
const MOST_NAMED = 8;
const FIRST_OPTIONAL = 0x8000; // section 14: 0x8000 and up may be ignored
/** Comprehension-required attributes that do not change the answer: section 18.3 and RFC 8445 section 16.1. */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  0x0001,
  0x0006,
  0x0008,
  ERROR_CODE,
  UNKNOWN_ATTRIBUTES,
  0x0014,
  0x0015,
  0x001c,
  0x001d,
  0x001e,
  0x0024,
  0x0025,
]);

export type StunParsed =
  | {
      readonly ok: true;
      readonly kind: "request" | "response";
      /** TRANSACTION_ID_BYTES octets, a copy. */
      readonly transactionId: Uint8Array;
      /** What a success response says the sender's address looks like; an error response says nothing of it. */
      readonly mapped?: Address;
      /** Attributes of a request that must be understood and are not. */
      readonly unknown?: readonly number[];
    }
  | { readonly ok: false; readonly reason: string };

/** True for what the demultiplexing of RFC 7983 / RFC 9443 calls STUN: a first octet of 0..3, confirmed by the magic cookie. */
export const isStun = (bytes: Uint8Array): boolean =>
  bytes.length >= HEADER_BYTES && (bytes[0] as number) <= 3 && new ByteReader(bytes.subarray(4)).uint(4) === MAGIC_COOKIE;

function message(type: number, transactionId: Uint8Array, attributes: Uint8Array): Uint8Array {
  if (transactionId.length !== TRANSACTION_ID_BYTES)
    throw new RangeError(`transactionId: want ${TRANSACTION_ID_BYTES} octets, got ${transactionId.length}`);
  const out = new Uint8Array(HEADER_BYTES + attributes.length);
  putUint(out, 0, 2, type);
  putUint(out, 2, 2, attributes.length);
  putUint(out, 4, 4, MAGIC_COOKIE);
  out.set(transactionId, 8);
  out.set(attributes, HEADER_BYTES);
  return out;
}

/** A Binding request without attributes; RangeError unless `transactionId` has 12 octets. */
export const bindingRequest = (transactionId: Uint8Array): Uint8Array =>
  message(BINDING_REQUEST, transactionId, new Uint8Array(0));

/** A request that every server refuses, whose answer tells that it is there and not where it was asked from; RangeError unless `transactionId` has 12 octets. */
export function livenessRequest(transactionId: Uint8Array): Uint8Array {
  const attribute = new Uint8Array(4); // without a value
  putUint(attribute, 0, 2, NOT_UNDERSTOOD);
  return message(BINDING_REQUEST, transactionId, attribute);
}

/** The error response 420 (Unknown Attribute) that names the `unknown`; RangeError for a wrong `transactionId`. */
export function bindingRefusal(transactionId: Uint8Array, unknown: readonly number[]): Uint8Array {
  const named = unknown.slice(0, MOST_NAMED);
  const size = 2 * named.length;
  const attributes = new Uint8Array(12 + size + (size % 4));
  putUint(attributes, 0, 2, ERROR_CODE);
  putUint(attributes, 2, 2, 4);
  attributes[6] = 4; // 420: hundreds, and the rest
  attributes[7] = 20;
  putUint(attributes, 8, 2, UNKNOWN_ATTRIBUTES);
  putUint(attributes, 10, 2, size);
  for (const [index, one] of named.entries()) putUint(attributes, 12 + 2 * index, 2, one);
  return message(BINDING_ERROR, transactionId, attributes);
}

/** The success response that tells `mapped`; RangeError for a wrong `transactionId`, TypeError for text that is no address. */
export function bindingResponse(transactionId: Uint8Array, mapped: Address): Uint8Array {
  const parts = parseAddress(mapped);
  if (parts === undefined) throw new TypeError(`mapped: want an address, got ${mapped}`);
  const ip = parts.family === 4 ? octetsOfV4(parts.host) : octetsOfV6(parts.host);
  const attribute = new Uint8Array(8 + ip.length);
  putUint(attribute, 0, 2, XOR_MAPPED_ADDRESS);
  putUint(attribute, 2, 2, 4 + ip.length);
  attribute[5] = parts.family === 4 ? 1 : 2;
  putUint(attribute, 6, 2, parts.port ^ (MAGIC_COOKIE >>> 16));
  attribute.set(masked(ip, transactionId), 8);
  return message(BINDING_SUCCESS, transactionId, attribute);
}

/** Never throws. Attributes after MESSAGE-INTEGRITY are read like the others: nothing here trusts any of them. */
export function parseStun(bytes: Uint8Array): StunParsed {
  if (!isStun(bytes)) return { ok: false, reason: "not STUN" };
  const reader = new ByteReader(bytes);
  const type = reader.uint(2);
  if (type !== BINDING_REQUEST && type !== BINDING_SUCCESS && type !== BINDING_ERROR)
    return { ok: false, reason: `message type ${type}` };
  const kind = type === BINDING_REQUEST ? "request" : "response";
  const length = reader.uint(2);
  reader.uint(4);
  const transactionId = new Uint8Array(reader.bytes(TRANSACTION_ID_BYTES)); // a copy, which slice() of a Buffer is not
  if (length !== reader.remaining || length % 4 !== 0) return { ok: false, reason: "length" };
  let mapped: Address | undefined;
  const unknown: number[] = [];
  while (reader.remaining > 0) {
    const attribute = reader.uint(2);
    const size = reader.uint(2);
    const value = reader.bytes(size);
    reader.bytes((4 - (size % 4)) % 4);
    if (reader.bad) return { ok: false, reason: "attribute cut short" };
    if (attribute === XOR_MAPPED_ADDRESS) {
      const found = mappedAddress(value, transactionId);
      if (found === undefined) return { ok: false, reason: "XOR-MAPPED-ADDRESS" };
      mapped ??= found; // section 14: only the first of a kind counts
    } else if (attribute < FIRST_OPTIONAL && !UNDERSTOOD.has(attribute)) unknown.push(attribute);
  }
  if (kind === "request") return { ok: true, kind, transactionId, ...(unknown.length === 0 ? {} : { unknown }) };
  if (unknown.length > 0) return { ok: false, reason: `attribute ${unknown[0]}` };
  if (type === BINDING_ERROR) return { ok: true, kind, transactionId };
  return mapped === undefined
    ? { ok: false, reason: "response without a mapped address" }
    : { ok: true, kind, transactionId, mapped };
}

function mappedAddress(value: Uint8Array, transactionId: Uint8Array): Address | undefined {
  const family = value[1];
  if (!((family === 1 && value.length === 8) || (family === 2 && value.length === 20))) return undefined;
  const port = new ByteReader(value.subarray(2)).uint(2) ^ (MAGIC_COOKIE >>> 16);
  const ip = masked(value.subarray(4), transactionId);
  return address(family === 1 ? ip.join(".") : textOfV6(ip), port);
}

/** Section 14.2: the address XORed with the cookie and, for IPv6, the transaction ID after it. */
function masked(ip: Uint8Array, transactionId: Uint8Array): Uint8Array {
  const mask = new Uint8Array(16);
  putUint(mask, 0, 4, MAGIC_COOKIE);
  mask.set(transactionId.subarray(0, TRANSACTION_ID_BYTES), 4);
  return ip.map((octet, i) => octet ^ (mask[i] as number));
}

const octetsOfV4 = (host: string): Uint8Array => Uint8Array.from(host.split("."), Number);

function octetsOfV6(host: string): Uint8Array {
  const groupsOf = (text: string | undefined): number[] =>
    text === undefined || text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [before, after] = host.split("::");
  const [head, tail] = [groupsOf(before), groupsOf(after)];
  const groups = [...head, ...new Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** RFC 5952 section 4: lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as `::`. */
function textOfV6(ip: Uint8Array): string {
  const reader = new ByteReader(ip);
  const groups = Array.from({ length: 8 }, () => reader.uint(2).toString(16));
  let best = { at: 0, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (groups[at + length] === "0") length++;
    if (length > best.length) best = { at, length };
  }
  if (best.length < 2) return groups.join(":");
  return `${groups.slice(0, best.at).join(":")}::${groups.slice(best.at + best.length).join(":")}`;
}
