/** What a user types to a running `midcall client --commands`, one command a line; a line that is none is answered with what would be right. */
import { createInterface } from "node:readline";
import { InvalidArgumentError } from "commander";
import type { Command } from "../impl/core/client.ts";
import { CliError } from "./exit.ts";
import { peerArgument, resolveRelay } from "./socket-address.ts";
import type { Terminal } from "./terminal.ts";

/** The commands, for `--help` and for whoever mistypes one. */
export const CLIENT_COMMANDS = "register HOST:PORT PIN [TOKEN], deregister, call FINGERPRINT, hang-up, quit";

/** A command for the client, `quit`, nothing (an empty line), or why it is none. */
export type Typed =
  | Command
  | { readonly type: "quit" }
  | { readonly type: "none" }
  | { readonly type: "wrong"; readonly why: string };

const isHex = (text: string | undefined, digits: number): text is string =>
  text !== undefined && text.length === digits && /^[0-9a-f]*$/.test(text);

/** Reads one line. Never throws. */
export async function readCommand(line: string): Promise<Typed> {
  const [word, ...rest] = line.trim().split(/\s+/);
  const wrong = (why: string): Typed => ({ type: "wrong", why });
  switch (word) {
    case "":
      return { type: "none" };
    case "quit":
    case "deregister":
      return rest.length === 0 ? { type: word } : wrong(`${word} takes nothing`);
    case "hang-up":
      return rest.length === 0 ? { type: word, reason: "hung-up" } : wrong("hang-up takes nothing");
    case "call": {
      const [peer] = rest;
      return rest.length === 1 && isHex(peer, 32)
        ? { type: "call", peer }
        : wrong("call: want a fingerprint of 32 hexadecimal digits");
    }
    case "register": {
      const [where = "", given, token] = rest;
      const pin = given?.toLowerCase().replaceAll(":", "");
      if (rest.length > 3 || !isHex(pin, 64))
        return wrong("register: want HOST:PORT, the relay's pin of 64 hexadecimal digits, and its token if it wants one");
      try {
        const addresses = await resolveRelay(peerArgument(where));
        return { type: "register", relay: { ...addresses, pin, ...(token === undefined ? {} : { token }) } };
      } catch (error) {
        if (error instanceof InvalidArgumentError || error instanceof CliError) return wrong(`register: ${error.message}`);
        throw error;
      }
    }
    default:
      return wrong(`${word}: no such command, want ${CLIENT_COMMANDS}`);
  }
}

/** Obeys what is typed, in order; resolves at `quit`. The end of the input ends nothing. */
export function obeyCommands(terminal: Terminal, obey: (command: Command) => void): Promise<void> {
  return new Promise((resolve) => {
    let queue = Promise.resolve();
    const lines = createInterface({ input: terminal.input });
    lines.on("line", (line) => {
      queue = queue.then(async () => {
        const typed = await readCommand(line);
        if (typed.type === "wrong") terminal.err(`midcall: ${typed.why}`);
        else if (typed.type === "quit") {
          lines.close();
          resolve();
        } else if (typed.type !== "none") obey(typed);
      });
    });
    terminal.interrupted.addEventListener("abort", () => lines.close(), { once: true });
  });
}
