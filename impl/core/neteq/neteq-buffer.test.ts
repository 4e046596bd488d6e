import { jitterBufferContract } from "../jitter-buffer.contract.ts";

jitterBufferContract("neteq");
