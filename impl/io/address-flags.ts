/**
 * What the kernel thinks of each of a host's IPv6 addresses: /proc/net/if_inet6, which is there wherever IPv6 is and needs no process. getifaddrs(3), which Node.js reads, tells
 * none of it. Flags are those of linux/if_addr.h; IPv4 has no such thing.
 */
import { readFile } from "node:fs/promises";

export type AddressFlags = {
  /** Nobody may send from it: whether another has it is not known yet, or another has (RFC 4862 section 5.4). One that is optimistic may be used meanwhile (RFC 4429). */
  readonly isUnassigned: boolean;
  /** Made to be used for a day or so (RFC 8981). */
  readonly isTemporary: boolean;
  /** Not for anything new (RFC 4862 section 5.5.4). */
  readonly isDeprecated: boolean;
};

const TEMPORARY = 0x01;
const OPTIMISTIC = 0x04;
const DAD_FAILED = 0x08;
const DEPRECATED = 0x20;
const TENTATIVE = 0x40;

const LINE = /^([0-9a-f]{32}) [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) +(\S+)$/;

/** By interface and address as RFC 5952 writes it, a space between them. Lines of another form are skipped. */
export function parseIfInet6(text: string): ReadonlyMap<string, AddressFlags> {
  const found = new Map<string, AddressFlags>();
  for (const line of text.split("\n")) {
    const [, digits = "", hex = "", name = ""] = LINE.exec(line) ?? [];
    if (name === "") continue;
    const flags = Number.parseInt(hex, 16);
    const isTentative = (flags & TENTATIVE) !== 0 && (flags & OPTIMISTIC) === 0;
    found.set(`${name} ${written(digits)}`, {
      isUnassigned: isTentative || (flags & DAD_FAILED) !== 0,
      isTemporary: (flags & TEMPORARY) !== 0,
      isDeprecated: (flags & DEPRECATED) !== 0,
    });
  }
  return found;
}

/** An address of 32 hexadecimal digits, as RFC 5952 writes it: what the URL standard's serializer does, too. */
const written = (digits: string): string => new URL(`http://[${digits.match(/.{4}/g)?.join(":") ?? ""}]`).hostname.slice(1, -1);

/** None where the system tells none. */
export const addressFlags = async (): Promise<ReadonlyMap<string, AddressFlags>> =>
  parseIfInet6(await readFile("/proc/self/net/if_inet6", "utf8").catch(() => ""));
