/**
 * One call at one party: what happens to it. How it comes up is in call-setup.ts; here is what it does in every stage, and how it goes on
 * when the relay it was set up by is gone: `resuming` until a relay has confirmed the `CallResume`, media state untouched.
 */
import { Instant, Micros, seconds } from "../base/units.ts";
import { orNone, type View } from "../base/view.ts";
import type { SignalMessage } from "../wire/signal.ts";
import {
  answered,
  offeredAgain,
  offerRefused,
  prepareAnswer,
  prepareOffer,
  RESUME_AGAIN,
  sayAgain,
  setUp,
} from "./call-setup.ts";
import {
  type Call,
  type Context,
  candidatesOf,
  type Effect,
  end,
  hangUp,
  type OfferMessage,
  opening,
  refused,
  say,
} from "./call-state.ts";
import * as generation from "./candidate-generation.ts";

export { incoming, outgoing } from "./call-setup.ts";
export type { Call, Context, Effect } from "./call-state.ts";

/** How long a call waits for its relay. chosen: one that is away for longer is gone. */
const LIMITS: { readonly resuming: Micros } = {
  resuming: seconds(120),
};
/** chosen: as patient as the client's hang-ups. */
const LONGEST_RESUME_WAIT: Micros = seconds(8);

export type Input =
  | { readonly type: "signal"; readonly message: SignalMessage }
  /** An offer with the id of this call. */
  | { readonly type: "offered"; readonly message: OfferMessage }
  /** The registration is in doubt or gone. */
  | { readonly type: "interrupted" }
  /** The doubt was unfounded. */
  | { readonly type: "restored" }
  /** Registered on a fresh session. */
  | { readonly type: "registered" }
  /** Our candidates are gathered. `isNew`: the peer of a call that is up has to be told. */
  | { readonly type: "candidates"; readonly candidates: generation.Candidates; readonly isNew: boolean }
  /** The relay refused our message of type `re`. */
  | { readonly type: "refused"; readonly re: string; readonly reason: string }
  | { readonly type: "hang-up"; readonly reason: string }
  | { readonly type: "wake" };

export const deadline = (c: Call): Instant | undefined => Instant.earliest(c.overdueAt, c.answerAt, c.patientUntil, c.sayAgainAt);

/** Where the call stands: its keys and shares are shown as there or not. */
export const view = (c: Call): View => ({
  id: c.id,
  role: c.role,
  peer: c.peer,
  stage: c.stage,
  overdueAt: orNone(c.overdueAt),
  patientUntil: orNone(c.patientUntil),
  answerAt: orNone(c.answerAt),
  sayAgainAt: orNone(c.sayAgainAt),
  said: orNone(c.said?.type),
  answer: orNone(c.answer),
  hasKeys: c.keys !== undefined,
  channel: orNone(c.channel),
  media: c.media?.view() ?? null,
});

/** What re-opens this call at a relay that may know nothing of it, to be sent on a fresh session; undefined when there is nothing to resume. */
export function resume(context: Context, call: Call, now: Instant): SignalMessage | undefined {
  if (call.stage !== "active" && call.stage !== "resuming") return undefined;
  interrupt(context, call, now);
  call.sayAgainAt = undefined;
  call.resumeWait = RESUME_AGAIN;
  call.resumptions++;
  return opening(call);
}

export function step(context: Context, call: Call, now: Instant, input: Input): readonly Effect[] {
  if (call.stage === "ended") return [];
  switch (input.type) {
    case "signal":
      return signal(context, call, now, input.message);
    case "offered":
      return offeredAgain(context, call, now, input.message);
    case "wake":
      return wake(context, call, now);
    case "interrupted":
      if (call.stage === "active") interrupt(context, call, now);
      return [];
    case "restored":
      return restored(context, call, now);
    case "registered":
      return registered(context, call, now);
    case "candidates":
      return gathered(context, call, now, input.candidates, input.isNew);
    case "refused":
      if (input.re === "DirectCallOffer") return offerRefused(context, call, now, input.reason);
      return input.reason === "unknown-peer" ? [] : end(context, call, input.reason, {});
    case "hang-up":
      return hangUp(context, call, input.reason);
  }
}

function interrupt(context: Context, call: Call, now: Instant): void {
  if (call.stage === "resuming") return;
  call.stage = "resuming";
  call.overdueAt = Instant.after(now, LIMITS.resuming);
  say(context, call, "resuming");
}

/** The doubt about our relay was unfounded; what was due meanwhile was not said. */
function restored(context: Context, call: Call, now: Instant): readonly Effect[] {
  if (call.stage === "waiting") return wake(context, call, now);
  const isSettingUp = call.stage === "offering" || call.stage === "ringing" || call.stage === "answered";
  return isSettingUp && call.sayAgainAt === undefined ? sayAgain(call, now) : goOn(context, call);
}

/** The relay carries the call (again). */
function goOn(context: Context, call: Call): readonly Effect[] {
  if (call.stage !== "resuming") return [];
  call.stage = "active";
  call.overdueAt = undefined;
  call.sayAgainAt = undefined;
  say(context, call, "resumed");
  return [];
}

/** Says anew what the relay we are with now may never have heard. A `CallResume` went before and has its answer under way, if it was heard. */
function registered(context: Context, call: Call, now: Instant): readonly Effect[] {
  switch (call.stage) {
    case "waiting":
      return wake(context, call, now);
    case "offering":
    case "ringing":
    case "answered":
      call.hasReconnected = true;
      return sayAgain(call, now);
    case "resuming":
      call.sayAgainAt = Instant.after(now, call.resumeWait);
      return [];
    default:
      return [];
  }
}

function wake(context: Context, call: Call, now: Instant): readonly Effect[] {
  if (call.stage === "resuming" && context.isDirect) call.overdueAt = Instant.after(now, LIMITS.resuming);
  if (call.overdueAt !== undefined && now >= call.overdueAt) return hangUp(context, call, overdue(call));
  if (call.stage === "waiting") return prepareOffer(context, call, now);
  const effects = call.stage === "ringing" ? prepareAnswer(context, call, now) : [];
  return effects.length > 0 ? effects : repeat(context, call, now);
}

const overdue = (call: Call): string => {
  const reasons = { waiting: "not-registered", ringing: "missed", answered: "setup-timeout", resuming: "relay-lost" } as const;
  if (call.stage === "offering") return call.unknownSince === undefined ? "no-answer" : "unknown-peer";
  return call.stage in reasons ? reasons[call.stage as keyof typeof reasons] : "overdue";
};

function repeat(context: Context, call: Call, now: Instant): readonly Effect[] {
  if (call.sayAgainAt === undefined || now < call.sayAgainAt) return [];
  if (!context.isRegistered) {
    call.sayAgainAt = undefined; // `registered` says it, or `restored`
    return [];
  }
  if (call.stage !== "resuming") return sayAgain(call, now);
  const message = opening(call);
  call.resumeWait = Micros(Math.min(call.resumeWait * 2, LONGEST_RESUME_WAIT));
  call.sayAgainAt = Instant.after(now, call.resumeWait);
  return message === undefined ? [] : [{ type: "send", message }];
}

function signal(context: Context, call: Call, now: Instant, message: SignalMessage): readonly Effect[] {
  switch (message.type) {
    case "Ringing":
      if (call.stage !== "offering") return refused(context, call.role === "caller" ? "duplicate" : "unexpected", message);
      call.unknownSince = undefined;
      return [];
    case "DirectCallAnswer":
      return answered(context, call, now, message);
    case "CallSetup":
      return setUp(context, call, message);
    case "CallResumed":
      if (call.media === undefined) return refused(context, "unexpected", message);
      call.channel = message.channel;
      // What was sent while the peer was away is lost, full headers included: those that follow must be readable by themselves.
      if (message.peer_present) call.media.resync();
      return goOn(context, call);
    case "Hangup":
      return end(context, call, message.reason ?? "peer-hung-up", {});
    case "CandidateUpdate": {
      if (call.media === undefined) return refused(context, "unexpected", message);
      const last = call.generations.peer;
      const about = { ev: "generation", call: call.id, generation: message.generation } as const;
      context.say({ ...about, action: "delivered", last });
      const candidates = candidatesOf(message.reflexive_addr, message.local_addrs, message.mapped_addr);
      const { state, applied } = generation.apply(call.generations, message.generation, candidates);
      call.generations = state;
      context.say({ ...about, action: applied ? "applied" : "refused", last });
      return applied ? [{ type: "peer-candidates" }] : refused(context, "stale-generation", message);
    }
    case "MediaPathReport":
      return [{ type: "peer-path", path: message.path }];
    default:
      return refused(context, "unexpected", message);
  }
}

/** Our addresses became known (offer or answer can go) or changed (the peer learns of it, unless we keep them to ourselves). */
function gathered(
  context: Context,
  call: Call,
  now: Instant,
  { reflexive, local, mapped }: generation.Candidates,
  isNew: boolean,
): readonly Effect[] {
  if (call.stage === "waiting" || call.stage === "ringing") return wake(context, call, now);
  const isPrivate = call.role === "callee" && call.answer !== "AcceptTrusted";
  if (!isNew || isPrivate || call.media === undefined) return [];
  const last = call.generations.own;
  call.generations = generation.announce(call.generations);
  context.say({ ev: "generation", call: call.id, action: "sent", generation: call.generations.own, last });
  const message: SignalMessage = {
    type: "CandidateUpdate",
    call_id: call.id,
    ...(reflexive === undefined ? {} : { reflexive_addr: reflexive }),
    ...(local.length === 0 ? {} : { local_addrs: local }),
    ...(mapped === undefined ? {} : { mapped_addr: mapped }),
    generation: call.generations.own,
  };
  return [{ type: "send", message }, { type: "announced" }];
}
