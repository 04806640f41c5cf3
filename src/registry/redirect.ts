import { UnavailableError } from "#errors/errors.ts";
import { requestLine } from "./connection-error.ts";
import { isLoopback } from "./endpoint.ts";
import type { Transport } from "./transport.ts";

const MAX_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Those that keep method and body. RFC 9110, section 15.4 */
const REPEATING: ReadonlySet<number> = new Set([307, 308]);

/**
 * Follows redirects of GET and HEAD, and of other methods those that keep the body, which is made again. Authorization is added further in, per origin (see authorization.ts), so it never goes to
 * another one. A step from https down to plain http is refused unless it stays on this machine.
 */
export function withRedirects(inner: Transport): Transport {
  return async (request) => {
    let url = request.url;
    for (let step = 0; step <= MAX_REDIRECTS; step++) {
      const response = await inner({ ...request, url });
      const location = response.headers.get("location");
      const isRead = request.method === "GET" || request.method === "HEAD";
      const follows = (isRead ? REDIRECTS : REPEATING).has(response.status);
      if (!follows || !location) return response;
      await response.body?.cancel();
      const next = new URL(location, url);
      if (url.protocol === "https:" && next.protocol !== "https:" && !isLoopback(next.hostname)) {
        throw new UnavailableError(`${requestLine({ ...request, url: next })}: refused a redirect from https to http`);
      }
      url = next;
    }
    throw new UnavailableError(`${requestLine(request)}: stopped after ${MAX_REDIRECTS} redirects`);
  };
}
