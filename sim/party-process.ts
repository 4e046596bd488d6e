/**
 * A process of the simulated lab: one party's core with its endpoint, its clock and its audio device. It can be started,
 * killed, paused and started again; a killed one leaves nothing behind but what its plan would read from disk.
 */
import type { Address } from "../impl/base/address.ts";
import { invariant } from "../impl/base/invariant.ts";
import type { Randomness } from "../impl/base/random.ts";
import type { Saying } from "../impl/base/record.ts";
import { Instant, type Micros, millis } from "../impl/base/units.ts";
import type { View } from "../impl/base/view.ts";
import { DEVICE_MICROS } from "../impl/core/audio-source.ts";
import { FRAME_MICROS } from "../impl/core/codec.ts";
import { type Machine, type Ports, type Runner, run, sayNetwork, type WorldInput } from "../impl/core/effect.ts";
import type { EndpointListener, SessionConfig } from "../impl/core/session.ts";
import { sessionStatistics } from "../impl/core/session-statistics.ts";
import { SignallingFilter } from "../impl/core/signalling-filter.ts";
import { SimHttp } from "./gateway-service.ts";
import type { Packet, Socket } from "./host.ts";
import type { Kernel, Timer } from "./kernel.ts";
import type { Network } from "./network.ts";
import { openSimEndpoint, type SimEndpoint } from "./quic/endpoint.ts";
import { readPayload } from "./quic/packet.ts";

/**
 * From a change of interfaces to a process that has been told: the kernel's message, 5 ms in which nothing else changes, and reading what there is.
 * Measured on the real client in namespaces, from before the cable is pulled: 11 to 39 ms, 17 in the median, on a machine busy with other work (netns/host-network.test.ts).
 */
const NOTICE: Micros = millis(15);
/** And so soon it hears that something changes. chosen: one message of netlink to a process that has other work. */
const STIR: Micros = millis(5);

/** From the last word to the end of the process, so that what was to be said has left. chosen: as in the real process, which waits for its sockets. */
const GOODBYE: Micros = millis(1);
/** The port that its HTTP comes from: an ephemeral one (RFC 6335 section 6). */
const HTTP_SOURCE = 49_152;
/** Octets of TCP, IPv4 and HTTP headers of a request or an answer. chosen: about what browsers and routers send. */
const HTTP_HEADERS = 300;

/** What a party needs to be started, any number of times. */
export type Plan<Input> = {
  readonly name: string;
  readonly port: number;
  readonly driftPpm: number;
  readonly session: SessionConfig;
  /** Told of its host's network, as clients are. */
  readonly watchesNetwork?: boolean;
  /** Its machine may ask devices of its network by HTTP. */
  readonly speaksHttp?: boolean;
  /** Accepts sessions when given, with what its `incarnation` finds on its disk. */
  server?(incarnation: number): { readonly fingerprint: string; readonly resetKey: string };
  machine(incarnation: number): Machine<Input | WorldInput>;
  /** How it is told to send its clients away and exit. */
  drain?(within: Micros): Input;
  /** What it is told as soon as it runs, if anything. */
  first?(incarnation: number): Input | undefined;
  /** The audio device, for clients: what the microphone hears, what the loudspeaker plays (with the playout tick's number). */
  readonly audio?: { capture(): Input; playout(): Input; play(tick: number, pcm: Int16Array): void };
};

export type LabWorld = {
  readonly kernel: Kernel;
  readonly network: Network;
  readonly randomness: Randomness;
  say(who: string, saying: Saying): void;
};

export class PartyProcess<Input> {
  readonly name: string;
  readonly signalling: SignallingFilter;
  /** STUN messages outside of sessions, over all lives of the process. */
  readonly stun = { stunSent: 0, stunReceived: 0 };
  readonly #plan: Plan<Input>;
  readonly #world: LabWorld;
  #incarnation = 0;
  #isRunning = false;
  #isPaused = false;
  #backlog: (() => void)[] = [];
  #socket: Socket | undefined;
  #httpSocket: Socket | undefined;
  /** To be started again as soon as it has ended by itself. */
  #isAwaited = false;
  #endpoint: SimEndpoint | undefined;
  #machine: Machine<Input | WorldInput> | undefined;
  #runner: Runner<Input> | undefined;
  #unwatch: (() => void) | undefined;
  #statistics = sessionStatistics();

  constructor(world: LabWorld, plan: Plan<Input>) {
    this.name = plan.name;
    this.#plan = plan;
    this.#world = world;
    this.signalling = new SignallingFilter((length, action) => this.#after(length, action));
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  start(): void {
    invariant(!this.#isRunning, `${this.name} is started while it runs`);
    const { kernel, network, randomness, say } = this.#world;
    const incarnation = ++this.#incarnation;
    this.#isRunning = true;
    this.#statistics = sessionStatistics();
    const socket = network.socket(this.name, this.#plan.port, (from, packet) => this.#receive(from, packet));
    this.#socket = socket;
    const log = (saying: Saying): void => say(this.name, saying);
    log({ ev: "process", state: "started" });
    let alarm: Timer | undefined;
    const wake = this.#living(() => runner.input({ type: "wake" }));
    const machine = this.#plan.machine(incarnation);
    const runner: Runner<Input> = run(machine, () => ports);
    const endpoint = openSimEndpoint({
      clock: {
        get now(): Instant {
          return kernel.now;
        },
        after: (length, action) => this.#after(length, action),
        post: (time, action) => kernel.post(time, this.#living(action)),
      },
      socket,
      config: this.#plan.session,
      listener: counted(this.signalling.incoming(runner.listener), this.stun),
      stream: randomness.stream(`quic/${this.name}/${incarnation}`),
      crowdedOut: (bytes) => say("net", { ev: "drop", where: `${this.name}/quic`, cause: "congestion", bytes }),
      overtaken: (bytes) => say("net", { ev: "drop", where: `${this.name}/quic/down`, cause: "overtaken", bytes }),
      ...(this.#plan.server === undefined ? {} : { server: this.#plan.server(incarnation) }),
    });
    const ports = {
      now: () => kernel.now,
      endpoint: this.signalling.outgoing({
        ...endpoint,
        sendPacket: (to: Address, bytes: Uint8Array) => {
          this.stun.stunSent++;
          endpoint.sendPacket(to, bytes);
        },
      }),
      say: log,
      ...(this.#plan.speaksHttp === true ? { http: this.#http() } : {}),
      finish: () => void this.#after(GOODBYE, () => this.#leave()),
      play: (pcm: Int16Array) => this.#plan.audio?.play(this.#playoutTick, pcm),
      schedule: (at: Instant | undefined) => {
        alarm?.cancel();
        alarm = at === undefined ? undefined : kernel.after(Instant.between(kernel.now, at), wake);
      },
    };
    this.#endpoint = endpoint;
    this.#machine = machine;
    this.#runner = runner;
    if (this.#plan.watchesNetwork === true) this.#watchNetwork();
    if (this.#plan.audio !== undefined) this.#startAudio(incarnation, this.#plan.audio);
    const first = this.#plan.first?.(incarnation);
    if (first !== undefined) runner.input(first);
  }

  /** Starts it again; when it has not ended yet, as a drained one that was held still, as soon as it has. */
  startAgain(): void {
    if (this.#isRunning) this.#isAwaited = true;
    else this.start();
  }

  #leave(): void {
    const isAwaited = this.#isAwaited;
    this.exit();
    if (isAwaited) this.start();
  }

  #http(): NonNullable<Ports["http"]> {
    const socket = this.#world.network.socket(this.name, HTTP_SOURCE, (_, packet) => {
      const payload = readPayload(packet.payload);
      if (payload?.proto === "stun") http.received(payload.bytes);
    });
    this.#httpSocket = socket;
    const http = new SimHttp(
      (to, bytes) => socket.send(to, { payload: { proto: "stun", bytes }, bytes: bytes.length + HTTP_HEADERS }),
      (length, action) => this.#after(length, action),
    );
    return (request, answered) => http.ask(request, answered);
  }

  /** The process, its core and its sessions as they stand. */
  view(): View {
    return {
      process: this.#isPaused ? "paused" : this.#isRunning ? "running" : "down",
      incarnation: this.#incarnation,
      deadline: this.#machine?.deadline() ?? null,
      core: this.#machine?.view() ?? null,
      sessions: this.#endpoint?.view() ?? {},
    };
  }

  /** Says how its sessions are doing, as a live client does once a second. */
  tellStatistics(): void {
    if (!this.#isRunning || this.#isPaused || this.#endpoint === undefined) return;
    for (const saying of this.#statistics(this.#endpoint.paths())) this.#world.say(this.name, saying);
  }

  /** A command or another input for the core; ignored while the process is down. */
  input(input: Input): void {
    this.#soon(() => this.#runner?.input(input));
  }

  /** Dies at once, by fault number `fault`. */
  kill(fault: number): void {
    this.#end("killed", fault);
  }

  /** Asked to let go of everybody and then exit by itself. */
  drain(within: Micros): void {
    if (this.#plan.drain !== undefined) this.input(this.#plan.drain(within));
  }

  /** Ends because the run does. */
  exit(): void {
    this.#end("exited", undefined);
  }

  #end(state: "killed" | "exited", fault: number | undefined): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#isPaused = false;
    this.#backlog = [];
    this.#endpoint?.shutdown();
    this.#socket?.close(fault);
    this.#httpSocket?.close(fault);
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#endpoint = undefined;
    this.#machine = undefined;
    this.#runner = undefined;
    this.#socket = undefined;
    this.#httpSocket = undefined;
    this.#isAwaited = false;
    this.#world.say(this.name, { ev: "process", state });
  }

  pause(fault: number): void {
    if (!this.#isRunning || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket?.hold(fault);
    this.#world.say(this.name, { ev: "process", state: "paused" });
  }

  resume(): void {
    if (!this.#isRunning || !this.#isPaused) return;
    this.#isPaused = false;
    this.#world.say(this.name, { ev: "process", state: "resumed" });
    this.#socket?.release();
    const due = this.#backlog;
    this.#backlog = [];
    for (const action of due) action();
    for (const catchUp of this.#devices) catchUp();
  }

  /** Audio devices of the live process: each gives what it has kept while the process stood still. */
  #devices: (() => void)[] = [];

  #playoutTick = 0;

  #receive(from: Address, packet: Packet): void {
    this.#endpoint?.receive(from, packet);
  }

  /** Timers of a paused process fire when it resumes; those of a dead one never. */
  #after(length: Micros, action: () => void): Timer {
    return this.#world.kernel.after(length, this.#living(action));
  }

  /** `action`, if this life of the process is still going on by then. */
  #living(action: () => void): () => void {
    const incarnation = this.#incarnation;
    return () => {
      if (this.#isRunning && this.#incarnation === incarnation) this.#soon(action);
    };
  }

  #soon(action: () => void): void {
    if (this.#isPaused) this.#backlog.push(action);
    else if (this.#isRunning) action();
  }

  /** Tells of the network as it stands, and again once a change has been noticed and has settled. */
  #watchNetwork(): void {
    const { network } = this.#world;
    let known = "";
    let noticing: Timer | undefined;
    let isStirring = false;
    const tell = (): void => {
      noticing = undefined;
      const found = network.hostNetwork(this.name, this.#plan.port);
      const text = JSON.stringify(found);
      if (text === known) return;
      known = text;
      this.#world.say(this.name, sayNetwork(found));
      this.#runner?.input({ type: "network", network: found });
    };
    tell();
    this.#unwatch = network.onAddressChange(this.name, () => {
      noticing?.cancel();
      noticing = this.#after(NOTICE, tell);
      if (isStirring) return;
      isStirring = true;
      this.#after(STIR, () => {
        isStirring = false;
        this.#runner?.input({ type: "network-stirs" });
      });
    });
  }

  #startAudio(incarnation: number, audio: NonNullable<Plan<Input>["audio"]>): void {
    const { kernel, randomness } = this.#world;
    const frame = FRAME_MICROS * (1 - this.#plan.driftPpm / 1e6);
    const begin = kernel.now;
    const device = (kind: "capture" | "playout"): void => {
      const phase = begin + randomness.stream(`audio/${this.name}/${incarnation}/${kind}`).nextBelow(FRAME_MICROS);
      let tick = 0;
      let missed = 0;
      const pass = (number: number): void => {
        if (kind === "capture") return this.#runner?.input(audio.capture());
        this.#playoutTick = Math.floor((number * frame) / FRAME_MICROS + 0.5);
        this.#runner?.input(audio.playout());
      };
      const beat = (): void => {
        if (!this.#isRunning || this.#incarnation !== incarnation) return;
        kernel.post((phase + Math.round((tick + 1) * frame)) as Instant, beat);
        if (this.#isPaused) missed++;
        else pass(tick);
        tick++;
      };
      // As the client does: what the device holds is caught up with at once, and after a longer pause all of it is gone.
      this.#devices.push(() => {
        const first = tick - missed;
        const kept = missed * frame > DEVICE_MICROS ? 0 : missed;
        missed = 0;
        for (let number = first; number < first + kept; number++) pass(number);
      });
      kernel.post(phase as Instant, beat);
    };
    this.#devices = [];
    device("capture");
    device("playout");
  }
}

const counted = (listener: EndpointListener, count: { stunReceived: number }): EndpointListener => ({
  ...listener,
  packet: (from, bytes) => {
    count.stunReceived++;
    listener.packet(from, bytes);
  },
});
