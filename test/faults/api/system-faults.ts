import type { Fault } from "./fault.ts";

/** Of the engine as a whole, swarm and plugins. */
export const SYSTEM_FAULTS: readonly Fault[] = [
  { call: "GET /vabc/containers/json", status: 404, message: "page not found" },
  { call: "PUT /_ping", status: 404, message: "page not found" },
  { call: "DELETE /info", status: 404, message: "page not found" },
  { call: "GET /events?since=x", status: 400, message: 'invalid value for since: "x": expected seconds.nanoseconds' },
  { call: "GET /events?until=x", status: 400, message: 'invalid value for until: "x": expected seconds.nanoseconds' },
  { call: "GET /events?since=10&until=5", status: 400, message: "`since` time (10) cannot be after `until` time (5)" },
  { call: "GET /events?filters=x", status: 400, message: "invalid filter" },
  { call: 'GET /events?filters={"odd":["x"]}&until=1', status: 400, message: "invalid filter 'odd'" },
  { call: "GET /system/df?type=odd", status: 400, message: "unknown object type: odd" },
  {
    call: "GET /swarm",
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "POST /swarm/init",
    body: {},
    status: 501,
    message: "Berth runs containers on one host and cannot be part of a swarm",
  },
  {
    call: "POST /swarm/join",
    body: {},
    status: 501,
    message: "Berth runs containers on one host and cannot be part of a swarm",
  },
  { call: "POST /swarm/leave", status: 503, message: "This node is not part of a swarm" },
  {
    call: "POST /swarm/update",
    body: {},
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "GET /nodes",
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "GET /services",
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "GET /tasks",
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "GET /secrets",
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "GET /configs",
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "POST /services/create",
    body: {},
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "POST /secrets/create",
    body: {},
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "POST /configs/create",
    body: {},
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "GET /services/x",
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  { call: "GET /plugins?filters=x", status: 400, message: "invalid filter" },
  { call: "GET /plugins/x/json", status: 404, message: 'plugin "x" not found' },
  { call: "POST /plugins/x/enable", status: 404, message: 'plugin "x" not found' },
  {
    call: "GET /swarm/unlockkey",
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  { call: "GET /berth/system/check/x", status: 404, message: "page not found" },
  { call: "GET /berth/prune?images=odd", status: 400, message: 'invalid images "odd": use dangling or all' },
  { call: "GET /berth/prune?filters=x", status: 400, message: "invalid filter" },
  {
    call: "GET /events",
    headers: { Connection: "Upgrade", Upgrade: "tcp" },
    status: 400,
    message: "this call does not take an Upgrade header",
  },
  {
    call: "GET /nodes/x",
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "GET /services/x/logs",
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "POST /services/x/update",
    body: {},
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  {
    call: "DELETE /secrets/x",
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
  { call: 'GET /plugins?filters={"odd":["x"]}', status: 400, message: "invalid filter 'odd'" },
  {
    call: "POST /plugins/pull?remote=x",
    body: [],
    status: 501,
    message: "Berth has no plugins: what it can do is built in",
  },
  {
    call: "GET /plugins/privileges?remote=x",
    status: 501,
    message: "Berth has no plugins: what it can do is built in",
  },
  { call: "DELETE /plugins/x", status: 404, message: 'plugin "x" not found' },
  { call: "POST /plugins/create?name=x", status: 501, message: "Berth has no plugins: what it can do is built in" },
  { call: "POST /plugins/a/b/set", body: [], status: 404, message: 'plugin "a/b" not found' },
  {
    call: "POST /swarm/unlock",
    body: {},
    status: 503,
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  },
];
