/** A fault in a reader's words: the label of its records, the same in every laboratory. */
import type { Fault } from "./expanded.ts";
import { formatTime } from "./time.ts";

/** `kill r1`, `impair alice eth0 both: loss`. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case "impair":
      return `impair ${fault.target} ${fault.interface} ${fault.direction}: ${listed(Object.keys(fault.link))}`;
    case "blackout":
      return `blackout ${fault.target} ${fault.interface} ${fault.direction}`;
    case "interface-down":
      return `interface down ${fault.target} ${fault.interface}`;
    case "families":
      return `families ${fault.target} ${fault.interface}: ${fault.families.join(" ")}`;
    case "roam": {
      const how =
        fault.overlap > 0 ? `, overlap ${formatTime(fault.overlap)}` : fault.gap > 0 ? `, gap ${formatTime(fault.gap)}` : "";
      return `roam ${fault.target} ${fault.from} to ${fault.to}${how}`;
    }
    case "starve":
      return `starve ${fault.target} to ${Math.round(fault.share * 100)} % in turns of ${formatTime(fault.every)}`;
    case "drain":
      return `drain ${fault.target} within ${formatTime(fault.within)}`;
    case "partition": {
      const arrow = { up: "→", down: "←", both: "↔" }[fault.direction];
      return `partition ${fault.target} ${arrow} ${fault.other}${fault.family === undefined ? "" : `: ${fault.family}`}`;
    }
    case "late-kill":
      return `late-kill ${fault.target}${fault.other === undefined ? "" : ` to ${fault.other}`} after ${formatTime(fault.lives)}`;
    case "rebind":
      return `rebind ${fault.target}${fault.other === undefined ? "" : ` to ${fault.other}`}`;
    case "block-udp":
    case "block-quic":
      return `${fault.kind} ${fault.target}${fault.answer === undefined ? "" : `: ${fault.answer}`}`;
    case "signalling":
      return `signalling ${fault.target} ${fault.direction}`;
    default:
      return `${fault.kind} ${fault.target}`;
  }
}

/** The first of many: a whole network put in another's place changes a dozen things at once. */
const listed = (all: readonly string[]): string =>
  all.length <= 4 ? all.join(", ") : `${all.slice(0, 3).join(", ")} and ${all.length - 3} more`;
