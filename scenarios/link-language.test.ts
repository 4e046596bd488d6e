import { describe, expect, test } from "vitest";
import { parseScenario } from "./language.ts";
import { scenario } from "./scenario.ts";

const withLink = (link: object): unknown => ({ name: "one", asks: "?", duration: "5s", parties: { alice: { link } } });
const problemsOf = (link: object): readonly string[] => {
  const parsed = parseScenario(withLink(link));
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};

describe("a link by recorded deliveries", () => {
  test("a trace's text becomes instants in microseconds, with a queue of 200 ms at its mean rate unless told", () => {
    const { parties } = scenario(withLink({ deliveries: { mahimahi: "0\n5\n10\n" } }) as Parameters<typeof scenario>[0]);
    const { up, down } = parties.alice?.interfaces.eth0 ?? {};
    expect(up?.deliveries).toEqual({ at: [0, 5_000, 10_000], period: 10_000, queueBytes: 90_000 });
    expect(down).toEqual(up);
  });

  test("what was read can be written down and read again", () => {
    const once = scenario(
      withLink({ deliveries: { mahimahi: [5, 10], queuePackets: 4 }, mtu: 1_280, corrupt: 0.01 }) as Parameters<
        typeof scenario
      >[0],
    );
    const again = parseScenario(JSON.parse(JSON.stringify(once)));
    expect(again).toEqual({ ok: true, scenario: once });
    expect(once.parties.alice?.interfaces.eth0?.up).toMatchObject({
      deliveries: { queueBytes: 6_000 },
      mtu: 1_280,
      corrupt: 0.01,
    });
  });

  test.each([
    [{ deliveries: { mahimahi: "5\n4\n" } }, "deliveries: line 2: 4 ms come after 5 ms: want instants in order"],
    [
      { deliveries: { at: [5, 20], period: 10 } },
      "deliveries: at[1]: want instants in order and no later than the period 10, got 20",
    ],
    [{ deliveries: { mahimahi: [5] }, rate: "1Mbit" }, "deliveries: takes the place of a rate: want one of them"],
    [
      { deliveries: { mahimahi: [5], queue: "1s", queueBytes: 9 } },
      "deliveries: queueBytes and queue say the same thing: want one of them",
    ],
  ])("%j is refused with its place and the reason", (link, reason) => {
    expect(problemsOf(link)).toEqual([`parties.alice.link.${reason}`]);
  });
});
