import { expect, test } from "vitest";
import { Instant, millis, seconds } from "../../base/units.ts";
import { deadline, type Effect, type Input, isRouters, type State, start, step } from "./upnp-igd.ts";

const WAN = "urn:schemas-upnp-org:service:WANIPConnection:1";
const network = (host = "192.168.1.2"): Input => ({
  type: "network",
  network: { port: 4433, interfaces: [{ name: "wlan0", addresses: [host], isDefault: true }], gateway: "192.168.1.1" },
});
const found = (host = "192.168.1.1"): Input => ({
  type: "found",
  bytes: new TextEncoder().encode(
    `HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: http://${host}:5000/d.xml\r\n\r\n`,
  ),
});
const DESCRIPTION = `<root><service><serviceType>${WAN}</serviceType><controlURL>/ctl</controlURL></service></root>`;
const soap = (body: string): string => `<s:Envelope xmlns:s="x"><s:Body>${body}</s:Body></s:Envelope>`;
const done = (action: string, given = ""): string => soap(`<u:${action}Response xmlns:u="${WAN}">${given}</u:${action}Response>`);
const fault = (code: number): string => soap(`<s:Fault><errorCode>${code}</errorCode></s:Fault>`);
const ADDRESS = done("GetExternalIPAddress", "<NewExternalIPAddress>203.0.113.9</NewExternalIPAddress>");

class Machine {
  state: State = start();
  now = Instant(0);
  told: readonly Effect[] = [];
  tell(input: Input): readonly Effect[] {
    [this.state, this.told] = step(this.state, this.now, input);
    return this.told;
  }
  /** Answers the request under way. */
  answer(status: number, body: string): readonly Effect[] {
    return this.tell({ type: "http", id: this.state.request, response: { status, body } });
  }
  wake(): readonly Effect[] {
    this.now = deadline(this.state) ?? this.now;
    return this.tell({ type: "wake" });
  }
  /** What is asked by HTTP: the action, or the path of a GET. */
  asked(): readonly string[] {
    return this.told.flatMap((one) =>
      one.type === "http" ? [one.request.soap?.action.replace(/.*#|"/g, "") ?? one.request.path] : [],
    );
  }
  port(): string | undefined {
    const body = this.told.flatMap((one) => (one.type === "http" ? [one.request.soap?.body ?? ""] : [])).join("");
    return /<NewExternalPort>(\d+)/.exec(body)?.[1];
  }
}

const mapping = (): Machine => {
  const m = new Machine();
  m.tell(network());
  m.tell({ type: "want" });
  m.tell(found());
  m.answer(200, DESCRIPTION);
  m.answer(200, ADDRESS);
  return m;
};

test("a router is searched for, described, asked for its address and for the port, which is renewed at half its life and given back", () => {
  const m = new Machine();
  expect(m.tell(network())).toEqual([]);
  expect(m.tell({ type: "want" })).toMatchObject([
    { type: "packet", to: "239.255.255.250:1900" },
    { type: "packet", to: "192.168.1.1:1900" },
  ]);
  expect(isRouters(m.state, "192.168.1.1:1900")).toBe(true);
  expect(isRouters(m.state, "192.168.1.9:1900")).toBe(false);
  m.tell(found());
  expect(m.asked()).toEqual(["/d.xml"]);
  m.answer(200, DESCRIPTION);
  expect(m.asked()).toEqual(["GetExternalIPAddress"]);
  m.answer(200, ADDRESS);
  expect([m.asked(), m.port()]).toEqual([["AddPortMapping"], "4433"]);
  expect(m.answer(200, done("AddPortMapping"))).toEqual([{ type: "mapped", address: "203.0.113.9:4433" }]);
  expect(deadline(m.state)).toBe(Instant.after(m.now, seconds(900)));
  m.wake();
  expect(m.asked()).toEqual(["AddPortMapping"]);
  expect(m.answer(200, done("AddPortMapping"))).toEqual([]);
  m.tell({ type: "release" });
  expect(m.asked()).toEqual(["DeletePortMapping"]);
  expect(deadline(m.state)).toBeUndefined();
});

test("a search is said three times, and then no more until the network changes", () => {
  const m = new Machine();
  m.tell(network());
  m.tell({ type: "want" });
  expect([m.wake().length, m.wake().length, m.wake().length]).toEqual([2, 2, 0]);
  expect(m.now).toBe(Instant.after(Instant(0), millis(3_600)));
  m.tell({ type: "release" });
  expect(m.tell({ type: "want" })).toEqual([]);
  expect(m.tell(network("192.168.1.3"))).toHaveLength(2);
});

test("a description on another host than the router is not fetched", () => {
  const m = new Machine();
  m.tell(network());
  m.tell({ type: "want" });
  expect(m.tell(found("192.168.1.66"))).toEqual([{ type: "unexpected" }]);
  expect(m.state.at).toBe("searching");
});

test("of a port that another host has four others are tried, and a router without leases is asked for one without end", () => {
  const m = mapping();
  const ports = new Set([m.port()]);
  for (let n = 0; n < 4; n++) {
    m.answer(500, fault(718));
    ports.add(m.port());
  }
  expect(ports.size).toBe(5);
  expect(m.answer(500, fault(718))).toEqual([]);
  expect(m.state.at).toBe("silent");

  const permanent = mapping();
  permanent.answer(500, fault(725));
  expect(permanent.asked()).toEqual(["AddPortMapping"]);
  expect(permanent.answer(200, done("AddPortMapping"))).toHaveLength(1);
  expect(deadline(permanent.state)).toBeUndefined();
});

test.each([
  ["no answer", 0, ""],
  ["an answer without an address", 200, done("GetExternalIPAddress")],
  ["no connection to the Internet", 200, done("GetExternalIPAddress", "<NewExternalIPAddress>0.0.0.0</NewExternalIPAddress>")],
  ["an address that is none", 200, done("GetExternalIPAddress", "<NewExternalIPAddress>1.2.3.4:5</NewExternalIPAddress>")],
])("%s maps nothing", (_, status, body) => {
  const m = new Machine();
  m.tell(network());
  m.tell({ type: "want" });
  m.tell(found());
  m.answer(200, DESCRIPTION);
  expect(m.answer(status, body)).toEqual([]);
  expect(m.state.at).toBe("silent");
});

test("an answer that comes after its call is over maps nothing", () => {
  const m = mapping();
  const id = m.state.request;
  m.tell({ type: "release" });
  expect(m.asked()).toEqual(["DeletePortMapping"]); // it may have been granted
  expect(m.tell({ type: "http", id, response: { status: 200, body: done("AddPortMapping") } })).toEqual([]);
});

test("a mapping of a network that has been left is lost", () => {
  const m = mapping();
  m.answer(200, done("AddPortMapping"));
  expect(m.tell(network("192.168.1.7"))[0]).toEqual({ type: "mapped", address: undefined });
});
