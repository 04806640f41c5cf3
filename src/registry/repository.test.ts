import { describe, expect, test } from "bun:test";
import { CancelledError, DataLossError, NotFoundError, UnavailableError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { Repository } from "./repository.ts";
import type { Session, SessionRequest } from "./session.ts";

const retryPolicy = { attempts: 2, baseDelay: 1, maxDelay: 1 };
const blob = { mediaType: "x", digest: digestOf("hello"), size: 5 };

/** A session of literal answers. */
function session(answer: (request: SessionRequest) => Response): Session {
  const send = async (request: SessionRequest): Promise<Response> => answer(request);
  return { endpoint: { origin: "http://localhost:1", path: "", isMirror: false }, send, sendWithRetry: send };
}

const failing = (): Promise<Session> => Promise.reject(new UnavailableError("mirror is down"));
const repository = (...endpoints: (() => Promise<Session>)[]): Repository =>
  new Repository("a/b", endpoints, retryPolicy);
const working =
  (body: string): (() => Promise<Session>) =>
  async () =>
    session(() => new Response(body));

describe("Repository", () => {
  test("asks the next endpoint when a mirror is down or has it not", async () => {
    const without = async (): Promise<Session> =>
      session(() => {
        throw new NotFoundError("manifest unknown");
      });
    const { digest } = await repository(failing, without, working("{}")).manifest("v1");
    expect(digest).toBe(digestOf("{}"));
    expect(Buffer.from(await repository(failing, without, working("hello")).smallBlob(blob, 10)).toString()).toBe(
      "hello",
    );
    await expect(repository(working("{}"), failing).manifest("v1")).resolves.toBeDefined();
    await expect(repository(without, failing).manifest("v1")).rejects.toThrow("mirror is down");
  });

  test("does not go on to another endpoint after a cancellation", async () => {
    const cancelled = (): Promise<Session> => Promise.reject(new CancelledError("cancelled"));
    await expect(repository(cancelled, working("hello")).smallBlob(blob, 10)).rejects.toBeInstanceOf(CancelledError);
  });

  test("manifest() refuses other bytes than the digest's, and more than 4 MiB", async () => {
    const asked = repository(working("{}")).manifest(digestOf("other"));
    await expect(asked).rejects.toBeInstanceOf(DataLossError);
    const large = repository(working("x".repeat(4 * 1024 * 1024 + 1))).manifest("v1");
    await expect(large).rejects.toThrow("manifest of a/b: larger than the limit of 4194304 bytes");
  });

  test("smallBlob() refuses wrong bytes, too many of them, and more than the caller wants", async () => {
    await expect(repository(working("hellO")).smallBlob(blob, 10)).rejects.toBeInstanceOf(DataLossError);
    await expect(repository(working("hello!")).smallBlob(blob, 10)).rejects.toThrow("longer than the 5 bytes");
    await expect(repository(working("hell")).smallBlob(blob, 10)).rejects.toThrow("unexpected EOF");
    await expect(repository(working("hello")).smallBlob(blob, 4)).rejects.toThrow("5 bytes are more than 4: refused");
  });

  test("smallBlob() believes a registry that says it has another size, at once", async () => {
    let asked = 0;
    const other = (status: number, headers: Record<string, string>) => async (): Promise<Session> =>
      session(() => {
        asked++;
        return new Response("he", { status, headers });
      });
    const shorter = repository(other(200, { "content-length": "2" })).smallBlob(blob, 10);
    await expect(shorter).rejects.toThrow("the registry has 2 bytes of the 5 that it should have");
    expect(asked).toBe(1);
    const later = async (): Promise<Session> =>
      session(({ headers }) =>
        headers?.["range"]
          ? new Response("", { status: 416, headers: { "content-range": "bytes */2" } })
          : new Response("he"),
      );
    await expect(repository(later).smallBlob(blob, 10)).rejects.toThrow("the registry has 2 bytes of the 5");
  });

  test("tags() refuses what is no JSON, and follows pages of the same origin only", async () => {
    const pages = async (): Promise<Session> =>
      session(({ path }) => {
        const isSecond = String(path).includes("last=");
        const headers = {
          link: isSecond ? '<http://evil.example/x>; rel="next"' : '</v2/a/b/tags/list?last=a>; rel="next"',
        };
        return Response.json({ tags: [isSecond ? "b" : "a"] }, { headers });
      });
    expect(await repository(pages).tags()).toEqual(["a", "b"]);
    await expect(repository(working("<html>")).tags()).rejects.toThrow("tags of a/b: the registry sent something");
  });
});
