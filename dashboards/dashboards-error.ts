/** What the machine refused this room: the one error class of dashboards/. */

export type DashboardsErrorCode =
  | "tool-missing" // Prometheus, promtool or a Docker daemon is not there
  | "image-missing" // a container image is not there and cannot be had
  | "tool-failed"; // it is there and did not do what it was asked

/** `message` says what failed and why; `cause` is the system's own error. */
export class DashboardsError extends Error {
  override readonly name = "DashboardsError";
  readonly code: DashboardsErrorCode;
  /** The command that gets what is missing, where there is one. */
  readonly command: string | null;

  constructor(code: DashboardsErrorCode, message: string, command: string | null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.command = command;
  }
}
