/** What runs in the guest: the link drivers' contract, for the driver that wants tc-netem. */
import { linkContract } from "./link.contract.ts";

linkContract("netem");
