/**
 * The style sheet of the pages. Hues are those of Okabe and Ito (2008), which readers with any common colour vision tell apart;
 * the audio strip says the same by height, and verdicts by a sign and a word.
 */
/** Names of colours, light and dark; drawings that stand alone bring them too. */
export const COLOURS = `
:root {
  color-scheme: light dark;
  --page: #fff; --card: #f6f7f9; --ink: #16191d; --soft: #59626d; --grid: #e3e6ea; --on-bar: #fff;
  --source: #0072b2; --recovered: #56b4e9; --concealed: #e69f00; --silence: #d55e00; --comfort: #a9b1ba;
  --fine: #00795a; --waiting: #8f6400; --wrong: #c24a00; --off: #8a929b;
  --direct: #00795a; --relay: #a8477e; --sent: #0072b2; --received: #a8477e; --fault: #9c1f4b;
  --line-0: #0072b2; --line-1: #d55e00; --line-2: #00795a; --line-3: #a8477e; --wave: #5b6b7c; --filler: #0072b233;
  --held: #00795a; --broken: #b3261e; --inconclusive: #8a5a00; --crashed: #7a1fa2;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1d2125; --ink: #eceff2; --soft: #a3adb8; --grid: #2c3238; --on-bar: #0d0f11;
    --source: #4aa8e0; --recovered: #9ad7ff; --concealed: #f0b53c; --silence: #f0803c; --comfort: #6d7680;
    --fine: #3cc79e; --waiting: #f0c65a; --wrong: #f0803c; --off: #7d8690;
    --direct: #3cc79e; --relay: #e39ac6; --sent: #4aa8e0; --received: #e39ac6; --fault: #ff8fb1;
    --line-0: #4aa8e0; --line-1: #f0803c; --line-2: #3cc79e; --line-3: #e39ac6; --wave: #93a3b5; --filler: #4aa8e033;
    --held: #3cc79e; --broken: #ff8a80; --inconclusive: #f0c65a; --crashed: #d7a0f5;
  }
}
`;
export const STYLE: string = `${COLOURS}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 1380px; margin: 0 auto; padding: 20px 24px 40px; }
header { border-left: 8px solid var(--tone); background: var(--card); padding: 14px 20px; border-radius: 4px; }
.held { --tone: var(--held); } .broken { --tone: var(--broken); }
.inconclusive { --tone: var(--inconclusive); } .crashed { --tone: var(--crashed); }
header h1 { display: inline; overflow-wrap: anywhere; font-size: 26px; margin: 0; }
.verdict { display: inline-block; margin: 0 14px 0 0; font-size: 26px; font-weight: 700; color: var(--tone); }
.cause { font-size: 18px; margin: 8px 0 4px; }
.culprit { font-weight: 650; } .culprit + .cause { font-size: 15px; }
.asks { margin: 0 0 10px; color: var(--soft); }
.replay { margin: 0; } .replay span { color: var(--soft); margin-right: 8px; }
code { font: 13px/1.4 ui-monospace, monospace; background: var(--page); border: 1px solid var(--grid); border-radius: 3px; padding: 2px 6px; display: inline-block; max-width: 100%; vertical-align: middle; overflow-wrap: anywhere; user-select: all; }
code + button { margin: 3px 0; }
h2 { font-size: 17px; margin: 26px 0 8px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 8px; padding: 0; font-size: 12px; color: var(--soft); }
.legend i { display: inline-block; width: 12px; height: 12px; margin-right: 5px; vertical-align: -1px; border-radius: 2px; }
.drawing, .scroll { overflow-x: auto; }
.drawing svg { display: block; min-width: 900px; width: 100%; height: auto; }
:focus-visible { outline: 2px solid var(--source); outline-offset: 2px; }
table { border-collapse: collapse; font-size: 14px; }
th, td { text-align: left; padding: 4px 18px 4px 0; border-bottom: 1px solid var(--grid); vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; font-size: 12px; }
tbody th { font-weight: 500; }
.numbers td, .numbers thead th { font-variant-numeric: tabular-nums; }
.figure { white-space: nowrap; }
.oracles th { white-space: nowrap; }
.oracles td:first-child { color: var(--tone); font-weight: 600; white-space: nowrap; }
.oracles tr.broken td, .oracles tr.broken th, .oracles tr.inconclusive td, .oracles tr.inconclusive th { background: var(--card); }
@media (max-width: 640px) {
  .oracles thead { display: none; } .oracles tbody tr { display: grid; grid-template-columns: auto 1fr; column-gap: 10px; border-bottom: 1px solid var(--grid); padding: 4px 0; }
  .oracles td, .oracles tbody th { border: 0; padding: 0; } .oracles td:last-child { grid-column: 1 / -1; }
}
.cause, .asks, summary, li { overflow-wrap: anywhere; }
details { margin: 6px 0; } summary { cursor: pointer; padding: 4px 0; }
.log { font: 12px/1.5 ui-monospace, monospace; } .log td { border: 0; padding: 0 14px 0 0; color: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; }
.log td:first-child { text-align: right; white-space: pre; font-variant-numeric: tabular-nums; }
.log td:nth-child(2) { min-width: 9ch; }
.log .loud td { color: var(--ink); }
footer { margin-top: 28px; color: var(--soft); font-size: 13px; }
button { max-width: 100%; overflow-wrap: anywhere; font: inherit; font-size: 13px; color: var(--ink); background: var(--card); border: 1px solid var(--grid); border-radius: 4px; padding: 3px 10px; cursor: pointer; }
button:hover { border-color: var(--soft); }
.soft { color: var(--soft); font-size: 12px; }
strong.broken, strong.held, strong.inconclusive, strong.crashed { color: var(--tone); margin-right: 6px; }
.events { list-style: none; display: flex; flex-wrap: wrap; gap: 6px; margin: 0 0 8px; padding: 0; }
.events button { border-left: 4px solid var(--fault); } .events button.broken { border-left-color: var(--broken); }
.plot-tools { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 0 0 6px; }
.plot-tools input { font: inherit; font-size: 13px; padding: 3px 8px; color: inherit; background: var(--page); border: 1px solid var(--grid); border-radius: 4px; }
.plot-frame { position: relative; } #plot { width: 100%; min-height: 200px; }
#tip { position: absolute; z-index: 2; pointer-events: none; max-width: min(420px, 80%); white-space: pre-line; background: var(--card); border: 1px solid var(--grid); border-radius: 4px; padding: 4px 9px; font-size: 12px; box-shadow: 0 2px 8px #0003; }
.cursor { position: absolute; top: 24px; width: 0; border-left: 1.5px dashed var(--ink); pointer-events: none; }
.log-window { max-height: 340px; overflow: auto; border: 1px solid var(--grid); border-radius: 4px; padding: 6px 8px; position: relative; }
.log-window tr { cursor: pointer; } .log .here td { background: var(--card); }
.players { list-style: none; display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 10px 0 0; padding: 0; }
.players li { display: flex; align-items: center; gap: 8px; } .players audio { height: 34px; max-width: 100%; }
.topology svg { min-width: 620px; max-width: 1180px; }
html:not(.scripted) .plot-tools, html:not(.scripted) .plot-frame, html:not(.scripted) .log-section, html:not(.scripted) .events { display: none; }
@media screen { .scripted .static, .scripted .excerpts { display: none; } }
@media (max-width: 640px) {
  main { padding: 10px 12px 30px; } header { padding: 10px 12px; } header h1, .verdict { font-size: 21px; } .cause { font-size: 16px; }
  .players li { flex-wrap: wrap; width: 100%; } .players audio { width: 100%; } .plot-tools .soft { display: none; }
  .log td { padding-right: 8px; }
}
@media print {
  .plot-tools, .plot-frame, .log-section, .events, .players, #copy { display: none !important; }
  main { max-width: none; padding: 0; } .drawing svg { min-width: 0; }
  header, .drawing, svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  section { break-inside: avoid; } section:last-of-type { break-inside: auto; }
}
`;
