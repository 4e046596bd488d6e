/** One HTTP request to a device on this network, as a machine asks for it: nothing is followed, kept or waited for long. */
import { request } from "node:http";
import { parseAddress } from "../base/address.ts";
import type { HttpRequest, HttpResponse } from "../core/effect.ts";
import { MOST_XML } from "../wire/igd.ts";

/** chosen: a router answers within a second; an offer does not wait for it. */
const PATIENCE_MS = 3_000;

/** Tells what was answered, once; undefined: nothing in time, too much of it, or nobody there. */
export function askByHttp({ to, path, soap }: HttpRequest, answered: (response: HttpResponse | undefined) => void): void {
  const place = parseAddress(to);
  if (place === undefined) return answered(undefined);
  const asked = request({
    ...{
      host: place.host,
      port: place.port,
      path,
      method: soap === undefined ? "GET" : "POST",
      agent: false,
      signal: AbortSignal.timeout(PATIENCE_MS),
    },
    headers:
      soap === undefined
        ? {}
        : {
            "Content-Type": 'text/xml; charset="utf-8"',
            SOAPAction: soap.action,
            "Content-Length": Buffer.byteLength(soap.body),
          },
  });
  let isOver = false;
  const end = (response: HttpResponse | undefined): void => {
    if (isOver) return;
    isOver = true;
    asked.destroy();
    answered(response);
  };
  asked.on("error", () => end(undefined));
  asked.on("response", (response) => {
    const pieces: Buffer[] = [];
    let length = 0;
    response.on("data", (piece: Buffer) => {
      length += piece.length;
      if (length > MOST_XML) return end(undefined);
      pieces.push(piece);
    });
    response.on("error", () => end(undefined));
    response.on("end", () => end({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString("utf8") }));
  });
  asked.end(soap?.body);
}
