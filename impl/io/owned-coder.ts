/** What engines without concealment and in-band FEC of their own have in common: coders that are of no use once freed, and our concealment for what is lost. */
import type { Decoder, Encoder, Shape } from "../core/codec.ts";
import { Concealment } from "../core/concealment.ts";

/** An encoder of `samples` a packet. TypeError after free(), RangeError for another length. */
export function ownedEncoder(samples: number, inner: { encode(pcm: Int16Array): Uint8Array; free(): void }): Encoder {
  let live = true;
  return {
    encode: (pcm) => {
      if (!live) throw new TypeError("encoder: used after free()");
      if (pcm.length !== samples) throw new RangeError(`pcm: want ${samples} samples, got ${pcm.length}`);
      return inner.encode(pcm);
    },
    free: () => {
      if (live) inner.free();
      live = false;
    },
  };
}

/** A decoder that repeats nothing and conceals by itself; `decode` gives undefined for what is no packet of that shape. TypeError after free(). */
export function concealingDecoder(inner: {
  decode(packet: Uint8Array, shape: Shape | undefined): Int16Array | undefined;
  free(): void;
}): Decoder {
  const concealment = new Concealment();
  let live = true;
  const alive = (): void => {
    if (!live) throw new TypeError("decoder: used after free()");
  };
  return {
    decode: (packet, shape) => {
      alive();
      const pcm = inner.decode(packet, shape);
      return pcm === undefined ? undefined : concealment.good(pcm);
    },
    recover: () => {
      alive();
      return undefined;
    },
    conceal: () => {
      alive();
      return concealment.conceal();
    },
    free: () => {
      if (live) inner.free();
      live = false;
    },
  };
}
