import { describe, expect, test } from "bun:test";
import { logLimits } from "#engine/containers/run/log-limits.ts";
import { checkLogConfig, mergeLogConfig } from "./log-config.ts";

describe("checkLogConfig()", () => {
  test.each<[string, Record<string, string>]>([
    ["json-file", {}],
    ["json-file", { "max-size": "10m", "max-file": "3", compress: "true", labels: "a,b", env: "C", tag: "{{.Name}}" }],
    ["json-file", { mode: "non-blocking", "max-buffer-size": "4m" }],
    ["local", { "max-size": "1k", mode: "blocking" }],
    ["none", { anything: "goes" }],
  ])("takes %s with %j", (Type, Config) => {
    expect(() => checkLogConfig({ Type, Config })).not.toThrow();
  });

  test.each<[string, Record<string, string>, string]>([
    ["json-file", { x: "1" }, "unknown log opt 'x' for json-file log driver"],
    ["local", { labels: "a" }, "unknown log opt 'labels' for log driver local"],
    ["json-file", { mode: "fast" }, "logger: logging mode not supported: fast"],
    ["json-file", { "max-buffer-size": "1m" }, "max-buffer-size option is only supported with 'mode=non-blocking'"],
    ["local", { mode: "non-blocking", "max-buffer-size": "x" }, "error parsing option max-buffer-size: "],
    ["json-file", { "max-file": "0" }, "max-file cannot be less than 1"],
    ["json-file", { "max-file": "x" }, 'strconv.Atoi: parsing "x": invalid syntax'],
    ["json-file", { "max-size": "0" }, "max-size must be a positive number"],
    ["json-file", { "max-size": "10q" }, "invalid suffix: 'q'"],
    ["json-file", { compress: "true", "max-file": "1" }, "compress cannot be true when max-file is less than 2"],
    ["local", { compress: "true", "max-file": "1" }, "compression cannot be enabled when max file count is 1"],
    ["local", { compress: "x" }, 'strconv.ParseBool: parsing "x": invalid syntax'],
    ["json-file", { tag: "{{" }, 'invalid log tag "{{"'],
    ["json-file", { "labels-regex": "(" }, 'invalid log opt labels-regex "("'],
    ["json-file", { "env-regex": "[" }, 'invalid log opt env-regex "["'],
    ["syslog", {}, 'log driver "syslog" is not supported: use json-file, local or none'],
    ["foo", {}, 'error looking up logging plugin foo: plugin "foo" not found'],
  ])("refuses %s with %j", (Type, Config, message) => {
    expect(() => checkLogConfig({ Type, Config })).toThrow(message);
  });
});

test("mergeLogConfig() gives the engine's options to containers of the engine's driver", () => {
  const defaults = { driver: "local", options: { "max-size": "1m", "max-file": "2" } };
  expect(mergeLogConfig(undefined, defaults)).toEqual({ Type: "local", Config: defaults.options });
  expect(mergeLogConfig({ Type: "", Config: { "max-size": "5m" } }, defaults).Config).toEqual({
    "max-size": "5m",
    "max-file": "2",
  });
  expect(mergeLogConfig({ Type: "json-file" }, defaults)).toEqual({ Type: "json-file", Config: {} });
});

test("logLimits() counts in thousands and has each driver's defaults", () => {
  expect(logLimits({ Type: "json-file", Config: { "max-size": "10k", "max-file": "7" } })).toEqual({
    maxSize: 10_000,
    maxFile: 7,
    compress: false,
  });
  expect(logLimits({ Type: "local" })).toEqual({ maxSize: 20_000_000, maxFile: 5, compress: true });
  expect(logLimits({ Type: "json-file", Config: { "max-size": "-1" } }).maxSize).toBe(Number.POSITIVE_INFINITY);
});
