import { describe, expect, test } from "bun:test";
import { proxyFor } from "./proxy.ts";

describe("proxyFor()", () => {
  const proxies = { HTTP_PROXY: "http://plain:3128", https_proxy: "secure:3128" };
  const through = (url: string, noProxy = ""): string | undefined =>
    proxyFor(new URL(url), { ...proxies, NO_PROXY: noProxy });

  test("takes the variable of the scheme, in either case, and adds a missing scheme", () => {
    expect(through("http://registry.test:5000/")).toBe("http://plain:3128");
    expect(through("https://registry.test/")).toBe("http://secure:3128");
    expect(proxyFor(new URL("http://registry.test/"), {})).toBeUndefined();
  });

  test.each(["http://localhost:5000", "http://127.1.2.3", "http://[::1]:5000"])("never sends %s away", (url) => {
    expect(through(url)).toBeUndefined();
  });

  test.each([
    ["*", "https://a.test", true],
    ["a.test", "https://a.test", true],
    ["a.test", "https://b.a.test", true],
    ["a.test", "https://ba.test", false],
    [".a.test", "https://a.test", false],
    ["*.a.test", "https://b.a.test", true],
    ["x, a.test:443", "https://a.test", true],
    ["a.test:5000", "https://a.test", false],
    ["10.0.0.0/8", "http://10.9.8.7", true],
    ["10.0.0.0/8", "http://11.9.8.7", false],
    ["10.1.1.1", "http://10.1.1.1:5000", true],
    ["fd00::/8", "http://[fd00::1]", true],
    ["", "http://a.test", false],
  ])("NO_PROXY=%p and %s: direct is %p", (list, url, direct) => {
    expect(through(url, list) === undefined).toBe(direct);
  });
});
