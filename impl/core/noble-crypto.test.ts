import { cryptoContract } from "./crypto.contract.ts";
import { nobleCrypto } from "./noble-crypto.ts";

cryptoContract("noble", nobleCrypto);
