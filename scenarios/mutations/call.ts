/** Bugs of one call at one party: how it comes up, goes on, and ends. By module. */
import type { Mutation } from "../mutation.ts";

export const CALL_MUTATIONS: readonly Mutation[] = [
  {
    name: "generations-begin-anew",
    file: "impl/core/call.ts",
    find: "call.resumptions++;",
    replace: "call.resumptions++; call.generations = { ...call.generations, own: 0 };",
    imitates:
      "Candidate updates are numbered from one again after each registration, so the peer takes them for ones that it has.",
  },
  {
    name: "short-patience-with-relay",
    file: "impl/core/call.ts",
    find: "resuming: seconds(120),",
    replace: "resuming: seconds(2),",
    imitates: "A call whose relay is away is given up after the time a handshake may take.",
  },
  {
    name: "hang-up-not-heard",
    file: "impl/core/call.ts",
    find: 'return end(context, call, message.reason ?? "peer-hung-up", {});',
    replace: "return [];",
    imitates: "The other side hangs up and this one stays in the call, alone.",
  },
  {
    name: "address-leaks-in-privacy-mode",
    file: "impl/core/call.ts",
    find: 'const isPrivate = call.role === "callee" && call.answer !== "AcceptTrusted";',
    replace: "const isPrivate = false;",
    imitates: "A callee that answered without revealing its address announces it when a NAT rebinds.",
  },
  {
    name: "second-answer-taken-for-a-copy",
    file: "impl/core/call-setup.ts",
    find: 'if (isAnsweredAnew(context, call, message)) return hangUp(context, call, "call-lost");',
    replace: "",
    imitates:
      "A callee that was started anew answers with another key, and the caller, who has an answer already, stays in a call in which nobody can read the other.",
  },
  {
    name: "resumed-call-not-told",
    file: "impl/core/call.ts",
    find: "if (message.peer_present) call.media.resync(); return goOn(context, call);",
    replace: "if (message.peer_present) call.media.resync(); return [];",
    imitates:
      "The relay confirms that the call goes on and the client does not take note, so it gives the call up two minutes later.",
  },
  {
    name: "resume-said-once",
    file: "impl/core/call.ts",
    find: "call.sayAgainAt = Instant.after(now, call.resumeWait); return [];",
    replace: "return [];",
    imitates: "The request to resume a call is said once, and lost with the packet that carries it.",
  },
  {
    name: "update-not-sent",
    file: "impl/core/call.ts",
    find: "if (!isNew || isPrivate || call.media === undefined) return [];",
    replace: "return [];",
    imitates: "A client whose address changes does not tell its peer.",
  },
  {
    name: "generations-reset-on-reconnect",
    file: "impl/core/call.ts",
    find: "call.resumeWait = RESUME_AGAIN;",
    replace: "call.resumeWait = RESUME_AGAIN; call.generations = { ...call.generations, own: 0, peer: 0 };",
    imitates:
      "The counter of candidate updates begins again with every reconnect, so fresh updates look stale and stale ones fresh.",
  },
  {
    name: "applied-generation-forgotten",
    file: "impl/core/call.ts",
    find: "call.generations = state;",
    replace: "",
    imitates: "A candidate update is applied and its generation is not noted, so that one that comes again is applied again.",
  },
  {
    name: "short-ring-timeout",
    file: "impl/core/call-setup.ts",
    find: "ringing: seconds(60),",
    replace: "ringing: seconds(5),",
    imitates:
      "The ring timeout is confused with the set-up timeout: whoever needs more than 5 s to the phone has missed the call.",
  },
  {
    name: "rejection-ignored",
    file: "impl/core/call-setup.ts",
    find: 'if (message.mode === "Reject") return end(context, call, message.reason ?? "rejected", { mode: "Reject" });',
    replace: "",
    imitates: "The caller does not understand a refusal and goes on ringing until its own timeout.",
  },
  {
    name: "set-up-not-repeated",
    file: "impl/core/call-setup.ts",
    find: 'return call.said === undefined ? [] : [{ type: "send", message: call.said }];',
    replace: "return [];",
    imitates: "Offer and answer are said once: when their relay dies with them the caller hears it ring for a minute.",
  },
  {
    name: "early-set-up-lost",
    file: "impl/core/call-setup.ts",
    find: "call.early = message; return [];",
    replace: "return [];",
    imitates: "A set-up that overtakes the answer is thrown away.",
  },
  {
    name: "local-address-in-private-answer",
    file: "impl/core/call-setup.ts",
    find: 'mode === "AcceptTrusted" ? (context.candidates ?? NOWHERE) : NOWHERE;',
    replace: 'context.candidates ?? { local: ["192.168.1.20:5000"] };',
    imitates: "The answer carries the callee's address whatever the mode.",
  },
  {
    name: "absent-callee-ends-call",
    file: "impl/core/call-setup.ts",
    find: 'if (reason !== "unknown-peer") return end(context, call, reason, {});',
    replace: "return end(context, call, reason, {});",
    imitates: "A callee that is just reconnecting is taken for one that does not exist.",
  },
  {
    name: "set-up-timer-not-stopped",
    file: "impl/core/call-setup.ts",
    find: 'call.overdueAt = undefined; call.sayAgainAt = undefined; say(context, call, "active");',
    replace: 'call.sayAgainAt = undefined; say(context, call, "active");',
    imitates: "The timer of the set-up is not stopped when the call is up, and ends it after a minute.",
  },
  {
    name: "both-are-callers",
    file: "impl/core/call-state.ts",
    find: "peer_fingerprint: peer, role,",
    replace: 'peer_fingerprint: peer, role: "caller",',
    imitates: "Whoever resumes a call says that it was the caller.",
  },
  {
    name: "resume-without-proof",
    file: "impl/core/call-state.ts",
    find: "caller_share: caller, callee_share: callee,",
    replace: "",
    imitates: "A resumed call carries no proof, so the relay tells the peer nothing of it.",
  },
  {
    name: "media-not-ended",
    file: "impl/core/call-state.ts",
    find: "call.media?.end();",
    replace: "",
    imitates: "A call that is over keeps its coders and never writes the last of what it played.",
  },
  {
    name: "stale-update-applied",
    file: "impl/core/candidate-generation.ts",
    find: "if (generation <= s.peer)",
    replace: "if (generation < s.peer)",
    imitates: "A candidate update that arrives twice is applied twice: the comparison forgets equality.",
  },
  {
    name: "generation-never-raised",
    file: "impl/core/candidate-generation.ts",
    find: "({ ...s, own: s.own + 1 })",
    replace: "({ ...s, own: Math.max(1, s.own) })",
    imitates:
      "Every announcement of new addresses carries the generation of the first, so the peer takes the later ones for stale.",
  },
  {
    name: "offer-without-certificate-refused",
    file: "impl/core/call-setup.ts",
    find: 'call.peerCertificate = certificateOf(context, call, message.caller_certificate, message.caller_share, "caller");',
    replace:
      'if (message.caller_certificate === undefined) return { ok: false, reason: "malformed" }; call.peerCertificate = certificateOf(context, call, message.caller_certificate, message.caller_share, "caller");',
    imitates: "A client of the newer version does not take calls of the older one.",
  },
  {
    name: "certificate-required",
    file: "impl/core/call-setup.ts",
    find: 'call.peerCertificate = certificateOf(context, call, message.callee_certificate, message.callee_share, "callee");',
    replace: 'if (message.callee_certificate === undefined) return hangUp(context, call, "no-certificate");',
    imitates: "A client of the newer version hangs up on every peer of the older one.",
  },
];
