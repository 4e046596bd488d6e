import fc from "fast-check";
import { expect, test } from "vitest";
import { parseIfInet6 } from "./address-flags.ts";

const line = (flags: string): string => `20010db8000100000000000000000002 02 40 00 ${flags}    wlan0\n`;
const flags = (hex: string) => parseIfInet6(line(hex)).get("wlan0 2001:db8:1::2");

test("an address that is tentative or taken is unassigned, unless it is optimistic; temporary and deprecated ones are told", () => {
  const plain = { isUnassigned: false, isTemporary: false, isDeprecated: false };
  expect(flags("80")).toEqual(plain);
  expect(flags("40")).toEqual({ ...plain, isUnassigned: true });
  expect(flags("44")).toEqual(plain);
  expect(flags("c8")).toEqual({ ...plain, isUnassigned: true });
  expect(flags("01")).toEqual({ ...plain, isTemporary: true });
  expect(flags("21")).toEqual({ ...plain, isTemporary: true, isDeprecated: true });
});

test("addresses are written as Node.js writes them, and no text makes it throw", () => {
  const text = `00000000000000000000000000000001 01 80 10 80       lo\nnonsense\n${line("80")}fe80000000000000021122fffe334455 03 40 20 80    eth0\n`;
  expect([...parseIfInet6(text).keys()]).toEqual(["lo ::1", "wlan0 2001:db8:1::2", "eth0 fe80::211:22ff:fe33:4455"]);
  fc.assert(
    fc.property(fc.string(), (any) => {
      parseIfInet6(any);
    }),
    { seed: 1 },
  );
});
