/** Reads a scenario's calls: who calls whom by which relay, when it is answered and how, what is said. */
import type { Complaints } from "./complaints.ts";
import type { CallModel } from "./expanded.ts";
import { show } from "./problem.ts";
import { formatTime, parseTime } from "./time.ts";
import type { Topology } from "./topology.ts";
import type { WrittenCall, WrittenScenario } from "./written-scenario.ts";

/** What a party can say without a file of its own. */
const SPEECHES = ["speech-a", "speech-b", "turns-a", "turns-b", "tone"];

/** chosen: registrations are done well before 1 s on any link but the longest; half a second is a quick answer. */
const DEFAULTS = { at: 1_000_000, answerAfter: 500_000 };

export function readCalls(
  written: WrittenScenario,
  topology: Topology,
  duration: number,
  complain: Complaints,
): readonly CallModel[] {
  const names = (role: "client" | "relay"): string[] =>
    [...topology.parties].filter(([, party]) => party.role === role).map(([name]) => name);
  const clients = names("client");
  const relays = names("relay");

  const read = (call: WrittenCall, index: number): CallModel => {
    const place = ["calls", index];
    const caller = call.caller ?? clients.find((name) => name !== call.callee) ?? "";
    const model: CallModel = {
      caller,
      callee: call.callee ?? clients.find((name) => name !== caller) ?? "",
      relay: call.relay ?? relays[0] ?? "",
      at: call.at === undefined ? DEFAULTS.at : (parseTime(call.at) ?? 0),
      answer: call.answer ?? "AcceptTrusted",
      answerAfter: call.answerAfter === undefined ? DEFAULTS.answerAfter : (parseTime(call.answerAfter) ?? 0),
      hangUpAt: call.hangUpAt == null ? null : (parseTime(call.hangUpAt) ?? 0),
      callerSays: call.callerSays ?? "speech-a",
      calleeSays: call.calleeSays ?? "speech-b",
    };
    for (const [key, noun, known] of [
      ["caller", "a client", clients],
      ["callee", "a client", clients],
      ["relay", "a relay", relays],
    ] as const) {
      const party = topology.parties.get(model[key]);
      if (party !== undefined && !known.includes(model[key])) {
        complain.say([...place, key], `${show(model[key])} is a ${party.role}: want ${noun} (${known.join(", ")})`);
      } else if (model[key] !== "") complain.wantName([...place, key], noun, model[key], known);
    }
    if (model.caller === model.callee && model.caller !== "") {
      complain.say([...place, "callee"], `${show(model.callee)} calls itself: want another client`);
    }
    for (const key of ["callerSays", "calleeSays"] as const) {
      if (!model[key].endsWith(".wav"))
        complain.wantName([...place, key], "a speech or a path to a .wav file", model[key], SPEECHES);
    }
    checkTimes(model, place);
    return model;
  };

  const checkTimes = (call: CallModel, place: readonly PropertyKey[]): void => {
    const end = formatTime(duration);
    if (call.at >= duration) {
      complain.say(
        [...place, "at"],
        `${formatTime(call.at)} is after the end at ${end}: want an earlier call or a longer duration`,
      );
    } else if (call.answer !== "none" && call.at + call.answerAfter >= duration) {
      complain.say(
        [...place, "answerAfter"],
        `the answer would come at ${formatTime(call.at + call.answerAfter)}, after the end at ${end}: want it earlier, a longer duration or answer "none"`,
      );
    }
    if (call.hangUpAt === null) return;
    if (call.hangUpAt <= call.at) {
      complain.say(
        [...place, "hangUpAt"],
        `${formatTime(call.hangUpAt)} is not after the call at ${formatTime(call.at)}: want a later time`,
      );
    } else if (call.hangUpAt >= duration) {
      complain.say(
        [...place, "hangUpAt"],
        `${formatTime(call.hangUpAt)} is after the end at ${end}: want null for a call that lasts to the end`,
      );
    }
  };

  return (written.calls ?? [{}]).map(read);
}
