import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { address } from "../base/address.ts";
import { concatBytes, fromHex } from "../base/cursor.ts";
import { bindingRefusal, bindingRequest, bindingResponse, isStun, livenessRequest, parseStun } from "./stun.ts";

const bytes = (hex: string): Uint8Array => fromHex(hex.replace(/\s/g, "")) ?? new Uint8Array();
const ID = bytes("b7e7a701bc34d686fa87dfae");

/** RFC 5769 sections 2.1, 2.2 and 2.3, whole packets. */
const REQUEST = bytes(`000100582112a442b7e7a701bc34d686fa87dfae 802200105354554e207465737420636c69656e74 002400046e0001ff
  80290008932ff9b151263b36 000600096576746a3a68367659202020 000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004e57a3bcf`);
const RESPONSE_V4 = bytes(`0101003c2112a442b7e7a701bc34d686fa87dfae 8022000b7465737420766563746f7220 002000080001a147e112a643
  000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004c07d4c96`);
const RESPONSE_V6 = bytes(`010100482112a442b7e7a701bc34d686fa87dfae 8022000b7465737420766563746f7220
  002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9 00080014a382954e4be67bf11784c97c8292c275bfe3ed41 80280004c8fb0b4c`);

describe("STUN binding", () => {
  test("the RFC 5769 samples are read as their text says", () => {
    expect(parseStun(REQUEST)).toEqual({ ok: true, kind: "request", transactionId: ID });
    expect(parseStun(RESPONSE_V4)).toEqual({ ok: true, kind: "response", transactionId: ID, mapped: "192.0.2.1:32853" });
    const mapped = "[2001:db8:1234:5678:11:2233:4455:6677]:32853";
    expect(parseStun(RESPONSE_V6)).toEqual({ ok: true, kind: "response", transactionId: ID, mapped });
  });

  test("a response writes the mapped address exactly as the samples do", () => {
    expect(bindingResponse(ID, "192.0.2.1:32853").subarray(20)).toEqual(RESPONSE_V4.subarray(36, 48));
    expect(bindingResponse(ID, "[2001:db8:1234:5678:11:2233:4455:6677]:32853").subarray(20)).toEqual(
      RESPONSE_V6.subarray(36, 60),
    );
    expect(bindingRequest(ID)).toEqual(bytes("000100002112a442b7e7a701bc34d686fa87dfae"));
  });

  test.each(["[::1]:1", "[::]:0", "[2001:db8::1]:4433", "[1::]:9", "[1:2:3:4:5:6:7:8]:65535", "[1:0:0:2::3]:5", "0.0.0.0:0"])(
    "the address %s comes back in the same text",
    (text) => {
      expect(parseStun(bindingResponse(ID, text))).toMatchObject({ ok: true, mapped: text });
    },
  );

  test("every IPv4 address and port comes back", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.nat(65_535), fc.uint8Array({ minLength: 12, maxLength: 12 }), (host, port, transactionId) => {
        const mapped = address(host, port);
        expect(parseStun(bindingResponse(transactionId, mapped))).toEqual({ ok: true, kind: "response", transactionId, mapped });
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test("a request that is not understood is refused by naming what is not (RFC 8489, sections 6.3.1, 14.8 and 14.10)", () => {
    const question = livenessRequest(ID);
    expect(question).toEqual(bytes("000100042112a442b7e7a701bc34d686fa87dfae7fff0000"));
    expect(parseStun(question)).toEqual({ ok: true, kind: "request", transactionId: ID, unknown: [0x7fff] });
    const refusal = bindingRefusal(ID, [0x7fff]);
    expect(refusal).toEqual(bytes("011100102112a442b7e7a701bc34d686fa87dfae0009000400000414000a00027fff0000"));
    expect(parseStun(refusal)).toEqual({ ok: true, kind: "response", transactionId: ID });
    // Not longer than a request that names as many.
    const many = Array.from({ length: 100 }, (_, i) => 0x7f00 + i);
    expect(bindingRefusal(ID, many)).toEqual(bindingRefusal(ID, many.slice(0, 8)));
    expect(bindingRefusal(ID, many).length).toBe(20 + 8 + 4 + 16);
  });

  test("random octets, and samples with octets changed or cut, never throw", () => {
    const sample = fc.constantFrom(REQUEST, RESPONSE_V4, RESPONSE_V6);
    const changed = fc.tuple(sample, fc.array(fc.tuple(fc.nat(), fc.nat(255))), fc.nat(120)).map(([from, changes, length]) => {
      const out = from.slice();
      for (const [at, value] of changes) out[at % out.length] = value;
      return out.subarray(0, length);
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), changed), (input) => {
        const parsed = parseStun(input);
        if (parsed.ok) expect(isStun(input)).toBe(true);
        else expect(parsed.reason).not.toBe("");
      }),
      { seed: 4, numRuns: 2_000 },
    );
  });

  test.each([
    ["an empty packet", new Uint8Array(0)],
    ["a QUIC packet", Uint8Array.from([0xc0, ...RESPONSE_V4.subarray(1)])],
    ["a wrong cookie", Uint8Array.from(RESPONSE_V4, (octet, i) => (i === 4 ? 0x20 : octet))],
    ["an indication", Uint8Array.from(RESPONSE_V4, (octet, i) => (i === 1 ? 0x11 : i === 0 ? 0 : octet))],
    ["a length beyond the packet", RESPONSE_V4.subarray(0, 76)],
    ["octets after the message", concatBytes(RESPONSE_V4, Uint8Array.of(0, 0, 0, 0))],
    ["an attribute after the message", concatBytes(RESPONSE_V4, Uint8Array.of(0x80, 0x22, 0, 0))],
    ["a response without an address", Uint8Array.from(bindingRequest(ID), (octet, i) => (i === 0 ? 1 : octet))],
    ["an address of unknown family", Uint8Array.from(RESPONSE_V4, (octet, i) => (i === 41 ? 3 : octet))],
    ["an attribute that must be understood", Uint8Array.from(RESPONSE_V4, (octet, i) => (i === 49 ? 0x7f : octet))],
    ["an attribute longer than the message", Uint8Array.from(RESPONSE_V4, (octet, i) => (i === 51 ? 0xff : octet))],
  ])("%s is refused", (_, input) => {
    expect(parseStun(input).ok).toBe(false);
  });

  test("misuse is named: a transaction ID of the wrong length, an address that is none", () => {
    expect(() => bindingRequest(new Uint8Array(11))).toThrow(RangeError);
    expect(() => bindingResponse(ID, "example:1")).toThrow(TypeError);
  });
});
