/** The metric catalogue lies below the rooms whose words its labels take: held against them here. */
import { expect, test } from "vitest";
import { CLOSE_REASONS, SIGNALS } from "../base/metric/label-words.ts";
import type { SignalType } from "../wire/signal.ts";
import type { CloseReason } from "./session.ts";

/** Both objects must name every word and no other, or this file does not compile. */
const signals: { readonly [Type in SignalType]: true } = {
  Register: true,
  RegisterAck: true,
  Reflect: true,
  ReflectResponse: true,
  DirectCallOffer: true,
  DirectCallAnswer: true,
  CallSetup: true,
  Hangup: true,
  HangupAck: true,
  CandidateUpdate: true,
  MediaPathReport: true,
  CallResume: true,
  CallResumed: true,
  FederatedSignalForward: true,
  FederationHello: true,
  FederationHelloAck: true,
  FederationUsers: true,
  FederationChannel: true,
  Ringing: true,
  Refusal: true,
  RelayDraining: true,
};
const reasons: { readonly [Reason in CloseReason]: true } = {
  local: true,
  peer: true,
  reset: true,
  "idle-timeout": true,
  "handshake-timeout": true,
  refused: true,
  "pin-mismatch": true,
  error: true,
};

test("a label knows every type of signalling message and every reason a session closes for", () => {
  expect(new Set(SIGNALS)).toEqual(new Set(Object.keys(signals)));
  expect(new Set(CLOSE_REASONS)).toEqual(new Set(Object.keys(reasons)));
});
