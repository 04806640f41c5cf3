import { describe, expect, test } from "bun:test";
import { Router } from "./route.ts";

const handler = (): void => undefined;

const router = new Router([
  ["GET", "/containers/json", handler],
  ["GET", "/containers/{id}/json", handler],
  ["GET", "/images/{name*}/json", handler],
  ["DELETE", "/images/{name*}", handler],
]);

function params(method: string, path: string): Readonly<Record<string, string>> | undefined {
  return router.match(method, path)?.params;
}

describe("Router.match()", () => {
  test("matches a segment, and text with slashes where the pattern says so", () => {
    expect(params("GET", "/containers/json")).toEqual({});
    expect(params("GET", "/containers/web/json")).toEqual({ id: "web" });
    expect(params("GET", "/images/127.0.0.1:5000/a/b/json")).toEqual({ name: "127.0.0.1:5000/a/b" });
    expect(params("DELETE", "/images/a/b:c")).toEqual({ name: "a/b:c" });
  });

  test("decodes what was escaped, and leaves a stray % as it is", () => {
    expect(params("GET", "/containers/a%20b/json")).toEqual({ id: "a b" });
    expect(params("GET", "/containers/100%/json")).toEqual({ id: "100%" });
  });

  test("matches nothing else", () => {
    expect(router.match("POST", "/containers/json")).toBeUndefined();
    expect(router.match("GET", "/containers/a/b/json")).toBeUndefined();
    expect(router.match("GET", "/containers//json")).toBeUndefined();
    expect(router.match("GET", "/containers/json/")).toBeUndefined();
  });
});
