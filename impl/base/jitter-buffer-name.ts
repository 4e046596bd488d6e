/** The jitter buffers a client can be told to use. What each does is in impl/core: neteq/neteq-buffer.ts and ema-buffer.ts. */

export const JITTER_BUFFERS = ["neteq", "ema"] as const;
export type JitterBufferName = (typeof JITTER_BUFFERS)[number];

/** chosen by `midcall bench jitter` (reports/golden/jitter-buffers.txt): as little concealed as `ema` at half its delay under loss, a third or less of it under jitter. */
export const DEFAULT_JITTER_BUFFER: JitterBufferName = "neteq";
