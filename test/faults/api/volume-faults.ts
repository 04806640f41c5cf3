import type { Fault } from "./fault.ts";

/** Of volumes. */
export const VOLUME_FAULTS: readonly Fault[] = [
  { call: "GET /volumes?filters=x", status: 400, message: "invalid filter" },
  { call: 'GET /volumes?filters={"odd":["x"]}', status: 400, message: "invalid filter 'odd'" },
  { call: 'GET /volumes?filters={"dangling":["odd"]}', status: 400, message: "invalid filter 'dangling=[odd]'" },
  { call: "GET /volumes/none", status: 404, message: "get none: no such volume" },
  { call: "GET /volumes/..%2Fx", status: 404, message: "get ../x: no such volume" },
  { call: "POST /volumes/create", body: "{", status: 400, message: "invalid JSON: unexpected EOF" },
  {
    call: "POST /volumes/create",
    body: "[]",
    status: 400,
    message: "invalid JSON: json: cannot unmarshal array into Go value of type map[string]string",
  },
  {
    call: "POST /volumes/create",
    body: { Name: "a b" },
    status: 400,
    message:
      'create a b: "a b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  },
  {
    call: "POST /volumes/create",
    body: { Name: "../x" },
    status: 400,
    message:
      'create ../x: "../x" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  },
  {
    call: "POST /volumes/create",
    body: { Name: "v" },
    status: 400,
    message: "create v: volume name is too short, names should be at least two alphanumeric characters",
  },
  {
    call: "POST /volumes/create",
    body: { Name: "-" },
    status: 400,
    message: "create -: volume name is too short, names should be at least two alphanumeric characters",
  },
  {
    call: "POST /volumes/create",
    body: { Name: 5 },
    status: 400,
    message: "invalid JSON: json: cannot unmarshal number into Go struct field Config.Name of type string",
  },
  {
    call: "POST /volumes/create",
    body: { Name: "vv", Driver: "odd" },
    status: 404,
    message: 'create vv: error looking up volume plugin odd: plugin "odd" not found',
  },
  {
    call: "POST /volumes/create",
    body: { Name: "vv", DriverOpts: { odd: "1" } },
    status: 400,
    message: 'create vv: invalid option: "odd"',
  },
  {
    call: "POST /volumes/create",
    body: { Name: "vv", DriverOpts: { type: "tmpfs" } },
    status: 400,
    message: 'create vv: missing required option: "device"',
  },
  {
    call: "POST /volumes/create",
    body: { Name: "vv", DriverOpts: { device: "/x" } },
    status: 400,
    message: 'create vv: missing required option: "type"',
  },
  {
    call: "POST /volumes/create",
    body: { Name: "vv", Labels: "x" },
    status: 400,
    message: "invalid JSON: json: cannot unmarshal string into Go struct field Config.Labels of type map[string]string",
  },
  { call: "DELETE /volumes/none", status: 404, message: "get none: no such volume" },
  { call: "DELETE /volumes/vol", status: 409, message: "remove vol: volume is in use - [<id>]" },
  { call: "DELETE /volumes/vol?force=1", status: 409, message: "remove vol: volume is in use - [<id>]" },
  { call: "DELETE /volumes/vv", status: 404, message: "get vv: no such volume" },
  { call: "POST /volumes/prune?filters=x", status: 400, message: "invalid filter" },
  { call: 'POST /volumes/prune?filters={"odd":["x"]}', status: 400, message: "invalid filter 'odd'" },
  { call: 'POST /volumes/prune?filters={"until":["1h"]}', status: 400, message: "invalid filter 'until'" },
  { call: 'POST /volumes/prune?filters={"all":["x"]}', status: 400, message: "invalid filter 'all=[x]'" },
  { call: "DELETE /volumes/a%20b", status: 404, message: "get a b: no such volume" },
];
