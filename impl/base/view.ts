/**
 * What a part of the system shows of itself to somebody who looks: plain data, made on demand, without secrets (no keys, tokens or private
 * addresses of a party in privacy mode). Nothing decides by a view; its fields may change with any version.
 */
export type View = null | boolean | number | string | readonly View[] | { readonly [name: string]: View };

/** `undefined` as a view. */
export const orNone = (value: View | undefined): View => value ?? null;
