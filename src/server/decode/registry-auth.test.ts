import { describe, expect, test } from "bun:test";
import { registryAuth } from "./registry-auth.ts";

function auth(header: string): ReturnType<typeof registryAuth> {
  return registryAuth({ header: () => header });
}

function encoded(value: unknown, encoding: "base64" | "base64url"): string {
  return Buffer.from(JSON.stringify(value)).toString(encoding);
}

describe("registryAuth()", () => {
  test.each(["base64", "base64url"] as const)("reads %s", (encoding) => {
    const document = { username: "me", password: "ü?>~secret", serveraddress: "example.com", email: "" };
    expect(auth(encoded(document, encoding))).toEqual({ username: "me", password: "ü?>~secret" });
  });

  test("takes docker's spelling of token names", () => {
    expect(auth(encoded({ identitytoken: "a", registrytoken: "b" }, "base64url"))).toEqual({
      identityToken: "a",
      registryToken: "b",
    });
  });

  test("is nothing without a header, and where it proves nothing", () => {
    expect(auth("")).toBeUndefined();
    expect(auth(encoded({}, "base64url"))).toBeUndefined();
    expect(auth(encoded({ username: "", password: "" }, "base64url"))).toBeUndefined();
  });

  test("refuses what is no JSON, and values that are no strings", () => {
    expect(() => auth("%%%")).toThrow("invalid X-Registry-Auth header");
    expect(() => auth(encoded({ username: 5 }, "base64url"))).toThrow(
      'cannot read "username": expected a string, not 5',
    );
    expect(() => auth(encoded([], "base64url"))).toThrow("expected an object, not a list");
  });
});
