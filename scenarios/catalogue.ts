/** The cases that come with midcall, in the order they are listed and run. A list by hand, so that it is complete in a packed tarball too. */
import baseline from "./cases/baseline.ts";
import blackout from "./cases/blackout.ts";
import burstLoss from "./cases/burst-loss.ts";
import callerGone from "./cases/caller-gone.ts";
import deregisterDuringBackoff from "./cases/deregister-during-backoff.ts";
import directConeCone from "./cases/direct-cone-cone.ts";
import doubleTrigger from "./cases/double-trigger.ts";
import fecBurst from "./cases/fec-burst.ts";
import flappingInterface from "./cases/flapping-interface.ts";
import hangUpDuringOutage from "./cases/hang-up-during-outage.ts";
import lateAnswer from "./cases/late-answer.ts";
import natRebind from "./cases/nat-rebind.ts";
import networkAndRelayAtOnce from "./cases/network-and-relay-at-once.ts";
import oneWayLoss from "./cases/one-way-loss.ts";
import reject from "./cases/reject.ts";
import relayFlap from "./cases/relay-flap.ts";
import relayPause from "./cases/relay-pause.ts";
import relayRestart from "./cases/relay-restart.ts";
import relayRestart40s from "./cases/relay-restart-40s.ts";
import relayRestart200ms from "./cases/relay-restart-200ms.ts";
import relayRestartUnannounced from "./cases/relay-restart-unannounced.ts";
import relaySwitch from "./cases/relay-switch.ts";
import relaySwitchAlone from "./cases/relay-switch-alone.ts";
import relaySwitchMidCall from "./cases/relay-switch-mid-call.ts";
import resumeOneSideLate from "./cases/resume-one-side-late.ts";
import ringrtcBurstyLoss from "./cases/ringrtc-bursty-loss.ts";
import ringrtcInternational from "./cases/ringrtc-international.ts";
import ringrtcModerate from "./cases/ringrtc-moderate.ts";
import ringrtcSpikyLoss from "./cases/ringrtc-spiky-loss.ts";
import roamRelayed from "./cases/roam-relayed.ts";
import sameIdentityTwice from "./cases/same-identity-twice.ts";
import signallingDelayed from "./cases/signalling-delayed.ts";
import staleMessages from "./cases/stale-messages.ts";
import stampede from "./cases/stampede.ts";
import switchWhileSleeping from "./cases/switch-while-sleeping.ts";
import type { Scenario } from "./expanded.ts";

/** Every case, names distinct. */
export const CATALOGUE: readonly Scenario[] = [
  baseline,
  relayRestart,
  relayPause,
  burstLoss,
  natRebind,
  blackout,
  oneWayLoss,
  lateAnswer,
  reject,
  staleMessages,
  ringrtcModerate,
  ringrtcInternational,
  ringrtcSpikyLoss,
  ringrtcBurstyLoss,
  fecBurst,
  directConeCone,
  relayRestart200ms,
  relayRestart40s,
  relayRestartUnannounced,
  relayFlap,
  relaySwitch,
  relaySwitchMidCall,
  relaySwitchAlone,
  deregisterDuringBackoff,
  doubleTrigger,
  switchWhileSleeping,
  networkAndRelayAtOnce,
  resumeOneSideLate,
  hangUpDuringOutage,
  signallingDelayed,
  sameIdentityTwice,
  callerGone,
  roamRelayed,
  flappingInterface,
  stampede,
];
