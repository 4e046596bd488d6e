import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex } from "../base/cursor.ts";
import { encodeNatPmpRequest, encodeNatPmpResponse, parseNatPmpRequest, parseNatPmpResponse } from "./nat-pmp.ts";
import { encodePcpRequest, encodePcpResponse, NONCE_BYTES, parsePcpRequest, parsePcpResponse } from "./pcp.ts";

const port = fc.nat(65_535);
const seconds = fc.nat(0xffff_ffff);
const mapping = {
  nonce: fc.uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES }),
  internalPort: port,
  externalPort: port,
};
const pcpRequest = fc.record({ client: fc.ipV4(), lifetime: seconds, ...mapping, externalHost: fc.ipV4() });
const pcpResponse = fc.record({ result: fc.nat(255), lifetime: seconds, epoch: seconds, ...mapping, externalHost: fc.ipV4() });
const pmpRequest = fc.oneof(
  fc.record({ type: fc.constant("address" as const) }),
  fc.record({ type: fc.constant("map" as const), internalPort: port, externalPort: port, lifetime: seconds }),
);
const pmpResponse = fc.oneof(
  fc.record({ type: fc.constant("address" as const), epoch: seconds, host: fc.ipV4() }),
  fc.record({ type: fc.constant("map" as const), epoch: seconds, internalPort: port, externalPort: port, lifetime: seconds }),
  fc.record({ type: fc.constant("refused" as const), result: fc.integer({ min: 1, max: 65_535 }) }),
);
const runs = { seed: 5, numRuns: 200 };

test("a PCP MAP request is laid out as RFC 6887 sections 7.1 and 11.1 draw it", () => {
  const nonce = fromHex("000102030405060708090a0b") ?? new Uint8Array();
  const request = {
    client: "192.168.1.2",
    nonce,
    lifetime: 600,
    internalPort: 4433,
    externalPort: 4433,
    externalHost: "0.0.0.0",
  };
  expect(encodePcpRequest(request)).toEqual(
    fromHex(
      `020100000000025800000000000000000000ffffc0a80102${"000102030405060708090a0b"}1100000011511151${"00000000000000000000ffff00000000"}`,
    ),
  );
});

test("a NAT-PMP request for UDP is laid out as RFC 6886 section 3.3 draws it", () => {
  expect(encodeNatPmpRequest({ type: "map", internalPort: 4433, externalPort: 0, lifetime: 7200 })).toEqual(
    fromHex("000100001151000000001c20"),
  );
});

test("every message comes back as it was written", () => {
  fc.assert(
    fc.property(pcpRequest, pcpResponse, pmpRequest, pmpResponse, (asked, answered, request, response) => {
      expect(parsePcpRequest(encodePcpRequest(asked))).toEqual(asked);
      expect(parsePcpResponse(encodePcpResponse(answered))).toEqual(answered);
      expect(parseNatPmpRequest(encodeNatPmpRequest(request))).toEqual(request);
      expect(parseNatPmpResponse(encodeNatPmpResponse(response))).toEqual(response);
    }),
    runs,
  );
});

test("no octets whatever make a parser throw, and a message cut short is none", () => {
  const parsers = [parsePcpRequest, parsePcpResponse, parseNatPmpRequest, parseNatPmpResponse];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_200 }), (bytes) => {
      for (const parse of parsers) parse(bytes);
    }),
    runs,
  );
  fc.assert(
    fc.property(pcpResponse, fc.nat(59), (response, length) => {
      expect(parsePcpResponse(encodePcpResponse(response).subarray(0, length))).toBeUndefined();
    }),
    runs,
  );
});

test("a router that knows NAT-PMP alone refuses a PCP request in a way that is understood", () => {
  expect(parseNatPmpResponse(new Uint8Array([0, 0x81, 0, 1, 0, 0, 0, 9]))).toEqual({ type: "refused", result: 1 });
});
