/** NAT Port Mapping Protocol (RFC 6886), which routers of before PCP speak on the same port: the external address, and a mapping for UDP. */
import { ByteReader, putUint } from "../base/cursor.ts";

const VERSION = 0; // section 3.1
const ADDRESS = 0; // section 3.2
const MAP_UDP = 1; // section 3.3
const RESPONSE = 128; // section 3.2

/** Section 3.5; the others are refusals like any other. */
export const NAT_PMP_RESULT = { success: 0, unsupportedVersion: 1, outOfResources: 4 } as const;

export type NatPmpRequest =
  | { readonly type: "address" }
  /** `lifetime` in seconds, 0 takes the mapping back; `externalPort` is a wish, 0: any. */
  | { readonly type: "map"; readonly internalPort: number; readonly externalPort: number; readonly lifetime: number };
/** `epoch`: seconds since the router lost its state. */
export type NatPmpResponse =
  | { readonly type: "address"; readonly epoch: number; readonly host: string }
  | {
      readonly type: "map";
      readonly epoch: number;
      readonly internalPort: number;
      readonly externalPort: number;
      readonly lifetime: number;
    }
  /** Of either request; also how a router that knows no PCP refuses a PCP request (section 3.5: result 1). */
  | { readonly type: "refused"; readonly result: number };

export function encodeNatPmpRequest(request: NatPmpRequest): Uint8Array {
  if (request.type === "address") return new Uint8Array([VERSION, ADDRESS]);
  const out = new Uint8Array(12);
  out.set([VERSION, MAP_UDP]);
  putUint(out, 4, 2, request.internalPort);
  putUint(out, 6, 2, request.externalPort);
  putUint(out, 8, 4, request.lifetime);
  return out;
}

export function encodeNatPmpResponse(response: NatPmpResponse): Uint8Array {
  switch (response.type) {
    case "refused": {
      const out = new Uint8Array(8);
      out.set([VERSION, RESPONSE | MAP_UDP]);
      putUint(out, 2, 2, response.result);
      return out;
    }
    case "address": {
      const out = new Uint8Array(12);
      out.set([VERSION, RESPONSE | ADDRESS]);
      putUint(out, 4, 4, response.epoch);
      out.set(response.host.split(".").map(Number), 8);
      return out;
    }
    case "map": {
      const out = new Uint8Array(16);
      out.set([VERSION, RESPONSE | MAP_UDP]);
      putUint(out, 4, 4, response.epoch);
      putUint(out, 8, 2, response.internalPort);
      putUint(out, 10, 2, response.externalPort);
      putUint(out, 12, 4, response.lifetime);
      return out;
    }
  }
}

/** Undefined for anything else. Never throws. */
export function parseNatPmpRequest(bytes: Uint8Array): NatPmpRequest | undefined {
  const reader = new ByteReader(bytes);
  const [version, opcode] = [reader.uint(1), reader.uint(1)];
  if (reader.bad || version !== VERSION) return undefined;
  if (opcode === ADDRESS) return { type: "address" };
  reader.bytes(2);
  const [internalPort, externalPort, lifetime] = [reader.uint(2), reader.uint(2), reader.uint(4)];
  return reader.bad || opcode !== MAP_UDP ? undefined : { type: "map", internalPort, externalPort, lifetime };
}

/** Undefined for anything else. Never throws. */
export function parseNatPmpResponse(bytes: Uint8Array): NatPmpResponse | undefined {
  const reader = new ByteReader(bytes);
  const [version, opcode, result] = [reader.uint(1), reader.uint(1), reader.uint(2)];
  if (reader.bad || version !== VERSION || opcode < RESPONSE) return undefined;
  if (result !== NAT_PMP_RESULT.success) return { type: "refused", result };
  const epoch = reader.uint(4);
  if (opcode === (RESPONSE | ADDRESS)) {
    const host = reader.bytes(4).join(".");
    return reader.bad ? undefined : { type: "address", epoch, host };
  }
  const [internalPort, externalPort, lifetime] = [reader.uint(2), reader.uint(2), reader.uint(4)];
  return reader.bad || opcode !== (RESPONSE | MAP_UDP) ? undefined : { type: "map", epoch, internalPort, externalPort, lifetime };
}
