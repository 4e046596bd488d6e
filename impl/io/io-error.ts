/** What the machine we run on refused us: the one error class of this room. Peers and networks never cause it. */

export type IoErrorCode =
  | "bind" // the UDP or TCP address cannot be had
  | "event-log" // the log cannot be opened, or not be written any more
  | "certificate-file"; // the stored certificate cannot be read, written or understood

/** `message` says what failed and what to do; `cause` is the system's own error. */
export class IoError extends Error {
  override readonly name = "IoError";
  readonly code: IoErrorCode;

  constructor(code: IoErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
