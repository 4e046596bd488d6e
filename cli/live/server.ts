/**
 * The live page's server: on loopback, on a port of the system's choosing, and for those alone who know the token, which is the first part of every path.
 * It sends the page, its frames as server-sent events (HTML, section 9.2), and takes faults to do by hand. Requests under another host's name are
 * refused (DNS rebinding), and so are those that another page makes.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Result } from "../../reports/result.ts";
import type { Scenario } from "../../scenarios/expanded.ts";
import type { Followed } from "./follow.ts";
import { frameOf } from "./frame.ts";
import { livePage } from "./page-text.ts";

/** What is watched. `result`: once the run is over. `inject`: where faults can be done by hand; it answers with why not. */
export type Watched = {
  readonly scenario: Scenario;
  readonly lab: string;
  readonly log: Followed;
  result(): Promise<Result | undefined>;
  inject?(fault: unknown): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;
};

export type LivePage = {
  /** With the token. */
  readonly url: string;
  close(): Promise<void>;
};

/** chosen: frames for eyes; a frame takes a few milliseconds to make, more when the log is long. */
const FRAME_EVERY_MS = 400;
/** A page takes at most this share of a processor's time: the next frame waits so many times as long as the last one took. */
const REST = 3;
const BODY_BYTES = 4_096;
const LIMITS = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 } as const;

/** Serves until it is closed. */
export async function openLivePage(watched: Watched): Promise<LivePage> {
  const token = randomBytes(16).toString("hex");
  const page = await livePage(watched);
  let origin = "";
  const server = createServer(LIMITS, (request, response) => {
    response.setHeader("referrer-policy", "no-referrer");
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("cache-control", "no-store");
    // What is no path at all, like `//`, is nobody's either: it must not end the run that is watched.
    const url = URL.parse(request.url ?? "/", origin);
    if (url === null) return refuse(response, 404);
    const [, given = "", ...rest] = url.pathname.split("/");
    if (!isSame(given, token) || `http://${request.headers.host}` !== origin) return refuse(response, 404);
    const path = rest.join("/");
    if (path === "" && request.method === "GET")
      return void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
    if (path === "events" && request.method === "GET") return sendFrames(watched, url.searchParams, response);
    if (path === "inject" && request.method === "POST") {
      take(watched, request, response, origin).catch(() => refuse(response, 500));
      return;
    }
    refuse(response, 404);
  });
  server.maxConnections = 16;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `${origin}/${token}/`, close: () => closed(server) };
}

const isSame = (given: string, token: string): boolean =>
  given.length === token.length && timingSafeEqual(Buffer.from(given), Buffer.from(token));

const refuse = (response: ServerResponse, status: number, why = ""): void =>
  void response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(why);

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

/**
 * Frames until the run is over and all of it was shown. A run in real time is shown as it happens; virtual time passes at `speed` from `from`
 * (microseconds) on, because it is over before anybody looks.
 */
function sendFrames({ scenario, lab, log, result }: Watched, asked: URLSearchParams, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", connection: "close" });
  const began = performance.now();
  const speed = Math.min(1_000, Math.max(0.1, Number(asked.get("speed") ?? 1) || 1));
  const from = Math.max(0, Number(asked.get("from") ?? 0) || 0);
  let timer: NodeJS.Timeout | undefined;
  let isGone = false;
  response.on("close", () => {
    isGone = true;
    clearTimeout(timer);
  });
  const say = (event: string, data: object): boolean => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const next = async (): Promise<void> => {
    const hasEnded = await log.read();
    if (isGone) return;
    const started = performance.now();
    const last = log.records.at(-1)?.t ?? 0;
    const at = lab === "sim" ? Math.min(last, from + (started - began) * 1_000 * speed) : last;
    const end = Math.min(last, scenario.duration);
    const isOver = hasEnded && at >= end;
    // A page that cannot keep up is sent fewer frames, not late ones.
    if (!say("frame", frameOf(scenario, log.records, isOver ? last : at, isOver))) await taken(response);
    if (isGone) return;
    const finished = isOver ? await result() : undefined;
    if (finished !== undefined) {
      say("result", {
        verdict: finished.verdict,
        cause: finished.cause,
        culprit: finished.culprit?.sentence ?? "",
        dir: finished.dir,
      });
      return void response.end();
    }
    const took = performance.now() - started;
    timer = setTimeout(() => void next().catch(() => response.end()), Math.max(FRAME_EVERY_MS, took * REST));
  };
  next().catch(() => response.end());
}

/** Until what was written is on its way, or nobody is there any more. */
const taken = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      response.off("drain", go).off("close", go);
      resolve();
    };
    response.on("drain", go).on("close", go);
  });

/** A fault to do by hand: JSON, from the page itself. */
async function take({ inject }: Watched, request: IncomingMessage, response: ServerResponse, origin: string): Promise<void> {
  if (inject === undefined) return refuse(response, 409, "faults can be done by hand while a run on a real kernel goes on\n");
  if (request.headers.origin !== origin || request.headers["content-type"] !== "application/json") return refuse(response, 403);
  let body = "";
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > BODY_BYTES) return refuse(response, 413);
  }
  let fault: unknown;
  try {
    fault = JSON.parse(body);
  } catch {
    return refuse(response, 400, "want a fault as JSON\n");
  }
  const answer = await inject(fault);
  if (answer.ok) refuse(response, 204);
  else refuse(response, 400, `${answer.reason}\n`);
}
