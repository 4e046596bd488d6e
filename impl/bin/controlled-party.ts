/**
 * Entry of a party that a laboratory runs: `node controlled-party.ts JOB`, JOB being a JSON file (`Job` of control.ts). It loads everything, says
 * that it is ready, waits for the order to begin, and is then the same relay or client as `midcall relay` and `midcall client`.
 */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { Stream } from "../base/random.ts";
import type { Saying } from "../base/record.ts";
import type { Instant } from "../base/units.ts";
import { loop, tone } from "../core/audio-source.ts";
import { type Identity, identityFromSecret } from "../core/identity.ts";
import { type Active, SignallingFilter } from "../core/signalling-filter.ts";
import { loadOrMakeCertificate, makeCertificate } from "../io/certificate.ts";
import { monotonicClock } from "../io/monotonic-clock.ts";
import { nodeCrypto } from "../io/node-crypto.ts";
import { keepYoungGenerationSmall } from "../io/reclaim.ts";
import { readWav } from "../io/wav.ts";
import { type RunningClient, readyMedia, runClient } from "./client.ts";
import type { Job, Order, Report } from "./control.ts";
import { type RunningRelay, runRelay } from "./relay.ts";

type Running = Pick<RunningClient, "stop" | "held"> &
  Partial<Pick<RunningClient, "command">> &
  Partial<Pick<RunningRelay, "drain">>;

const [path] = process.argv.slice(2);
if (path === undefined) throw new TypeError("job: want the path of a job file as the only argument");
const job = JSON.parse(await readFile(path, "utf8")) as Job;

const socket = connect(job.control);
const tell = (report: Report): void => void socket.write(`${JSON.stringify(report)}\n`);
const onSaying = (saying: Saying, t: Instant): void => tell({ type: "said", t, saying });

const layer = new SignallingFilter((length, action) => void setTimeout(action, length / 1_000));
const laid = new Map<number, { readonly active: Active; lift(): void }>();
const calm = (fault: number): void => {
  const one = laid.get(fault);
  if (one === undefined || !laid.delete(fault)) return;
  one.lift();
  tell({ type: "touched", fault, messages: one.active.touched });
};

/** The lab sees the process end and reads why. */
const onTrouble = (error: Error): never => {
  throw error;
};
const common = { name: job.name, port: job.port, layer, onSaying, onTrouble, ...(job.log === undefined ? {} : { log: job.log }) };
const prepared = job.role === "relay" ? await prepareRelay(job) : await prepareClient(job);
let running: Running | undefined;
/** Orders are carried out one after the other. */
let queue = Promise.resolve();

socket.on("close", () => process.exit(1)); // the lab is gone, and with it the reason to live
createInterface({ input: socket }).on("line", (line) => receive(JSON.parse(line) as Order));
tell({ type: "ready", token: job.token, ...(prepared.pin === undefined ? {} : { pin: prepared.pin }) });

let clock = monotonicClock();
function receive(order: Order): void {
  if (order.type === "go") clock = monotonicClock(order.epoch);
  const early = order.type === "command" && order.at !== undefined ? order.at - clock.now() : 0;
  // A timer counts whole milliseconds of another clock and may be early.
  if (early > 0) setTimeout(() => receive(order), early / 1_000);
  else queue = queue.then(() => obey(order));
}

async function obey(order: Order): Promise<void> {
  switch (order.type) {
    case "go":
      running ??= await prepared.begin(order.epoch);
      return;
    case "command":
      return running?.command?.(order.command);
    case "held":
      return running?.held();
    case "disturb": {
      const { fault, seed, direction, effect } = order;
      const active: Active = { direction, effect, stream: new Stream(seed, `signalling/${fault}`), touched: 0 };
      laid.set(fault, { active, lift: layer.lay(active) });
      return;
    }
    case "calm":
      return calm(order.fault);
    case "drain":
      return running?.drain?.(order.withinMs, order.refuges);
    case "stop":
      await running?.stop();
      for (const fault of [...laid.keys()]) calm(fault);
      socket.removeAllListeners("close");
      socket.end(() => process.exit(0));
  }
}

type Prepared = { readonly pin?: string; begin(epoch: number): Promise<Running> };

const identityOf = (secret: string): Identity => identityFromSecret(nodeCrypto, new Uint8Array(Buffer.from(secret, "hex")));

async function prepareRelay(relay: Job & { role: "relay" }): Promise<Prepared> {
  keepYoungGenerationSmall();
  const { fingerprint } = await loadOrMakeCertificate(relay.state);
  return {
    pin: fingerprint,
    begin: (epoch) =>
      runRelay({
        ...common,
        host: "::",
        stateDir: relay.state,
        onDrained: () => {
          queue = queue.then(() => obey({ type: "stop" }));
        },
        losesResetKey: relay.losesResetKey === true,
        epoch,
        ...(relay.federation === undefined
          ? {}
          : { federation: { identity: identityOf(relay.federation.secret), peers: relay.federation.peers } }),
      }),
  };
}

async function prepareClient(client: Job & { role: "client" }): Promise<Prepared> {
  const [media, source] = await Promise.all([
    readyMedia({ jitterBuffer: client.jitterBuffer, fec: client.fec, voiceChoice: client.voice }),
    client.says === "tone" ? tone() : readWav(client.says).then(loop),
  ]);
  const certificate = makeCertificate();
  return {
    begin: (epoch) =>
      runClient({
        certificate,
        stun: client.stun,
        ...(client.iceTransportPolicy === undefined ? {} : { iceTransportPolicy: client.iceTransportPolicy }),
        ...common,
        epoch,
        media,
        identity: identityOf(client.secret),
        relay: undefined,
        answer: client.answer,
        voice: { source },
        record: client.record,
        recordsFromEpoch: true,
        driftPpm: client.driftPpm,
        goodbyeMs: client.goodbyeMs,
      }),
  };
}
