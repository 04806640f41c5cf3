import { DataLossError } from "#errors/errors.ts";
import { flag, integer, list, object, text } from "#lib/json-decoder.ts";
import type { SearchResult } from "#spec/docker-images.ts";
import { basicAuthorization, type Credentials } from "./credentials.ts";
import { readBounded, responseError, responseProblem } from "./response-error.ts";
import type { RegistryRequest, Transport } from "./transport.ts";

/** An answer is read no further than this, bytes. */
const MAX_ANSWER = 4 * 1024 * 1024;

const decodeAnswer = object<{ readonly results: readonly SearchResult[] }>(
  {
    results: list(
      object<SearchResult>(
        { star_count: integer, is_official: flag, name: text, is_automated: flag, description: text },
        { star_count: 0, is_official: false, name: "", is_automated: false, description: "" },
      ),
    ),
  },
  { results: [] },
);

/** Asks the index at `origin` (`/v1/search`, the one part of registry v1 that lives). Throws as the index words it, or DataLossError. */
export async function searchIndex(
  transport: Transport,
  origin: string,
  query: { readonly term: string; readonly limit: number },
  options: { readonly credentials?: Credentials; readonly signal?: AbortSignal },
): Promise<readonly SearchResult[]> {
  const url = new URL("/v1/search", origin);
  url.search = new URLSearchParams({ q: query.term, n: String(query.limit) }).toString();
  const authorization = basicAuthorization(options.credentials ?? {});
  const request: RegistryRequest = {
    method: "GET",
    url,
    headers: { "x-docker-token": "true", ...(authorization ? { authorization } : {}) },
    ...(options.signal ? { signal: options.signal } : {}),
  };
  const response = await transport(request);
  if (!response.ok) throw responseError(request, response, await responseProblem(response));
  const bytes = await readBounded(response, MAX_ANSWER, `search of ${origin}`);
  try {
    return decodeAnswer(JSON.parse(new TextDecoder().decode(bytes)), "").results;
  } catch (cause) {
    throw new DataLossError(`search of ${origin}: the answer is no list of repositories`, { cause });
  }
}
