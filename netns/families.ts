/** An interface's address families as they change: addresses and routes of the party's namespace, and rules that tell what was for an address that is gone. */
import type { AddressFamily } from "../impl/base/address.ts";
import { ipLines, loadingRules } from "./command.ts";
import { NFT_FAMILY } from "./nft-family.ts";
import { refusalChains, refuse } from "./refusals.ts";
import type { Shell } from "./shell.ts";
import { arrival, departure, FIRST_METRIC } from "./topology-commands.ts";
import type { PartyPort } from "./topology-plan.ts";
import { arrival6, departure6 } from "./topology-v6.ts";

const ALL: readonly AddressFamily[] = ["v4", "v6"];
/** A port's address of a family. */
const addressOf = (port: PartyPort, family: AddressFamily): string => (family === "v4" ? port.address : port.address6);

/** A change by a fault: `undo` ends it, `given` tells how many packets have left from addresses that it gave. */
export type FamilyChange = { undo(): Promise<void>; given(): Promise<number> };

/** What a fault wants an interface to have. */
type Wish = {
  readonly wanted: readonly AddressFamily[];
  /** Had by the interface at some time, and not wanted: what comes for these is lost to the fault while its wish is the one in force. */
  readonly lost: readonly AddressFamily[];
  /** Not had when the fault struck, and wanted. */
  readonly given: readonly AddressFamily[];
  readonly fault: number;
};

/** The families of one interface: faults may overlap, and the latest that has not been undone is in force, as in `sim`. */
export class PortFamilies {
  readonly #shell: Shell;
  readonly #port: PartyPort;
  readonly #wishes: Wish[] = [];

  /** `shell` waits in the party's namespace. */
  constructor(shell: Shell, port: PartyPort) {
    this.#shell = shell;
    this.#port = port;
  }

  /** What the interface has now. */
  get now(): readonly AddressFamily[] {
    return this.#wishes.at(-1)?.wanted ?? this.#port.families;
  }

  /** Has the interface have addresses of these families. */
  async wish(wanted: readonly AddressFamily[], fault: number): Promise<FamilyChange> {
    const before = this.now;
    const had = [this.#port.families, ...this.#wishes.map((one) => one.wanted)].flat();
    const own: Wish = {
      ...{ wanted, fault },
      lost: ALL.filter((one) => had.includes(one) && !wanted.includes(one)),
      given: ALL.filter((one) => wanted.includes(one) && !before.includes(one)),
    };
    const beneath = this.#wishes.at(-1);
    this.#wishes.push(own);
    await this.#change(before, wanted, [...unrefusing(beneath), ...this.#refusing(own), ...this.#counting(own)]);
    let counted: number | undefined;
    return {
      undo: async () => {
        if (counted !== undefined) return;
        counted = await this.#count(own);
        const [from, wasInForce] = [this.now, this.#wishes.at(-1) === own];
        this.#wishes.splice(this.#wishes.indexOf(own), 1);
        const rules = wasInForce ? [...unrefusing(own), ...this.#refusing(this.#wishes.at(-1))] : [];
        await this.#change(from, this.now, [...rules, ...uncounting(own)]);
      },
      given: async () => counted ?? this.#count(own),
    };
  }

  async #change(from: readonly AddressFamily[], to: readonly AddressFamily[], rules: readonly string[]): Promise<void> {
    const metric = FIRST_METRIC + this.#port.preference;
    const goes = from
      .filter((one) => !to.includes(one))
      .flatMap((one) => (one === "v4" ? departure : departure6)(this.#port, metric));
    const comes = to
      .filter((one) => !from.includes(one))
      .flatMap((one) => (one === "v4" ? arrival : arrival6)(this.#port, metric));
    const script = [
      ...(goes.length + comes.length > 0 ? [ipLines([...goes, ...comes])] : []),
      ...(rules.length > 0 ? [loadingRules(rules.join("\n"))] : []),
    ];
    if (script.length > 0) await this.#shell(script.join("\n"));
  }

  #refusing(wish: Wish | undefined): readonly string[] {
    if (wish === undefined) return [];
    const { lost, fault } = wish;
    return lost.map(
      (family) => `table ${lostTable(family, fault)} {
${refusalChains(["no-route"], fault).join("\n")}
 chain pre { type filter hook prerouting priority filter; policy accept;
  ${NFT_FAMILY[family]} daddr ${addressOf(this.#port, family)} meta l4proto udp ${refuse("no-route", fault)}
 }
}`,
    );
  }

  #counting({ given, fault }: Wish): readonly string[] {
    return given.map(
      (family) => `table ${givenTable(family, fault)} {
 chain out { type filter hook output priority filter; policy accept;
  ${NFT_FAMILY[family]} saddr ${addressOf(this.#port, family)} meta l4proto udp counter
 }
}`,
    );
  }

  async #count({ given, fault }: Wish): Promise<number> {
    const listed = await Promise.all(given.map((family) => this.#shell(`nft list chain ${givenTable(family, fault)} out`)));
    return listed.reduce((sum, text) => sum + Number(/counter packets (\d+)/.exec(text)?.[1] ?? 0), 0);
  }
}

const lostTable = (family: AddressFamily, fault: number): string => `${NFT_FAMILY[family]} midcall_families_lost_${fault}`;
const givenTable = (family: AddressFamily, fault: number): string => `${NFT_FAMILY[family]} midcall_families_given_${fault}`;
const unrefusing = (wish: Wish | undefined): readonly string[] =>
  wish?.lost.map((family) => `delete table ${lostTable(family, wish.fault)}`) ?? [];
const uncounting = ({ given, fault }: Wish): readonly string[] =>
  given.map((family) => `delete table ${givenTable(family, fault)}`);
