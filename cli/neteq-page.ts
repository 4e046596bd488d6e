/**
 * What runs inside the browser for `midcall bench neteq`: one page, two RTCPeerConnections, speech from a buffer source, NetEq pulled by an audio element. Given to the page as
 * text, so nothing here may refer to anything outside of `neteqPage`.
 */

/** W3C webrtc-stats inbound-rtp, the counters that are compared. */
export type InboundAudio = {
  readonly concealedSamples: number;
  readonly insertedSamplesForDeceleration: number;
  readonly totalSamplesReceived: number;
  readonly jitterBufferDelay: number;
  readonly jitterBufferEmittedCount: number;
  readonly packetsReceived: number;
};

/** Milliseconds of the wall clock, and samples (48 kHz) that NetEq was asked for until then. */
export type Pull = readonly [atMs: number, samples: number];
/** chosen: five looks a half second; getStats holds its answers for 50 ms. */
const POLL_MS = 100;

export type PagePlan = {
  /** 48 kHz mono, base64 of signed 16-bit little-endian samples. */
  readonly speech: string;
  readonly toReceiver: number;
  readonly toSender: number;
  /** Opus' in-band redundancy. */
  readonly lbrr: boolean;
  /** RFC 2198; how deep is the browser's field trial. */
  readonly red: boolean;
  readonly bitrate: number;
};

/** JavaScript that sets `window.neteq` to `{ connect(plan), stats(), watch(), pulls() }`; `pulls`: how much NetEq was asked for, every 100 ms from `watch` on. */
export const NETEQ_PAGE: string = String.raw`
window.neteq = (() => {
  let receiver;
  const inbound = async () => [...(await receiver.getStats()).values()].find((one) => one.type === "inbound-rtp" && one.kind === "audio");
  const pulled = [];
  const munged = (sdp, plan) =>
    sdp
      .split("\r\n")
      // Probing and padding on the audio stream would come in with transport-wide congestion control.
      .filter((line) => !/transport-cc|transport-wide-cc|abs-send-time|ssrc-audio-level/.test(line) && !/^a=candidate/.test(line))
      .map((line) => (/^a=fmtp:111 /.test(line) ? "a=fmtp:111 minptime=20;maxaveragebitrate=" + plan.bitrate + ";useinbandfec=" + (plan.lbrr ? 1 : 0) : line))
      .join("\r\n");
  const candidate = (port) => ({ candidate: "candidate:1 1 udp 2122260223 127.0.0.1 " + port + " typ host", sdpMid: "0", sdpMLineIndex: 0 });
  return {
    async connect(plan) {
      const bytes = Uint8Array.from(atob(plan.speech), (c) => c.charCodeAt(0));
      const pcm = new Int16Array(bytes.buffer);
      const context = new AudioContext({ sampleRate: 48000 });
      const buffer = context.createBuffer(1, pcm.length, 48000);
      buffer.copyToChannel(Float32Array.from(pcm, (x) => x / 32768), 0);
      const source = new AudioBufferSourceNode(context, { buffer, loop: true });
      const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
      source.connect(out);
      const sender = new RTCPeerConnection();
      receiver = new RTCPeerConnection();
      const transceiver = sender.addTransceiver(out.stream.getAudioTracks()[0], { direction: "sendonly" });
      const codecs = RTCRtpSender.getCapabilities("audio").codecs;
      const named = (name) => codecs.filter((one) => one.mimeType.toLowerCase() === "audio/" + name);
      transceiver.setCodecPreferences(plan.red ? [...named("red"), ...named("opus")] : named("opus"));
      receiver.ontrack = ({ streams, track }) => {
        const element = new Audio();
        element.autoplay = true;
        element.srcObject = streams[0] ?? new MediaStream([track]);
        document.body.append(element);
      };
      const offer = await sender.createOffer();
      await sender.setLocalDescription({ type: "offer", sdp: munged(offer.sdp, plan) });
      await receiver.setRemoteDescription({ type: "offer", sdp: munged(offer.sdp, plan) });
      const answer = await receiver.createAnswer();
      await receiver.setLocalDescription({ type: "answer", sdp: munged(answer.sdp, plan) });
      await sender.setRemoteDescription({ type: "answer", sdp: munged(answer.sdp, plan) });
      await sender.addIceCandidate(candidate(plan.toReceiver));
      await receiver.addIceCandidate(candidate(plan.toSender));
      const connected = (pc) => new Promise((done, fail) => {
        const look = () => pc.connectionState === "connected" ? done() : pc.connectionState === "failed" ? fail(new Error("the connection failed")) : undefined;
        pc.onconnectionstatechange = look;
        look();
      });
      await Promise.all([connected(sender), connected(receiver)]);
      source.start();
      await context.resume();
    },
    watch() {
      setInterval(async () => {
        const one = await inbound();
        if (one !== undefined) pulled.push([one.timestamp, one.totalSamplesReceived]);
      }, ${POLL_MS});
    },
    pulls: () => pulled,
    async stats() {
      const one = await inbound();
      return one === undefined ? undefined : Object.fromEntries(["concealedSamples", "insertedSamplesForDeceleration", "totalSamplesReceived", "jitterBufferDelay", "jitterBufferEmittedCount", "packetsReceived"].map((name) => [name, one[name] ?? 0]));
    },
  };
})();
`;
