/** What every page is put in: one file that forbids itself every fetch, follows the reader's light or dark preference, and runs no script but its own. */
import { escaped } from "./escape.ts";
import { STYLE } from "./page-style.ts";

/** A script of a page, with the source expression that lets it run (`'sha256-…'`). */
export type PageScript = { readonly text: string; readonly allowedBy: string };

export type PageParts = {
  readonly title: string;
  /** The content of `main`. */
  readonly body: string;
  /** Rules besides those that all pages have. */
  readonly style?: string;
  /** In their order. */
  readonly scripts?: readonly PageScript[];
  /** What the scripts find as `#run-data`, already made safe (asScriptData). */
  readonly data?: string;
  /** Whether it plays recordings that lie beside it. */
  readonly plays?: boolean;
};

/** The whole page. */
export function pageOf({ title, body, style = "", scripts = [], data, plays = false }: PageParts): string {
  const scriptSources = scripts.length === 0 ? "" : `; script-src ${scripts.map(({ allowedBy }) => allowedBy).join(" ")}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'${scriptSources}${plays ? "; media-src 'self' file:" : ""}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}${style}</style>
</head>
<body>
<main>
${body}
</main>
${data === undefined ? "" : `<script type="application/json" id="run-data">${data}</script>`}
${scripts.map(({ text }) => `<script type="module">${text}</script>`).join("\n")}
</body>
</html>
`;
}
