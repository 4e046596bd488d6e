/** Causes of broken rules: the log names who broke them. */
import type { CauseRule, Trial } from "./cause.ts";
import type { Component, Culprit } from "./result.ts";

/** `the relay r1`, `alice's client`, `alice's media protection`. */
export const nameOf = (component: Component, party: string): string =>
  ({
    relay: `the relay ${party}`,
    client: `${party}'s client`,
    protection: `${party}'s media protection`,
    playout: `${party}'s playout`,
    wire: `${party}'s message parser`,
  })[component];

/** A culprit whose sentence begins with its name: `says` goes on from there. */
export function culprit(component: Component, party: string, says: string): Culprit {
  const sentence = `${nameOf(component, party)} ${says}.`;
  return { component, party, sentence: `${sentence[0]?.toUpperCase()}${sentence.slice(1)}` };
}

export const detailOf = ({ oracles }: Trial, name: string): string =>
  oracles.find((one) => one.name === name && one.verdict === "broken")?.detail ?? "";

/** The party that a detail begins with, if it is one. */
export const firstParty = ({ evidence }: Trial, detail: string): string | undefined =>
  Object.keys(evidence.scenario.parties).find((party) => detail.startsWith(`${party} `));

/** Relays run the relay; every other party is a client. */
export const sideOf = ({ relays }: Trial, party: string): "relay" | "client" => (relays.includes(party) ? "relay" : "client");

/** Packet numbers used or opened twice, or packets that are none of the call's. */
export const keyCause: CauseRule = (trial) => {
  if (trial.isBroken("no-nonce-reuse", "no-double-decrypt")) {
    const name = trial.isBroken("no-nonce-reuse") ? "no-nonce-reuse" : "no-double-decrypt";
    const detail = detailOf(trial, name);
    const party = firstParty(trial, detail) ?? "a client";
    const again = takenUpAgain(trial);
    if (again !== undefined)
      return culprit(
        "client",
        again,
        `set its call up more than once, each time with its packet numbers from the first: ${detail}`,
      );
    return culprit(
      "protection",
      party,
      name === "no-nonce-reuse" ? `used a packet number twice under one key: ${detail}` : `opened a packet twice: ${detail}`,
    );
  }
  if (!trial.isBroken("packets-in-their-call")) return undefined;
  const detail = detailOf(trial, "packets-in-their-call");
  const [receiver = "a client"] = [firstParty(trial, detail)];
  const stray = trial.evidence.media.strays[0];
  if (stray?.why.includes("played")) return culprit("playout", receiver, `played what never came: ${detail}`);
  const unwritten = unwrittenBy(trial, receiver);
  if (unwritten !== undefined)
    return culprit("client", unwritten, `never wrote down the last of what it sent, as a call that ends does: ${detail}`);
  // Who sends on after its own end of the call writes no more of it: a sender's leftover, not a matter of keys.
  const over = trial.evidence.records.find(
    (record) => record.ev === "call" && record.state === "ended" && record.who !== receiver && record.t <= (stray?.at ?? 0),
  );
  return over === undefined
    ? culprit("protection", receiver, `opened packets that are not the other party's: ${detail}`)
    : culprit("client", over.who, `went on sending after its call was over: ${detail}`);
};

/** A party whose call came up more than once; taken up again after an outage is another word. */
function takenUpAgain({ evidence: { calls } }: Trial): string | undefined {
  for (const { parties } of calls)
    for (const [who, steps] of parties) if (steps.filter(({ state }) => state === "active").length > 1) return who;
  return undefined;
}

/** Who sent `receiver` packets that follow, without exception, on the last one that it wrote down. */
function unwrittenBy({ evidence: { media, records, calls } }: Trial, receiver: string): string | undefined {
  const keys = new Set(media.streams.map(({ key }) => key));
  const unknown = records.find((one) => one.ev === "media-received" && one.who === receiver && !keys.has(one.key));
  if (unknown?.ev === "media-received") {
    const other = [...(calls.find(({ id }) => id === unknown.call)?.parties.keys() ?? [])].find((who) => who !== receiver);
    const hasWritten = media.streams.some(({ call, from }) => call === unknown.call && from === other);
    if (!hasWritten) return other;
  }
  for (const { key, from, to, sentAt } of media.streams) {
    if (to !== receiver) continue;
    const strays = records.flatMap((one) =>
      one.ev === "media-received" && one.who === receiver && one.key === key
        ? Array.from({ length: one.n }, (_, i) => one.seq + i).filter((seq) => sentAt[seq] === undefined)
        : [],
    );
    if (strays.length > 0 && Math.min(...strays) >= sentAt.length) return from;
  }
  return undefined;
}

/** Candidate generations: applied or sent out of order, or updates that never arrived. */
export const generationCause: CauseRule = (trial) => {
  if (!trial.isBroken("no-stale-generation", "generations-fresh")) return undefined;
  const { records } = trial.evidence;
  const stale = trial.isBroken("no-stale-generation") ? detailOf(trial, "no-stale-generation") : "";
  const party = firstParty(trial, stale);
  if (party !== undefined) return culprit("client", party, `got the order of candidate generations wrong: ${stale}`);
  const detail = detailOf(trial, "generations-fresh");
  const applied = firstParty(trial, detail);
  if (applied !== undefined) return culprit("client", applied, `got the order of candidate generations wrong: ${detail}`);
  const sent = records.find((record) => record.ev === "signal" && record.type === "CandidateUpdate" && record.dir === "sent");
  if (sent !== undefined && sent.ev === "signal") {
    const relay = trial.relays.find((name) =>
      records.some((one) => one.ev === "signal" && one.who === name && one.type === "CandidateUpdate" && one.dir === "received"),
    );
    return relay === undefined ? undefined : culprit("relay", relay, "received a candidate update and did not pass it on");
  }
  // Nobody sent any: a client learns of its new address from the relay first.
  const moved = trial.evidence.conditions.find((one) => one.appliedMs !== null);
  const since = (moved?.appliedMs ?? 0) * 1_000;
  const told = records.find(
    (one) => one.t >= since && one.ev === "signal" && one.dir === "received" && one.type === "ReflectResponse",
  );
  if (told !== undefined) return culprit("client", told.who, "was told its new address and sent no candidate update");
  const relay = trial.relays.find((name) =>
    records.some((one) => one.ev === "session" && one.who === name && one.state === "path-changed"),
  );
  return relay === undefined ? undefined : culprit("relay", relay, "saw a client's address change and did not tell the client");
};

export const supervisorCause: CauseRule = (trial) => {
  const detail = detailOf(trial, "one-supervisor");
  const party = firstParty(trial, detail);
  return party === undefined ? undefined : culprit("client", party, `had two reconnections going at once: ${detail}`);
};

const outOfOrder =
  (oracle: string): CauseRule =>
  (trial) => {
    const detail = detailOf(trial, oracle);
    const party = firstParty(trial, detail);
    return party === undefined ? undefined : culprit(sideOf(trial, party), party, `did something out of its order: ${detail}`);
  };

/** Attempts to reconnect out of their order: the detail names who made them. */
export const attemptsCause: CauseRule = outOfOrder("reconnects-in-order");

/** Ends of calls out of their order: the detail names who ended one in a way that it should not, where nothing led up to it. */
export const endingsCause: CauseRule = outOfOrder("calls-end-once");

/** An address told in a private call: by the one who sent it first. */
export const addressCause: CauseRule = (trial) => {
  const detail = detailOf(trial, "addresses-kept-private");
  const party = firstParty(trial, detail);
  if (party === undefined) return undefined;
  // What a client receives, the relay has sent.
  const side = / received a /.test(detail) ? trial.relays[0] : party;
  return side === undefined ? undefined : culprit(sideOf(trial, side), side, `told an address in a private call: ${detail}`);
};

export const strangerCause: CauseRule = (trial) => {
  const detail = detailOf(trial, "strangers-refused");
  const party = firstParty(trial, detail);
  if (party === undefined) return undefined;
  const said = / sent a (\w+)/.exec(detail)?.[1];
  return said !== undefined && REQUESTS.has(said)
    ? culprit("client", party, `mixed up the order of what it says: ${detail}`)
    : culprit(sideOf(trial, party), party, `served somebody who had not registered: ${detail}`);
};

/** What clients ask of a relay. */
const REQUESTS: ReadonlySet<string> = new Set(["CallResume", "DirectCallOffer", "CandidateUpdate"]);

/** Something was still held at the end. */
export const freedCause: CauseRule = (trial) => {
  const detail = detailOf(trial, "everything-freed");
  const party = firstParty(trial, detail);
  return party === undefined ? undefined : culprit(sideOf(trial, party), party, `never let go of what it held: ${detail}`);
};

/** A client that is not with the relay it was told to be with, or fights for a registration it should give up. */
export const orderCause: CauseRule = (trial) => {
  for (const name of ["as-told", "displaced"]) {
    const detail = detailOf(trial, name);
    const party = firstParty(trial, detail);
    if (party !== undefined) return culprit("client", party, `did not do as it was told: ${detail}`);
  }
  return undefined;
};

/** Clients that all came back, in too large a crowd or too slowly: how they are let in is the relay's. */
export const crowdCause: CauseRule = (trial) => {
  const detail = detailOf(trial, "crowd-returns");
  const [relay] = trial.relays;
  return detail === "" || relay === undefined
    ? undefined
    : culprit("relay", relay, `let its clients back in otherwise than it should: ${detail}`);
};

/** No direct path where one was wanted: finding one is for the clients, the relay only passes on what they say. */
export const directCause: CauseRule = (trial) => {
  const detail = detailOf(trial, "path-is");
  const party = firstParty(trial, detail);
  if (party === undefined) return undefined;
  const { records, clients } = trial.evidence;
  const idle = clients.find((name) => !records.some((one) => one.ev === "candidate-pair" && one.who === name));
  return idle === undefined
    ? culprit("client", party, `tried and found no other path: ${detail}`)
    : culprit("client", idle, `never tried a direct path: ${detail}`);
};
