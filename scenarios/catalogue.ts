/** The cases that come with midcall, in the order they are listed and run. A list by hand, so that it is complete in a packed tarball too. */

import alteredPackets from "./cases/altered-packets.ts";
import baseline from "./cases/baseline.ts";
import blackout from "./cases/blackout.ts";
import burstLoss from "./cases/burst-loss.ts";
import calleeRestartsRinging from "./cases/callee-restarts-ringing.ts";
import callerGone from "./cases/caller-gone.ts";
import cgnatBlockUsedUp from "./cases/cgnat-block-used-up.ts";
import cgnatDoubleNat from "./cases/cgnat-double-nat.ts";
import cutOffFromRelay from "./cases/cut-off-from-relay.ts";
import deregisterDuringBackoff from "./cases/deregister-during-backoff.ts";
import directBlackHole from "./cases/direct-black-hole.ts";
import directBlackHoleOneWay from "./cases/direct-black-hole-one-way.ts";
import directConeCone from "./cases/direct-cone-cone.ts";
import directDiesRelayLives from "./cases/direct-dies-relay-lives.ts";
import directNatRebind from "./cases/direct-nat-rebind.ts";
import directNatRenumber from "./cases/direct-nat-renumber.ts";
import directSameLanNoHairpin from "./cases/direct-same-lan-no-hairpin.ts";
import directV6Firewalls from "./cases/direct-v6-firewalls.ts";
import doubleTrigger from "./cases/double-trigger.ts";
import drainCase from "./cases/drain.ts";
import duplicateUpdate from "./cases/duplicate-update.ts";
import fecBurst from "./cases/fec-burst.ts";
import fecSliding from "./cases/fec-sliding.ts";
import federationBaseline from "./cases/federation-baseline.ts";
import federationLinkCut from "./cases/federation-link-cut.ts";
import federationMove from "./cases/federation-move.ts";
import federationOneWay from "./cases/federation-one-way.ts";
import federationPartition from "./cases/federation-partition.ts";
import federationRelayFlap from "./cases/federation-relay-flap.ts";
import federationRelayRestart from "./cases/federation-relay-restart.ts";
import federationReplay from "./cases/federation-replay.ts";
import federationTrunk from "./cases/federation-trunk.ts";
import federationVoid from "./cases/federation-void.ts";
import flappingInterface from "./cases/flapping-interface.ts";
import hairpinAtCarrier from "./cases/hairpin-at-carrier.ts";
import hairpinInternalSource from "./cases/hairpin-internal-source.ts";
import hangUpDirect from "./cases/hang-up-direct.ts";
import hangUpDuringOutage from "./cases/hang-up-during-outage.ts";
import lateAnswer from "./cases/late-answer.ts";
import lateKillCase from "./cases/late-kill.ts";
import linkDegrades from "./cases/link-degrades.ts";
import mappedNatPmp from "./cases/mapped-nat-pmp.ts";
import mappedPcp from "./cases/mapped-pcp.ts";
import mappedUpnp from "./cases/mapped-upnp.ts";
import natRebind from "./cases/nat-rebind.ts";
import networkAndRelayAtOnce from "./cases/network-and-relay-at-once.ts";
import noHairpinAtCarrier from "./cases/no-hairpin-at-carrier.ts";
import noiseRemoved from "./cases/noise-removed.ts";
import oneFlowRebind from "./cases/one-flow-rebind.ts";
import oneWayLoss from "./cases/one-way-loss.ts";
import preCandidateCaller from "./cases/pre-candidate-caller.ts";
import preCandidatePeer from "./cases/pre-candidate-peer.ts";
import privacyMode from "./cases/privacy-mode.ts";
import quicBlocked from "./cases/quic-blocked.ts";
import recordedRadio from "./cases/recorded-radio.ts";
import reject from "./cases/reject.ts";
import relayDiesDirectLives from "./cases/relay-dies-direct-lives.ts";
import relayFlap from "./cases/relay-flap.ts";
import relayInTheMiddle from "./cases/relay-in-the-middle.ts";
import relayPause from "./cases/relay-pause.ts";
import relayRestart from "./cases/relay-restart.ts";
import relayRestart40s from "./cases/relay-restart-40s.ts";
import relayRestart200ms from "./cases/relay-restart-200ms.ts";
import relayRestartUnannounced from "./cases/relay-restart-unannounced.ts";
import relaySwitch from "./cases/relay-switch.ts";
import relaySwitchAlone from "./cases/relay-switch-alone.ts";
import relaySwitchMidCall from "./cases/relay-switch-mid-call.ts";
import relaySymmetricSymmetric from "./cases/relay-symmetric-symmetric.ts";
import relayedNatRebind from "./cases/relayed-nat-rebind.ts";
import relayedNatRenumber from "./cases/relayed-nat-renumber.ts";
import resumeOneSideLate from "./cases/resume-one-side-late.ts";
import ringrtcBurstyLoss from "./cases/ringrtc-bursty-loss.ts";
import ringrtcInternational from "./cases/ringrtc-international.ts";
import ringrtcModerate from "./cases/ringrtc-moderate.ts";
import ringrtcSpikyLoss from "./cases/ringrtc-spiky-loss.ts";
import roamAfterRestart from "./cases/roam-after-restart.ts";
import roamBack from "./cases/roam-back.ts";
import roamBothAtOnce from "./cases/roam-both-at-once.ts";
import roamCallee from "./cases/roam-callee.ts";
import roamDuringRace from "./cases/roam-during-race.ts";
import roamFlapping from "./cases/roam-flapping.ts";
import roamMakeBeforeBreak from "./cases/roam-make-before-break.ts";
import roamRelayed from "./cases/roam-relayed.ts";
import roamWifiToCellular from "./cases/roam-wifi-to-cellular.ts";
import sameIdentityTwice from "./cases/same-identity-twice.ts";
import satelliteRestart from "./cases/satellite-restart.ts";
import signallingDelayed from "./cases/signalling-delayed.ts";
import silentTurns from "./cases/silent-turns.ts";
import staleMessages from "./cases/stale-messages.ts";
import staleUpdate from "./cases/stale-update.ts";
import stampede from "./cases/stampede.ts";
import starvedCallee from "./cases/starved-callee.ts";
import switchWhileSleeping from "./cases/switch-while-sleeping.ts";
import udpBlocked from "./cases/udp-blocked.ts";
import udpRejected from "./cases/udp-rejected.ts";
import updateLost from "./cases/update-lost.ts";
import v4DiesMidCall from "./cases/v4-dies-mid-call.ts";
import v4ToV6 from "./cases/v4-to-v6.ts";
import v6Appears from "./cases/v6-appears.ts";
import v6BlackHole from "./cases/v6-black-hole.ts";
import v6DiesAtRest from "./cases/v6-dies-at-rest.ts";
import v6DiesMidCall from "./cases/v6-dies-mid-call.ts";
import v6DiesOneWay from "./cases/v6-dies-one-way.ts";
import v6DiesRegistering from "./cases/v6-dies-registering.ts";
import v6DiesUnderBoth from "./cases/v6-dies-under-both.ts";
import type { Scenario } from "./expanded.ts";

/** Every case, names distinct. */
export const CATALOGUE: readonly Scenario[] = [
  baseline,
  relayRestart,
  relayPause,
  starvedCallee,
  burstLoss,
  alteredPackets,
  recordedRadio,
  quicBlocked,
  natRebind,
  blackout,
  oneWayLoss,
  lateAnswer,
  reject,
  relayInTheMiddle,
  staleMessages,
  ringrtcModerate,
  ringrtcInternational,
  ringrtcSpikyLoss,
  ringrtcBurstyLoss,
  fecBurst,
  fecSliding,
  linkDegrades,
  silentTurns,
  noiseRemoved,
  directConeCone,
  relayRestart200ms,
  relayRestart40s,
  relayRestartUnannounced,
  relayFlap,
  relaySwitch,
  relaySwitchMidCall,
  relaySwitchAlone,
  drainCase,
  deregisterDuringBackoff,
  doubleTrigger,
  switchWhileSleeping,
  networkAndRelayAtOnce,
  resumeOneSideLate,
  satelliteRestart,
  hangUpDuringOutage,
  signallingDelayed,
  sameIdentityTwice,
  callerGone,
  calleeRestartsRinging,
  roamRelayed,
  flappingInterface,
  stampede,
  directSameLanNoHairpin,
  relaySymmetricSymmetric,
  privacyMode,
  preCandidatePeer,
  preCandidateCaller,
  roamWifiToCellular,
  roamCallee,
  roamMakeBeforeBreak,
  roamBack,
  roamAfterRestart,
  roamBothAtOnce,
  roamDuringRace,
  staleUpdate,
  duplicateUpdate,
  updateLost,
  directNatRebind,
  directNatRenumber,
  relayedNatRebind,
  relayedNatRenumber,
  udpBlocked,
  directDiesRelayLives,
  relayDiesDirectLives,
  cgnatDoubleNat,
  hairpinAtCarrier,
  noHairpinAtCarrier,
  hairpinInternalSource,
  cgnatBlockUsedUp,
  udpRejected,
  cutOffFromRelay,
  lateKillCase,
  oneFlowRebind,
  mappedPcp,
  mappedNatPmp,
  mappedUpnp,
  hangUpDirect,
  directBlackHole,
  directBlackHoleOneWay,
  roamFlapping,
  directV6Firewalls,
  v4ToV6,
  v6Appears,
  v6BlackHole,
  v6DiesRegistering,
  v6DiesAtRest,
  v6DiesMidCall,
  v4DiesMidCall,
  v6DiesOneWay,
  v6DiesUnderBoth,
  federationBaseline,
  federationMove,
  federationRelayFlap,
  federationRelayRestart,
  federationLinkCut,
  federationOneWay,
  federationPartition,
  federationReplay,
  federationTrunk,
  federationVoid,
];
