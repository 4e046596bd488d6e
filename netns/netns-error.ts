/** What the machine lacks or refuses the laboratory: the one error class of this room. Parties and networks never cause it. */

export type NetnsErrorCode =
  | "not-root" // the laboratory needs root
  | "tool-missing" // a command is not installed; the message names the command that installs it
  | "kernel-lacks" // the kernel has not got what is asked of it
  | "name-clash" // a run of this name lives, or something else bears a name it would use
  | "command-failed" // a command ended badly; the message has its standard error
  | "nat-differs" // a NAT does not behave as declared
  | "link" // a wire's impairments cannot be put up, or broke down
  | "launch" // a party's process cannot be started
  | "control" // the lab's Unix socket cannot be had
  | "daemon"; // the Docker daemon cannot be reached, or cannot serve

/** `message` says what failed and what to do; `cause` is the system's own error. */
export class NetnsError extends Error {
  override readonly name = "NetnsError";
  readonly code: NetnsErrorCode;

  constructor(code: NetnsErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
