/** The cases that come with midcall, in the order they are listed and run. A list by hand, so that it is complete in a packed tarball too. */
import baseline from "./cases/baseline.ts";
import blackout from "./cases/blackout.ts";
import burstLoss from "./cases/burst-loss.ts";
import directConeCone from "./cases/direct-cone-cone.ts";
import fecBurst from "./cases/fec-burst.ts";
import lateAnswer from "./cases/late-answer.ts";
import natRebind from "./cases/nat-rebind.ts";
import oneWayLoss from "./cases/one-way-loss.ts";
import reject from "./cases/reject.ts";
import relayPause from "./cases/relay-pause.ts";
import relayRestart from "./cases/relay-restart.ts";
import ringrtcBurstyLoss from "./cases/ringrtc-bursty-loss.ts";
import ringrtcInternational from "./cases/ringrtc-international.ts";
import ringrtcModerate from "./cases/ringrtc-moderate.ts";
import ringrtcSpikyLoss from "./cases/ringrtc-spiky-loss.ts";
import staleMessages from "./cases/stale-messages.ts";
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
];
