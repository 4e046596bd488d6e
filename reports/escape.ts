/** Text made safe for HTML and SVG, in element content and in quoted attributes. */

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
