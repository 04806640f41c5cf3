import { expect, test } from "bun:test";
import { parseConfig } from "./config-file.ts";

const AUTH = Buffer.from("user:pass").toString("base64");

test.each([
  ["", {}, undefined],
  ["null", {}, undefined],
  ['{"psformat":"x"} and more', { psFormat: "x" }, undefined],
  ["{ broken", {}, "invalid character 'b' looking for beginning of object key string"],
  ["[]", {}, "json: cannot unmarshal array into Go value of type configfile.ConfigFile"],
  [
    '{"psFormat":3,"imagesFormat":"x"}',
    { imagesFormat: "x" },
    "json: cannot unmarshal number into Go struct field ConfigFile.psFormat of type string",
  ],
  [
    '{"HttpHeaders":{"A":3,"B":"b"}}',
    { HttpHeaders: { A: "", B: "b" } },
    "json: cannot unmarshal number into Go struct field ConfigFile.HttpHeaders of type string",
  ],
  [
    '{"plugins":{"x":true}}',
    { plugins: { x: {} } },
    "json: cannot unmarshal bool into Go struct field ConfigFile.plugins of type map[string]string",
  ],
  [
    '{"proxies":{"default":{"httpProxy":{},"noProxy":"n"}}}',
    { proxies: { default: { noProxy: "n" } } },
    "json: cannot unmarshal object into Go struct field ProxyConfig.proxies.httpProxy of type string",
  ],
  [`{"auths":{"x":{"auth":"${AUTH}"}}}`, { auths: { x: { auth: AUTH } } }, undefined],
  [
    '{"auths":{"x":{"auth":"bm9jb2xvbg=="}}}',
    { auths: { x: { auth: "bm9jb2xvbg==" } } },
    "Invalid auth configuration file",
  ],
  ['{"auths":{"x":{"auth":"YWJ!"}}}', { auths: { x: { auth: "YWJ!" } } }, "illegal base64 data at input byte 3"],
  ['{"auths":{"x":{"auth":"YWJjZA"}}}', { auths: { x: { auth: "YWJjZA" } } }, "illegal base64 data at input byte 4"],
])("parseConfig(%p) keeps what fits and says in Go's words what does not", (text, config, problem) => {
  expect(parseConfig(text)).toEqual({ config, problem });
});
