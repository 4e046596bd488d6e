/**
 * What a UDP socket could not send, by the system's own words (errno(3)): a full queue or a firewall of the host looks like loss on the network from everywhere else.
 */

/** How often each error has occurred, cumulative. */
export type SendErrors = ReadonlyMap<string, number>;

export class SendErrorCount {
  readonly #counts = new Map<string, number>();

  get counts(): SendErrors {
    return this.#counts;
  }

  /** One packet more that the system refused. */
  add(code: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }
}
