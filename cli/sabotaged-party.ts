/** Entry of a sabotaged party of a real-kernel laboratory: `node sabotaged-party.ts MUTATION JOB` is `node controlled-party.ts JOB` with that bug in it. */
import { sabotage } from "./sabotage.ts";

const [mutation] = process.argv.splice(2, 1);
if (mutation === undefined) throw new TypeError("mutation: want the name of one as the first argument");
const applied = sabotage(mutation);
// Imported here and not above, because static imports load before the sabotage is in place.
await import("../impl/bin/controlled-party.ts");
if (!applied()) throw new Error(`mutation ${mutation} changed a module that a party never loads`);
