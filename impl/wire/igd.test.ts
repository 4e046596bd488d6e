import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeAction, MOST_XML, parseActionResult, parseDescription } from "./igd.ts";
import { encodeSearch, isSearchResponse, parseLocation, parseSearchResponse } from "./ssdp.ts";

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const GATEWAY = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
const AT = { host: "192.168.1.1", port: 5000, path: "/rootDesc.xml" };
const found = (location: string, st = GATEWAY, status = "HTTP/1.1 200 OK"): Uint8Array =>
  octets(`${status}\r\nCACHE-CONTROL: max-age=120\r\nst: ${st}\r\nLocation:${location}\r\n\r\n`);
const service = (type: string, url: string): string =>
  `<service><serviceType>${type}</serviceType><controlURL>${url}</controlURL></service>`;
const root = (...services: readonly string[]): string =>
  `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><serviceList>${services.join("")}</serviceList></device></root>`;
const WAN = "urn:schemas-upnp-org:service:WANIPConnection:1";

describe("a search", () => {
  test("goes to the router, and its answer tells where the description is, whatever the case of its headers", () => {
    expect(new TextDecoder().decode(encodeSearch("192.168.1.1"))).toMatch(
      /^M-SEARCH \* HTTP\/1.1\r\nHOST: 192.168.1.1:1900\r\n[\s\S]*\r\n\r\n$/,
    );
    expect(parseSearchResponse(found("http://192.168.1.1:5000/rootDesc.xml"))).toEqual(AT);
    expect(isSearchResponse(found(""), 1900)).toBe(true);
    expect(isSearchResponse(found(""), 4433)).toBe(false);
  });

  test.each([
    ["of another device", found("http://192.168.1.1:5000/", "upnp:rootdevice")],
    ["of a refusal", found("http://192.168.1.1:5000/", GATEWAY, "HTTP/1.1 404 Not Found")],
    ["with another protocol", found("file:///etc/passwd")],
    ["with a name, which a resolver would be asked for", found("http://router.example:5000/")],
    ["with a port that is none", found("http://192.168.1.1:70000/")],
    ["with a path that goes on and on", found(`http://192.168.1.1:5000/${"a".repeat(300)}`)],
    ["with octets that are no text", found("http://192.168.1.1:5000/\u0007")],
    ["that is too long", octets(`HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(300)}\r\n`)],
  ])("an answer %s is none", (_, bytes) => {
    expect(parseSearchResponse(bytes)).toBeUndefined();
  });
});

describe("a description", () => {
  test.each([
    [
      "WANIPConnection, of version 1",
      root(service("urn:schemas-upnp-org:service:Layer3Forwarding:1", "/l3"), service(WAN, "/ctl")),
      "/ctl",
    ],
    ["... of version 2, by a whole URL", root(service(WAN.replace(/1$/, "2"), "http://192.168.1.1:5000/ctl")), "/ctl"],
    ["WANPPPConnection", root(service(WAN.replace("IP", "PPP"), "/ppp")), "/ppp"],
    ["none on another host, and the next on its own", root(service(WAN, "http://192.168.1.9:5000/x"), service(WAN, "/y")), "/y"],
  ])("tells where mappings are asked for: %s", (_, xml, path) => {
    expect(parseDescription(xml, AT)?.path).toBe(path);
  });

  test.each([
    ["no such service", root(service("urn:schemas-upnp-org:service:WANIPConnection:9", "/ctl"))],
    ["a control URL with line breaks", root(service(WAN, "/ctl&#13;&#10;Host: x"))],
    ["another host's alone", root(service(WAN, "http://10.0.0.1/ctl"))],
    ["tags that do not match", "<root><service></root></service>"],
    ["entities of its own", `<!DOCTYPE r [<!ENTITY a "${"b".repeat(50)}">]>${root(service(WAN, "/&a;"))}`],
    ["too much of it", root(service(WAN, "/ctl"), " ".repeat(MOST_XML))],
  ])("with %s tells nothing", (_, xml) => {
    expect(parseDescription(xml, AT)).toBeUndefined();
  });
});

test("an action is said in the service's name, and its answer is its arguments or the router's error", () => {
  expect(encodeAction(WAN, "DeletePortMapping", { NewExternalPort: 5, NewProtocol: "UDP" })).toContain(
    `<u:DeletePortMapping xmlns:u="${WAN}"><NewExternalPort>5</NewExternalPort><NewProtocol>UDP</NewProtocol></u:DeletePortMapping>`,
  );
  const soap = (body: string): string =>
    `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`;
  const told = soap(`<u:GetXResponse xmlns:u="${WAN}"><NewA> 203.0.113.1 </NewA><NewB/></u:GetXResponse>`);
  expect(parseActionResult("GetX", 200, told)).toEqual({
    ok: true,
    arguments: new Map([
      ["NewA", "203.0.113.1"],
      ["NewB", ""],
    ]),
  });
  expect(parseActionResult("GetY", 200, told)).toEqual({ ok: false, fault: 0 });
  const fault = soap("<s:Fault><detail><UPnPError><errorCode>718</errorCode></UPnPError></detail></s:Fault>");
  expect(parseActionResult("GetX", 500, fault)).toEqual({ ok: false, fault: 718 });
  expect(parseActionResult("GetX", 500, "no XML")).toEqual({ ok: false, fault: 0 });
});

test("nothing from the network throws", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.uint8Array(), (text, bytes) => {
      parseSearchResponse(bytes);
      parseLocation(text);
      parseDescription(text, AT);
      parseDescription(root(text), AT);
      parseActionResult("GetX", 200, text);
    }),
    { seed: 7, numRuns: 300 },
  );
});
