/** The QUIC model keeps the contract of every transport driver. */
import { sessionContract } from "../../impl/core/session.contract.ts";
import { makePair } from "./pair.fixture.ts";

sessionContract("QUIC model", async (config) => makePair(config, { clientIdentity: true }));
