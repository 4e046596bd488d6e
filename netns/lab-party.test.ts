import { labPartyContract } from "./lab-party.contract.ts";
import { launcherBehind } from "./launch-process.ts";

labPartyContract("processes", undefined, () => launcherBehind(() => []));
