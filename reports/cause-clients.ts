/**
 * What a client owes its user and its call, whoever it talks to: to look for a relay that is lost, to take its call up there, to say again what nobody has answered, to do
 * what a message tells it, and not to end a call that nobody and no time has ended.
 */
import { type Books, type Call, type Clue, isAccepted, type Message, type Registration, type Session } from "./cause-books.ts";

/** From a cause to what a client does upon it. chosen: more than a busy process takes. */
const AT_ONCE = 250_000;
/** What is said again is said within so long (impl/core/call-setup.ts says a second), and half as much. */
const AGAIN = 1_500_000;
/** A `CallResume` is said again after a quarter of a second at first, and then twice as long. */
const RESUME_AGAIN = 600_000;
/** From a planned call to its offer, and from an answer's time to it: what a client waits for its own address. */
const PREPARED = 900_000;

export const clientClues = (books: Books): readonly Clue[] =>
  books.evidence.clients.flatMap((who) => {
    const clue = clueOf(who);
    return [
      ...registers(books, who, clue),
      ...looksForRelay(books, who, clue),
      ...takesUp(books, who, clue),
      ...saysAgain(books, who, clue),
      ...saysHangUpAgain(books, who, clue),
      ...heeds(books, who, clue),
      ...plans(books, who, clue),
      ...tellsMoves(books, who, clue),
      ...asksAtRest(books, who, clue),
    ];
  });

type ClueAt = (at: number, says: string) => Clue;
const clueOf =
  (party: string): ClueAt =>
  (at, says) => ({ at, component: "client", party, says, weight: "firm" });

const seconds = (micros: number): string => `${(micros / 1e6).toFixed(3)} s`;

/** Its sessions with relays: those on which it registers, and those that are to be. */
const isRelays = (books: Books, one: Session): boolean =>
  one.id > 0 && !books.of(one.who).some((record) => record.ev === "candidate-pair" && record.session === one.id);

const isUp = (one: Session | undefined, from: number, to: number): boolean =>
  one !== undefined && one.connected <= from && one.closed > to && !one.silences.some(([a, b]) => a <= to && b >= from);

const lastBefore = <T extends { readonly t: number }>(all: readonly T[], at: number): T | undefined =>
  all.findLast(({ t }) => t <= at);

/** A session with a relay that is up is registered on, and one that is acknowledged counts. */
function registers(books: Books, who: string, clue: ClueAt): readonly Clue[] {
  const clues: Clue[] = [];
  const said = books.messages(who);
  for (const one of books.sessions(who)) {
    const at = one.connected;
    if (!Number.isFinite(at) || !isRelays(books, one) || one.closed <= at + AT_ONCE || books.wasAway(who, at, at + AT_ONCE))
      continue;
    const isOwn = ({ session, t }: Message): boolean => session === one.id && t >= at && t <= one.closed;
    if (!said.some((m) => m.dir === "sent" && m.type === "Register" && isOwn(m)))
      clues.push(clue(at, "had a session with its relay and did not register on it"));
    const ack = said.find((m) => m.dir === "received" && m.type === "RegisterAck" && m.ok === true && isOwn(m));
    if (ack === undefined || books.wasAway(who, ack.t, ack.t + AT_ONCE) || one.closed <= ack.t + AT_ONCE) continue;
    const isTaken = books
      .of(who)
      .some((r) => r.t === ack.t && ((r.ev === "registration" && r.state === "registered") || r.ev === "refused"));
    if (!isTaken) clues.push(clue(ack.t, "was told that it is registered and did not take it up"));
  }
  return clues;
}

/** A relay that is lost is looked for: a record says so at once, and a session is dialled when it says. */
function looksForRelay(books: Books, who: string, clue: ClueAt): readonly Clue[] {
  const clues: Clue[] = [];
  const changes = books.registrations(who);
  const isDialled = (from: number, to: number): boolean =>
    books.sessions(who).some((one) => one.id > 0 && one.opened >= from - 1 && one.opened <= to);
  for (const [i, change] of changes.entries()) {
    if (change.state !== "connecting" && change.state !== "reconnecting" && change.state !== "switching") continue;
    const due = change.t + (change.delayMs ?? 0) * 1_000;
    const next = changes[i + 1]?.t ?? Number.POSITIVE_INFINITY;
    if (next <= due + AT_ONCE || books.wasAway(who, change.t, due + AT_ONCE)) continue;
    if (!isDialled(change.t, due + AT_ONCE)) clues.push(clue(due, `was to dial its relay at ${seconds(due)} and did not`));
  }
  for (const one of books.sessions(who)) {
    if (!isRelays(books, one)) continue;
    const ends = [
      ...one.silences.map(([from]) => from),
      ...(one.reason === undefined || one.reason === "local" || one.reason === "killed" ? [] : [one.closed]),
    ];
    for (const at of ends) {
      const before = lastBefore(changes, at - 1);
      if (before?.state !== "registered" || books.wasAway(who, at, at + AT_ONCE) || !isRegisteredBy(books, who, one, before))
        continue;
      if (one.silences.some(([from, to]) => from === at && to <= at + AT_ONCE)) continue;
      if (!changes.some(({ t }) => t >= at && t <= at + AT_ONCE))
        clues.push(clue(at, `noticed at ${seconds(at)} that its relay was gone, and did nothing about it`));
    }
  }
  return clues;
}

/** Whether a registration was acknowledged on this very session. */
const isRegisteredBy = (books: Books, who: string, one: Session, registered: Registration): boolean =>
  books
    .messages(who)
    .some((m) => m.type === "RegisterAck" && m.dir === "received" && m.session === one.id && m.t === registered.t);

/** Where each call stood at an instant, of those that were up once. */
function standing(books: Books, who: string, at: number): readonly Call[] {
  const last = new Map<string, Call>();
  for (const one of books.of(who)) {
    if (one.t > at) break;
    if (one.ev === "process" && one.state === "killed") last.clear();
    if (one.ev === "call") last.set(one.call, one);
  }
  return [...last.values()].filter(({ state }) => state === "active" || state === "resumed" || state === "resuming");
}

/** A call that is up is taken up on each session that a client registers on, and goes on when the relay says so. */
function takesUp(books: Books, who: string, clue: ClueAt): readonly Clue[] {
  const clues: Clue[] = [];
  const said = books.messages(who);
  const calls = books.calls(who);
  for (const register of said) {
    if (register.dir !== "sent" || register.type !== "Register" || books.wasAway(who, register.t, register.t + AT_ONCE)) continue;
    for (const { call } of standing(books, who, register.t - 1)) {
      const isAsked = said.some(
        (m) =>
          m.type === "CallResume" &&
          m.dir === "sent" &&
          m.session === register.session &&
          m.call === call &&
          m.t >= register.t &&
          m.t <= register.t + AT_ONCE,
      );
      if (!isAsked) clues.push(clue(register.t, "registered anew and did not ask for its call"));
    }
  }
  for (const told of said) {
    if (told.dir !== "received" || told.type !== "CallResumed" || books.wasAway(who, told.t, told.t + AT_ONCE)) continue;
    const now = calls.findLast(({ call, t }) => call === told.call && t < told.t);
    if (now?.state !== "resuming" || !isUp(books.session(who, told.session, told.t), told.t, told.t + AT_ONCE)) continue;
    // Only the session that it is registered by, or is to be, counts.
    const newest = said.findLast((m) => m.type === "Register" && m.t <= told.t);
    const acknowledged = said.findLast((m) => m.type === "RegisterAck" && m.t <= told.t);
    if (lastBefore(books.registrations(who), told.t)?.state !== "registered") continue;
    if (newest?.session !== told.session || acknowledged?.session !== told.session) continue;
    if (!calls.some(({ call, t }) => call === told.call && t >= told.t && t <= told.t + AT_ONCE))
      clues.push(clue(told.t, "was told that its call was resumed and did not take it up"));
  }
  return clues;
}

/** Which words are said again until one of these is heard. */
const UNTIL: ReadonlyMap<string, { readonly heard: readonly string[]; readonly within: number }> = new Map([
  ["CallResume", { heard: ["CallResumed", "Hangup", "Refusal"], within: RESUME_AGAIN }],
  ["DirectCallOffer", { heard: ["Ringing", "DirectCallAnswer", "Hangup", "Refusal", "DirectCallOffer"], within: AGAIN }],
  ["Ringing", { heard: [], within: AGAIN }],
  ["DirectCallAnswer", { heard: ["CallSetup", "Hangup", "Refusal"], within: AGAIN }],
  ["Hangup", { heard: ["HangupAck", "Hangup", "Refusal"], within: AGAIN }],
]);

function saysAgain(books: Books, who: string, clue: ClueAt): readonly Clue[] {
  const clues: Clue[] = [];
  const said = books.messages(who);
  for (const one of said) {
    const rule = UNTIL.get(one.type);
    if (rule === undefined || one.dir !== "sent" || one.call === undefined) continue;
    const until = one.t + rule.within;
    if (books.wasAway(who, one.t, until)) continue;
    const change = lastBefore(books.registrations(who), one.t + 1);
    const isSteady =
      isUp(books.session(who, one.session, one.t), one.t, until) &&
      !books.registrations(who).some(({ t, state }) => t > one.t && t <= until && state !== "registered") &&
      (change?.state === "registered" || one.type === "CallResume");
    if (!isSteady) continue;
    // Registered in time to say it again.
    if (change?.state !== "registered") {
      const at = books.registrations(who).find(({ t, state }) => t > one.t && state === "registered")?.t;
      if (at === undefined || at > one.t + AT_ONCE) continue;
    }
    const isOver = books
      .calls(who)
      .some(
        ({ call, t, state }) =>
          call === one.call && t >= one.t && t <= until && (one.type === "Hangup" ? false : state !== "resuming"),
      );
    const isDone = said.some(
      (m) =>
        m.call === one.call &&
        m.t > one.t - 1 &&
        m !== one &&
        m.t <= until &&
        ((m.dir === "sent" && (m.type === one.type || m.type === "DirectCallAnswer")) ||
          (m.dir === "received" && rule.heard.includes(m.type))),
    );
    if (isOver || isDone || isMoot(books, who, one)) continue;
    clues.push(clue(until, `said a ${one.type}, had no answer, and did not say it again`));
  }
  return clues;
}

/** A hang-up that nobody has acknowledged is said again at whichever relay the client is with next. */
function saysHangUpAgain(books: Books, who: string, clue: ClueAt): readonly Clue[] {
  const said = books.messages(who);
  return books.calls(who).flatMap(({ call, state, reason, t }) => {
    if (state !== "ended" || (reason !== "hung-up" && !OWED.has(reason ?? ""))) return [];
    const about = said.filter((m) => m.call === call && m.t >= t);
    const heard = about.find(({ dir, type }) => dir === "received" && UNTIL.get("Hangup")?.heard.includes(type) === true)?.t;
    const back = books.registrations(who).find((one) => one.state === "registered" && one.t > t + AT_ONCE)?.t;
    if (back === undefined || back > (heard ?? Number.POSITIVE_INFINITY) || back > t + 50_000_000) return [];
    if (books.wasAway(who, t, back + AT_ONCE) || !about.some(({ dir, type }) => dir === "sent" && type === "Hangup")) return [];
    const session = said.findLast((m) => m.type === "RegisterAck" && m.t <= back)?.session;
    if (session === undefined || !isUp(books.session(who, session, back), back, back + AT_ONCE)) return [];
    const isSaid = about.some((m) => m.dir === "sent" && m.type === "Hangup" && m.t >= back && m.t <= back + AT_ONCE);
    return isSaid ? [] : [clue(back, "hung up, was not acknowledged, and did not say it again when it was back at a relay")];
  });
}

/** A word that only answers a question owes no other, and one about a call that is over says itself again for a minute at most. */
function isMoot(books: Books, who: string, one: Message): boolean {
  const ended = books.calls(who).find(({ call, state }) => call === one.call && state === "ended");
  if (one.type !== "Hangup" && ended !== undefined && ended.t <= one.t) return true;
  if (one.type === "Ringing")
    return ended !== undefined || books.calls(who).some(({ call, state }) => call === one.call && state === "active");
  if (one.type === "DirectCallAnswer") return ended !== undefined && ended.t <= one.t;
  if (one.type !== "Hangup") return false;
  // The last word of a call that somebody else has ended is said to whoever asks, once.
  return (
    ended === undefined ||
    (ended.reason !== "hung-up" && !OWED.has(ended.reason ?? "")) ||
    one.t - ended.t > 50_000_000 ||
    ended.t > one.t
  );
}

/** Ends that a client tells its peer. */
const OWED: ReadonlySet<string> = new Set(["setup-timeout", "relay-lost", "missed", "no-answer", "no-keys"]);

/** A message that changes where a call stands does so when it comes. */
function heeds(books: Books, who: string, clue: ClueAt): readonly Clue[] {
  const clues: Clue[] = [];
  const calls = books.calls(who);
  for (const told of books.messages(who)) {
    if (told.dir !== "received" || told.call === undefined || books.wasAway(who, told.t, told.t + AT_ONCE)) continue;
    const own = calls.filter(({ call }) => call === told.call);
    const now = own.findLast(({ t }) => t < told.t) ?? own.find(({ t }) => t === told.t);
    if (now === undefined || now.state === "ended") continue;
    const isRefused = books.of(who).some((one) => one.ev === "refused" && one.t === told.t);
    const changed = own.some(({ t }) => t >= told.t && t <= told.t + AT_ONCE);
    if (changed || isRefused) continue;
    if (told.type === "Hangup") clues.push(clue(told.t, "was told that its call was over and went on with it"));
    if (told.type === "DirectCallAnswer" && now.state === "offering")
      clues.push(clue(told.t, "was given an answer to its call and did not take it up"));
    if (told.type === "CallSetup" && now.state === "answered")
      clues.push(clue(told.t, "was told that its call was set up and did not take it up"));
    if (told.type === "CandidateUpdate" && !books.of(who).some((one) => one.ev === "generation" && one.t === told.t))
      clues.push(clue(told.t, "was told new addresses of its peer and took no note of them"));
  }
  return clues;
}

/** What its user has it do, and what nobody has. Ends that a clock makes come at their time and not before (impl/core/call-setup.ts, call.ts). */
const CLOCKS: ReadonlyMap<string, readonly [since: readonly Call["state"][], least: number]> = new Map([
  ["setup-timeout", [["answered"], 59_000_000]],
  ["missed", [["ringing"], 59_000_000]],
  ["no-answer", [["offering"], 55_000_000]],
  ["unknown-peer", [["offering"], 7_000_000]],
  ["relay-lost", [["resuming"], 119_000_000]],
]);

function plans(books: Books, who: string, clue: ClueAt): readonly Clue[] {
  const { scenario, calls, records } = books.evidence;
  const clues: Clue[] = [];
  for (const [plan, planned] of scenario.calls.entries()) {
    const call = calls.find((one) => one.plan === plan);
    if (planned.caller === who && call === undefined) {
      const since = lastBefore(books.registrations(who), planned.at);
      if (
        since?.state === "registered" &&
        !books.wasAway(who, planned.at, planned.at + PREPARED) &&
        standing(books, who, planned.at).length === 0
      )
        clues.push(clue(planned.at, `was to call ${planned.callee} and never did`));
    }
    if (planned.callee !== who || call === undefined || planned.answer === "none") continue;
    const ringing = call.parties.get(who)?.find(({ state }) => state === "ringing");
    const due = (ringing?.t ?? Number.POSITIVE_INFINITY) + planned.answerAfter + PREPARED;
    const next = call.parties.get(who)?.find(({ t, state }) => t >= (ringing?.t ?? 0) && state !== "ringing");
    if (
      ringing !== undefined &&
      due < books.stopOf(who) &&
      (next?.t ?? Number.POSITIVE_INFINITY) > due &&
      !books.wasAway(who, ringing.t, due)
    )
      clues.push(clue(due, "let it ring and did not answer"));
  }
  for (const ended of books.calls(who)) {
    if (ended.state !== "ended" || ended.reason === undefined) continue;
    const clock = CLOCKS.get(ended.reason);
    const told = books
      .messages(who)
      .some(
        (m) =>
          m.dir === "received" &&
          m.call === ended.call &&
          m.t <= ended.t &&
          m.t > ended.t - 1 &&
          (m.type === "Hangup" ||
            m.type === "Refusal" ||
            (m.type === "DirectCallAnswer" && !isAccepted(books.evidence, ended.call))),
      );
    const isRefused = books.messages(who).some((m) => m.dir === "received" && m.type === "Refusal" && m.t === ended.t);
    if (told || isRefused) continue;
    const since = books
      .calls(who)
      .findLast(({ call, state, t }) => call === ended.call && t < ended.t && clock?.[0].includes(state) === true);
    if (clock !== undefined && ended.t - (since?.t ?? Number.NEGATIVE_INFINITY) < clock[1])
      clues.push(clue(ended.t, `ended its call (${ended.reason}) before the time for that was over`));
    const isOrdered =
      scenario.calls.some((one) => one.caller === who || one.callee === who) &&
      (ended.reason === "stopped" ||
        ended.reason === "deregistered" ||
        ended.reason === "hung-up" ||
        clock !== undefined ||
        ended.reason === "rejected");
    const byPeer = records.some(
      (one) => one.ev === "call" && one.who !== who && one.call === ended.call && one.state === "ended" && one.t <= ended.t,
    );
    if (!isOrdered && !byPeer && ended.reason !== "glare" && !ended.reason.includes("another client"))
      clues.push(clue(ended.t, `ended its call (${ended.reason}), which nobody had asked for`));
  }
  return clues;
}

/** Whoever has told its peer where it is tells it when that changes. */
function tellsMoves(books: Books, who: string, clue: ClueAt): readonly Clue[] {
  const clues: Clue[] = [];
  const said = books.messages(who);
  const hasTold = (at: number): boolean =>
    said.some(
      (m) =>
        m.dir === "sent" &&
        m.t < at &&
        m.addresses !== undefined &&
        (m.type === "DirectCallOffer" || m.type === "DirectCallAnswer"),
    );
  let before = "";
  const moves = books.of(who).flatMap((one) => {
    if (one.ev === "interfaces") {
      const addresses = one.interfaces.flatMap((face) => face.addresses).join();
      const isMove = before !== "" && addresses !== "" && addresses !== before;
      if (addresses !== "") before = addresses;
      return isMove ? [one.t] : [];
    }
    if (one.ev !== "signal" || one.dir !== "received" || one.type !== "ReflectResponse") return [];
    const isAsked = said.some((m) => m.type === "Reflect" && m.dir === "sent" && m.t < one.t && one.t - m.t < 3_000_000);
    const isKnown = books.of(who).some((r) => r.ev === "interfaces" && r.t <= one.t && one.t - r.t < 3_000_000);
    return isAsked || isKnown ? [] : [one.t];
  });
  for (const at of moves) {
    const until = at + 3_000_000;
    if (!hasTold(at) || standing(books, who, at).length === 0 || standing(books, who, until).length === 0) continue;
    if (books.wasAway(who, at, until) || books.of(who).some((one) => one.ev === "interfaces" && one.t > at && one.t <= until))
      continue;
    const isTold = books
      .of(who)
      .some((one) => one.ev === "generation" && one.action === "sent" && one.t >= at - 3_000_000 && one.t <= until);
    if (!isTold) clues.push(clue(at, "learnt that its address had changed and did not tell its peer"));
  }
  return clues;
}

/** A client at rest whose relay has another address asks after it every five seconds, and believes its way lost after six questions (impl/core/relay-watch.ts): less than this from the last it heard, with a second for the counts. */
const AT_REST = 8_000_000;

/** Who is registered and has heard nothing of anybody for so long has not asked, or it would know that its way is gone. */
function asksAtRest(books: Books, who: string, clue: ClueAt): readonly Clue[] {
  const hasBoth = (name: string): boolean =>
    Object.values(books.evidence.scenario.parties[name]?.interfaces ?? {}).some(({ families }) => families?.length === 2);
  if (!hasBoth(who) || !books.relays.every(hasBoth)) return [];
  const counts = books.of(who).flatMap((one) => (one.ev === "network" ? [one] : []));
  for (const [i, one] of counts.entries()) {
    const same = counts.slice(i).findIndex(({ receivedPackets }) => receivedPackets !== one.receivedPackets);
    const last = counts[same === -1 ? counts.length - 1 : i + same - 1];
    if (last === undefined || last.t - one.t < AT_REST) continue;
    const [from, to] = [one.t, one.t + AT_REST];
    const isRegistered = lastBefore(books.registrations(who), from)?.state === "registered";
    if (!isRegistered || books.registrations(who).some(({ t }) => t > from && t <= to) || books.wasAway(who, from, to)) continue;
    return [clue(to, `was registered, heard nothing of its relay from ${seconds(from)} on, and did not ask after it`)];
  }
  return [];
}
