import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runRelay } from "../impl/bin/relay.ts";
import { readWav, wavBytes } from "../impl/io/wav.ts";
import { EXIT } from "./exit.ts";
import { loadOrMakeIdentity } from "./identity-file.ts";
import { midcall, midcallProcess } from "./recorded-terminal.fixture.ts";

const PIN = "ab".repeat(32);
let folder = "";
let relay: Awaited<ReturnType<typeof runRelay>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "midcall-trouble-"));
  await writeFile(join(folder, "file"), "not what it should be\n");
  await writeFile(join(folder, "empty"), "");
  await mkdir(join(folder, "dir"));
  await symlink("nowhere", join(folder, "dangling"));
  await writeFile(join(folder, "ok.wav"), wavBytes(new Int16Array(48_000)));
  await writeFile(join(folder, "never.ts"), "await new Promise(() => undefined);\n");
  await writeFile(join(folder, "throws.ts"), 'throw new Error("no\\nway");\n');
  await writeFile(
    join(folder, "late.ts"),
    'setTimeout(() => { throw new Error("late"); });\nawait new Promise((done) => setTimeout(done, 2_000));\n',
  );
  relay = await runRelay({ name: "r1", host: "127.0.0.1", port: 0, stateDir: join(folder, "relay") });
  await midcall(folder, ["run", "baseline", "--codec", "sized", "--crypto", "null"]);
});
afterAll(async () => {
  await relay.stop();
  await rm(folder, { recursive: true, force: true });
});

const CLIENT = `client --relay 127.0.0.1:9 --pin ${PIN} --duration 1`;

test.each<[line: string, code: number, says: RegExp]>([
  [`${CLIENT} --speech none.wav`, EXIT.usage, /none.wav: cannot be read: ENOENT.*; want a WAV file/],
  [`${CLIENT} --speech file`, EXIT.usage, /file: is not a WAV file midcall can use.*; want a WAV file/],
  [`${CLIENT} --speech empty`, EXIT.usage, /empty: is not a WAV file/],
  [`${CLIENT} --speech dir`, EXIT.usage, /dir: cannot be read: EISDIR/],
  [
    `${CLIENT} --record none/x.wav`,
    EXIT.lacking,
    /x.wav: cannot be written: ENOENT.*; want a file in a folder that can be written/,
  ],
  [`${CLIENT} --record dir`, EXIT.lacking, /dir: cannot be written: EISDIR/],
  [`${CLIENT} --identity none/x`, EXIT.lacking, /none\/x: an identity cannot be made there \(ENOENT/],
  [`${CLIENT} --identity dir`, EXIT.usage, /dir: EISDIR.*; want a file with a BIP-39 phrase/],
  [`${CLIENT} --identity file`, EXIT.usage, /file: want 12, 15, 18, 21, 24 words/],
  [
    `${CLIENT} --log none/x`,
    EXIT.lacking,
    /cannot open the log .*none\/x \(ENOENT.*: name a file in a folder that can be written/,
  ],
  [`${CLIENT} --log dir`, EXIT.lacking, /cannot open the log .*dir \(EISDIR/],
  ["client --relay 127.0.0.1:0 --pin 0", EXIT.usage, /Nobody listens on port 0: want 1 to 65535/],
  [
    `client --relay none.invalid:1 --pin ${PIN}`,
    EXIT.usage,
    /none.invalid: cannot be resolved .*; want a known host or an address/,
  ],
  ["relay --listen none.invalid:0", EXIT.usage, /none.invalid: cannot be resolved .*; want a known host or an address/],
  ["relay --listen 192.0.2.1:4433", EXIT.lacking, /cannot listen on UDP 192.0.2.1:4433: choose another port or address/],
  ["relay --listen 127.0.0.1:0 --state file", EXIT.lacking, /cannot read .*file\/quic.pem \(ENOTDIR/],
  ["relay --listen 127.0.0.1:0 --state dangling", EXIT.lacking, /cannot write .*dangling\/quic.pem \(EEXIST/],
  ["relay --listen 127.0.0.1:0 --log none/x", EXIT.lacking, /cannot open the log/],
  ["run baseline --out file", EXIT.usage, /--out file: that is not a folder; want a folder, or a path where one can be made/],
  ["run baseline --out file/deep", EXIT.usage, /--out file\/deep: .*file is not a folder/],
  ["explore baseline --seeds 1 --out file", EXIT.usage, /--out file: that is not a folder/],
  ["report out/latest --out file", EXIT.usage, /--out file: that is not a folder/],
  ["run throws.ts", EXIT.usage, /throws.ts: no way; mend the file/],
  [
    "replay file",
    EXIT.usage,
    /file: no known format; want a run's folder, a file that a command of midcall wrote, or a recording/,
  ],
  ["report dir", EXIT.usage, /result.json is not there; want a run's folder/],
  ["shrink empty", EXIT.usage, /no scenario or tag is called "empty"/],
])("midcall %s: exit code %i and one line", async (line, code, says) => {
  const said = await midcall(folder, line.split(" "));
  expect(said).toMatchObject({ code, err: expect.stringMatching(says) });
  expect(said.err.split("\n").length).toBe(1);
});

test.runIf(process.platform === "linux").each([
  [
    "relay --listen 127.0.0.1:0 --state /proc/x",
    /cannot write \/proc\/x\/quic.pem \(ENOENT.*: make the folder writable or name another/,
  ],
  ["run baseline --out /proc/x", /--out \/proc\/x: no folder can be made there \(ENOENT/],
  ["report out/latest --out /proc/x", /--out \/proc\/x: no folder can be made there \(ENOENT/],
  [`${CLIENT} --record /dev/full`, /\/dev\/full: cannot be written: ENOSPC/],
  [`${CLIENT} --log /dev/full`, /cannot write the log \/dev\/full \(ENOSPC.*: make room, or name another file/],
])("midcall %s fails at once, and the machine is to blame", async (line, says) => {
  expect(await midcall(folder, line.split(" "))).toMatchObject({ code: EXIT.lacking, err: expect.stringMatching(says) });
});

test("a log that was cut off is not reported on as if it were whole", async () => {
  await midcall(folder, ["run", "baseline", "--codec", "sized", "--crypto", "null", "--out", "cut"]);
  await writeFile(join(folder, "cut/latest/run.ndjson"), "");
  expect(await midcall(folder, ["report", "cut/latest"])).toMatchObject({
    code: EXIT.usage,
    err: expect.stringMatching(/run.ndjson is not the log that result.json tells of: its hash is \w+, not \w+; want/),
  });
});

test("a scenario file that never finishes loading is a usage error; an exception nobody catches is our crash, not a broken promise", async () => {
  expect(await midcallProcess(folder, ["run", "never.ts"])).toMatchObject({
    code: EXIT.usage,
    err: expect.stringMatching(/never.ts: the module never finishes loading/),
  });
  expect(await midcallProcess(folder, ["run", "late.ts"])).toMatchObject({
    code: EXIT.crashed,
    err: expect.stringMatching(/^midcall \S+ crashed, which is a bug of midcall: Error: late/),
  });
});

test("a client that never registers says so and exits with 1", async () => {
  expect(await midcall(folder, CLIENT.split(" "))).toMatchObject({
    code: EXIT.broken,
    err: "midcall: never registered with 127.0.0.1:9 (no answer yet); want a relay that listens there",
  });
});

test("a client with a wrong pin says both pins and stops; with the right one it registers", async () => {
  const words = (pin: string, seconds: number): string[] => [
    "client",
    "--relay",
    relay.local,
    "--pin",
    pin,
    "--duration",
    `${seconds}`,
  ];
  expect(await midcall(folder, words(PIN, 60))).toMatchObject({
    code: EXIT.broken,
    err: expect.stringMatching(
      new RegExp(`pin-mismatch: expected ${PIN}, found ${relay.pin}\\); want the pin that the relay prints`),
    ),
  });
  expect(await midcall(folder, words(relay.pin, 2))).toMatchObject({ code: EXIT.held, err: "" });
});

test.runIf(process.platform === "linux")(
  "a recording that outgrows its disk ends the call: exit code 5, why, and what was recorded plays",
  async () => {
    const { identity } = await loadOrMakeIdentity(join(folder, "bob"));
    const common = ["client", "--relay", relay.local, "--pin", relay.pin, "--tone"];
    const stop = new AbortController();
    const bob = midcall(folder, [...common, "--identity", "bob", "--answer", "trusted"], stop.signal);
    const words = [...common, "--identity", "alice", "--record", "alice.wav", "--call", identity.fingerprint];
    // A limit on the size of files is a disk of 200 blocks; Node.js ignores the signal that comes with it.
    const shell = spawn(
      "sh",
      ["-c", 'ulimit -f 200; exec "$0" "$@"', process.execPath, join(import.meta.dirname, "midcall.mjs"), ...words],
      {
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const [out, err, [code]] = await Promise.all([text(shell.stdout), text(shell.stderr), once(shell, "exit")]);
    stop.abort();
    expect({ code, err }).toMatchObject({
      code: EXIT.lacking,
      err: expect.stringMatching(/^midcall: .*alice.wav: cannot be written: EFBIG.*\n$/),
    });
    expect(out).toMatch(/call \S+ active/);
    expect((await bob).out).toMatch(/call \S+ ended \S+ \(stopped\)/);
    expect((await readWav(join(folder, "alice.wav"))).length).toBeGreaterThan(24_000);
  },
);
