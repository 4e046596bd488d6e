/** Text from outside made safe for where it goes: HTML and SVG (element content and quoted attributes), a line of a terminal, JSON that a terminal may show. */

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

/** Escapes the five characters of markup; control characters other than tab and line feed become U+FFFD. */
export const escaped = (value: string): string =>
  value
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\u{fffd}")
    .replace(/[&<>"']/g, (character) => ENTITIES.get(character) ?? character);

/** One line as a terminal shows it: control characters (C0, DEL, C1), line separators and marks that turn the direction of text become `?`. */
export const printable = (value: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  value.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "?");

/** JSON of the same value in which no octet controls a terminal: JSON itself leaves DEL and C1 as they are. */
export const asJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/[\u007f-\u009f]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`);
