import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { EXIT, exitOf } from "./exit.ts";
import { midcall } from "./recorded-terminal.fixture.ts";

const PIN = "0".repeat(64);

test.each<[line: string, says: string]>([
  ["", "no command given; see: midcall --help"],
  ["--nonsense", "unknown option '--nonsense'; see: midcall --help"],
  ["relai", "unknown command 'relai'; Did you mean relay?"],
  ["explore baseline", "required option '--seeds <n>' not specified"],
  ["explore baseline --seeds 0", "Want a whole number of at least 1"],
  ["explore basline --seeds 3", 'no scenario or tag is called "basline"; did you mean "baseline"?'],
  ["explore baseline --seeds 3 --from 9007199254740991", "the last seed would be beyond 2^53-1"],
  ["shrink", "missing required argument 'run'"],
  ["shrink nowhere", "nowhere: there is no such file or folder"],
  ["mutants --only no-leap-in-packet-number", 'did you mean "no-leap-in-packet-numbers"?'],
  ["mutants basline", 'no scenario or tag is called "basline"; did you mean "baseline"?'],
  ["compare nowhere elsewhere", "there is no such file or folder"],
  ["compare a", "missing required argument 'after'"],
  ["dashboards sideways", "too many arguments"],
  ["list more", "too many arguments"],
  ["run", "missing required argument 'scenario'"],
  ["run baseline --sede 3", "unknown option '--sede'; Did you mean --seed?"],
  ["run baseline --seed 1.5", "Want a whole number 0..2^53-1"],
  ["run baseline --seed -1", "Want a whole number 0..2^53-1"],
  ["run baseline --seed 9007199254740991 --repeat 2", "the last seed would be beyond 2^53-1"],
  ["run baseline --repeat 0", "Want a whole number of at least 1"],
  ["run baseline --lab lunar", "there is no such laboratory; want --lab sim"],
  ["run baseline --link-driver nft", "the links of sim are its own; want --lab netns with it"],
  ["run baseline --codec mp3", "Allowed choices are real, sized"],
  ["run baseline --crypto rot13", "Allowed choices are real, null"],
  ["run baseline --reporter xml", "Allowed choices are pretty, junit, github, ctrf"],
  ["run baseline --metrics 127.0.0.1:9464", "--metrics: a simulation is over before anybody looks; want a real kernel"],
  ["run baseline --lab netns --metrics 127.0.0.1:0", "--metrics: nobody would know port 0"],
  ["run baseline --reporter junit=", "Want a file behind junit="],
  ["run baseline --reporter junit --reporter github", "Only one reporter can have standard output: want github=FILE"],
  ["run baseline --json --reporter junit", "cannot be used with"],
  ["run basline", 'no scenario or tag is called "basline"; did you mean "baseline"?'],
  ["run zzzzzzzzzzzz", "known: baseline, relay-restart"],
  ["run ./none.ts", "./none.ts: there is no such file"],
  ["run baseline --set duration", "no key or no value"],
  ["run baseline --set fautls=[]", 'unknown key "fautls"'],
  ["run baseline --set duration=soon", "duration"],
  ["run baseline --set duration=10ms", "duration"],
  ["run relay-restart --set faults.0.target=r9", "faults[0].target"],
  ["run relay-restart --set expect.0.oracle=luck", "expect[0].oracle"],
  ["replay", "missing required argument 'run'"],
  ["replay nowhere", "nowhere: there is no such file or folder"],
  ["report nowhere", "nowhere: there is no such file or folder"],
  ["bench", "missing required argument 'subject'"],
  ["bench luck", "there is no such subject; want midcall bench sim"],
  ["relay --listen 4433", "Want HOST:PORT"],
  ["relay --listen 127.0.0.1:65536", "Want HOST:PORT"],
  ["client", "required option '--relay <host:port>' not specified"],
  ["client --relay 127.0.0.1:1", "required option '--pin <hex>' not specified"],
  ["client --relay 127.0.0.1:1 --pin abc", "Want 64 hexadecimal digits"],
  [`client --relay 127.0.0.1:1 --pin ${PIN} --call me`, "Want 32 hexadecimal digits"],
  [`client --relay 127.0.0.1:1 --pin ${PIN} --answer maybe`, "Allowed choices are trusted, generic, reject"],
  [`client --relay 127.0.0.1:1 --pin ${PIN} --tone --echo`, "cannot be used with"],
  ["doctor --heal", "unknown option '--heal'"],
])("midcall %s is a usage error in one line", async (line, says) => {
  const said = await midcall(tmpdir(), line === "" ? [] : line.split(" "));
  expect(said.err).toContain(says);
  expect(said.err).toMatch(/^midcall: [^\n]+; [^\n]+$/);
  expect(said.out).toBe("");
  expect(said.code).toBe(EXIT.usage);
});

test.each(["", "list", "run", "replay", "report", "bench", "relay", "client", "doctor"])(
  "midcall %s --help ends with an example",
  async (command) => {
    const said = await midcall(tmpdir(), [...(command === "" ? [] : [command]), "--help"]);
    expect(said.code).toBe(EXIT.held);
    expect(said.out).toMatch(new RegExp(`\\nExample:\\n {2}midcall ${command}[^\\n]*$`));
    expect(said.err).toBe("");
  },
);

test("the exit code of several runs is that of the worst", () => {
  expect(exitOf([])).toBe(0);
  expect(exitOf(["held", "held"])).toBe(0);
  expect(exitOf(["held", "inconclusive"])).toBe(3);
  expect(exitOf(["inconclusive", "broken", "held"])).toBe(1);
  expect(exitOf(["broken", "crashed", "inconclusive"])).toBe(4);
});

test("list names every scenario with what it asks", async () => {
  const said = await midcall(tmpdir(), ["list", "--json"]);
  const rows: { name: string; asks: string; tags: string[]; labs: string[] }[] = JSON.parse(said.out);
  expect(rows.map((row) => row.name)).toContain("relay-restart");
  for (const row of rows) {
    expect(row.asks).toMatch(/\?$/);
    expect(row.labs).toContain("sim");
  }
  expect((await midcall(tmpdir(), ["list"])).out).toContain(rows[0]?.asks);
});
