import { rawTar } from "../../tools/harness/raw-tar.ts";
import type { ApiClient, CallOptions } from "./api-client.ts";
import type { Random } from "./random.ts";

/** What one client works with. Everything that it makes bears its label and its name, and is gone at the end of each scenario. */
export interface World {
  readonly client: ApiClient;
  readonly random: Random;
  /** `c17`. */
  readonly name: string;
  /** Names of running containers that all clients share. */
  readonly shared: readonly string[];
  /** References of images in a registry. */
  readonly remote: readonly string[];
  /** Distinguishes what this client makes. */
  count: number;
}

/** Something that a user does: one call, or some that belong together. */
export interface Scenario {
  readonly weight: number;
  readonly run: (world: World) => Promise<void>;
}

const LABEL = "load.client";
const json = JSON.stringify;
const query = (filters: Readonly<Record<string, readonly string[]>>): string =>
  `filters=${encodeURIComponent(json(filters))}`;

/** Another client may have it stopped, paused or renamed just now. */
const CONTESTED: CallOptions = { expect: [200, 204, 304, 404, 409] };

function one(world: World): string {
  return world.shared[world.random.below(world.shared.length)] ?? "";
}

function fresh(world: World): string {
  return `load-${world.name}-${world.count++}`;
}

function get(weight: number, name: string, path: (world: World) => string, options?: CallOptions): Scenario {
  return { weight, run: async (world) => void (await world.client.call(`GET ${name}`, "GET", path(world), options)) };
}

const OF_SHARED = "/containers/{id}";
const shared = (rest: string) => (world: World) => `/containers/${one(world)}${rest}`;

const READS: readonly Scenario[] = [
  get(6, "/containers/json", () => "/containers/json"),
  get(
    3,
    "/containers/json?filters",
    () => `/containers/json?all=1&${query({ label: ["load=shared"], status: ["running"] })}`,
  ),
  get(8, `${OF_SHARED}/json`, shared("/json")),
  get(2, `${OF_SHARED}/top`, shared("/top"), CONTESTED),
  get(2, `${OF_SHARED}/changes`, shared("/changes")),
  get(3, `${OF_SHARED}/logs`, shared("/logs?stdout=1&stderr=1&tail=20&timestamps=1")),
  get(3, `${OF_SHARED}/stats?one-shot`, shared("/stats?stream=0&one-shot=1")),
  get(2, `${OF_SHARED}/archive`, shared("/archive?path=/etc/passwd")),
  get(2, "/images/json", () => "/images/json"),
  get(2, "/images/{name}/json", () => "/images/busybox/json"),
  get(1, "/images/{name}/history", () => "/images/busybox/history"),
  get(2, "/networks", () => "/networks"),
  get(2, "/networks/{id}", () => "/networks/bridge"),
  get(2, "/volumes", () => "/volumes"),
  get(1, "/info", () => "/info"),
  get(1, "/version", () => "/version"),
  get(0.3, "/system/df", () => "/system/df"),
  get(1, "(missing)", () => "/containers/no-such-container/json", { expect: [404] }),
  get(1, "/events?until", () => `/events?since=${Date.now() / 1000 - 2}&until=${Date.now() / 1000}`),
];

const STREAMS: readonly Scenario[] = [
  stream(2, `GET ${OF_SHARED}/logs?follow`, shared("/logs?stdout=1&stderr=1&follow=1&tail=5")),
  stream(2, `GET ${OF_SHARED}/stats`, shared("/stats")),
  stream(1, "GET /events", () => `/events?${query({ type: ["container"] })}`),
  {
    weight: 2,
    run: async (world) => {
      const path = `/containers/${one(world)}/attach?stream=1&stdout=1&stderr=1`;
      const options = { milliseconds: 200 + world.random.below(800), expect: [101, 409] };
      await world.client.hijack(`POST ${OF_SHARED}/attach`, path, options);
    },
  },
];

function stream(weight: number, name: string, path: (world: World) => string): Scenario {
  const run = async (world: World): Promise<void> =>
    void (await world.client.follow(name, path(world), 300 + world.random.below(1500)));
  return { weight, run };
}

/** What clients do to the containers of others. */
const CONTESTS: readonly Scenario[] = [
  { weight: 4, run: execIn },
  { weight: 1, run: (world) => post(world, one(world), "restart?t=0", CONTESTED) },
  {
    weight: 1,
    run: async (world) => {
      const name = one(world);
      await post(world, name, "pause", CONTESTED);
      await post(world, name, "unpause", CONTESTED);
    },
  },
  { weight: 1, run: (world) => post(world, one(world), "update", { ...CONTESTED, body: { CpuShares: 512 } }) },
  {
    weight: 2,
    run: async (world) => {
      const body = rawTar([{ path: `load-${world.name}`, content: "written by a client\n" }]);
      await world.client.call(`PUT ${OF_SHARED}/archive`, "PUT", `/containers/${one(world)}/archive?path=/tmp`, {
        body,
      });
    },
  },
];

async function post(world: World, container: string, action: string, options?: CallOptions): Promise<void> {
  const name = `POST ${OF_SHARED}/${action.split("?")[0]}`;
  await world.client.call(name, "POST", `/containers/${container}/${action}`, options);
}

async function execIn(world: World): Promise<void> {
  const body = { Cmd: ["cat"], AttachStdin: true, AttachStdout: true, AttachStderr: true };
  const path = `/containers/${one(world)}/exec`;
  const made = await world.client.call(`POST ${OF_SHARED}/exec`, "POST", path, { body, expect: [201, 409] });
  if (made.status !== 201) return;
  const id = idOf(made.body);
  // Its container may have been stopped or restarted, and with it goes what is known of it.
  const options = { body: {}, input: "to and fro\n", milliseconds: 20_000, expect: [101, 404, 409] };
  await world.client.hijack("POST /exec/{id}/start", `/exec/${id}/start`, options);
  await world.client.call("GET /exec/{id}/json", "GET", `/exec/${id}/json`, { expect: [200, 404] });
}

function idOf(body: Buffer): string {
  return /"Id":"([^"]+)"/.exec(body.toString("utf8"))?.[1] ?? "";
}

interface Create {
  readonly Cmd: readonly string[];
  readonly HostConfig?: Readonly<Record<string, unknown>>;
}

async function create(world: World, name: string, config: Create): Promise<string> {
  const body = { Image: "busybox", Labels: { [LABEL]: world.name }, ...config };
  const made = await world.client.call("POST /containers/create", "POST", `/containers/create?name=${name}`, { body });
  return idOf(made.body);
}

async function remove(world: World, name: string): Promise<void> {
  await world.client.call("DELETE /containers/{id}", "DELETE", `/containers/${name}?force=1&v=1`);
}

const LOOP = "trap 'exit 3' TERM; n=0; while true; do echo line $n; n=$((n+1)); sleep 0.2; done";

const LIVES: readonly Scenario[] = [
  { weight: 4, run: runToEnd },
  { weight: 3, run: longLife },
  { weight: 2, run: inNetwork },
  { weight: 2, run: withVolume },
  { weight: 1, run: removedByItself },
  { weight: 1, run: pruned },
];

/** As `docker run` does it: the wait is there before the start. */
async function runToEnd(world: World): Promise<void> {
  const name = fresh(world);
  await create(world, name, { Cmd: ["echo", "hello"] });
  const waiting = world.client.call(
    "POST /containers/{id}/wait",
    "POST",
    `/containers/${name}/wait?condition=next-exit`,
  );
  await post(world, name, "start");
  await waiting;
  const logs = await world.client.call("GET (own)/logs", "GET", `/containers/${name}/logs?stdout=1`);
  if (logs.status === 200 && !logs.body.includes("hello"))
    throw new Error(`logs of ${name} have ${json(String(logs.body))}`);
  await remove(world, name);
}

async function longLife(world: World): Promise<void> {
  const name = fresh(world);
  const PortBindings = { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] };
  const id = await create(world, name, { Cmd: ["sh", "-c", LOOP], HostConfig: { PortBindings } });
  await post(world, name, "start");
  const following = world.client.follow("GET (own)/logs?follow", `/containers/${id}/logs?stdout=1&follow=1`, 20_000);
  await post(world, name, `rename?name=${name}-renamed`);
  await world.client.call("POST /commit", "POST", `/commit?container=${name}-renamed&repo=committed-${name}`);
  await post(world, `${name}-renamed`, "stop?t=5");
  // The end of the container is the end of its log.
  await following;
  await post(world, `${name}-renamed`, "start");
  await post(world, `${name}-renamed`, "kill");
  await remove(world, `${name}-renamed`);
  await world.client.call("DELETE /images/{name}", "DELETE", `/images/committed-${name}`);
}

async function inNetwork(world: World): Promise<void> {
  const [network, name] = [fresh(world), fresh(world)];
  const { client } = world;
  const body = { Name: network, Labels: { [LABEL]: world.name } };
  // There are only so many subnets: then Docker says so, too.
  const made = await client.call("POST /networks/create", "POST", "/networks/create", { body, expect: [201, 400] });
  if (made.status !== 201) return;
  await create(world, name, { Cmd: ["sleep", "60"], HostConfig: { NetworkMode: network } });
  await post(world, name, "start");
  const Container = name;
  await client.call("POST /networks/{id}/connect", "POST", "/networks/bridge/connect", { body: { Container } });
  await client.call("GET /networks/{id}", "GET", `/networks/${network}`);
  await client.call("POST /networks/{id}/disconnect", "POST", `/networks/${network}/disconnect`, {
    body: { Container },
  });
  await remove(world, name);
  await client.call("DELETE /networks/{id}", "DELETE", `/networks/${network}`);
}

async function withVolume(world: World): Promise<void> {
  const [volume, name] = [fresh(world), fresh(world)];
  const { client } = world;
  const body = { Name: volume, Labels: { [LABEL]: world.name } };
  await client.call("POST /volumes/create", "POST", "/volumes/create", { body });
  await create(world, name, {
    Cmd: ["sh", "-c", "echo kept > /data/file"],
    HostConfig: { Binds: [`${volume}:/data`] },
  });
  await post(world, name, "start");
  await client.call("DELETE /volumes/{name} (in use)", "DELETE", `/volumes/${volume}`, { expect: [409] });
  await post(world, name, "wait");
  await client.call("GET (own)/archive", "GET", `/containers/${name}/archive?path=/data/file`);
  await client.call("GET (own)/export", "GET", `/containers/${name}/export`);
  await remove(world, name);
  await client.call("DELETE /volumes/{name}", "DELETE", `/volumes/${volume}`);
}

async function removedByItself(world: World): Promise<void> {
  const name = fresh(world);
  await create(world, name, { Cmd: ["true"], HostConfig: { AutoRemove: true } });
  const path = `/containers/${name}/wait?condition=removed`;
  const waiting = world.client.call("POST /containers/{id}/wait", "POST", path);
  await post(world, name, "start");
  await waiting;
}

async function pruned(world: World): Promise<void> {
  const [name, volume] = [fresh(world), fresh(world)];
  const { client } = world;
  const filters = query({ label: [`${LABEL}=${world.name}`] });
  await create(world, name, { Cmd: ["true"] });
  const body = { Name: volume, Labels: { [LABEL]: world.name } };
  await client.call("POST /volumes/create", "POST", "/volumes/create", { body });
  // One prune of a kind at a time, as in Docker.
  const options = { expect: [200, 409] };
  await client.call("POST /containers/prune", "POST", `/containers/prune?${filters}`, options);
  await client.call("POST /volumes/prune", "POST", `/volumes/prune?${filters}`, options);
  await client.call("POST /networks/prune", "POST", `/networks/prune?${filters}`, options);
  await client.call("DELETE /containers/{id}", "DELETE", `/containers/${name}?force=1`, { expect: [204, 404, 409] });
  await client.call("DELETE /volumes/{name}", "DELETE", `/volumes/${volume}?force=1`, { expect: [204, 404] });
}

const IMAGES: readonly Scenario[] = [
  { weight: 1.5, run: build },
  { weight: 1.5, run: pull },
  { weight: 0.5, run: saveAndLoad },
];

async function build(world: World): Promise<void> {
  const name = fresh(world);
  const Dockerfile = `FROM busybox\nLABEL ${LABEL}=${world.name}\nCOPY note /note\nRUN echo ${name} >> /note\n`;
  const body = rawTar([
    { path: "Dockerfile", content: Dockerfile },
    { path: "note", content: name },
  ]);
  const built = await world.client.call("POST /build", "POST", `/build?t=${name}&rm=1`, { body });
  checkStream("POST /build", built.body);
  await world.client.call("DELETE /images/{name}", "DELETE", `/images/${name}`);
}

/** Several clients pull, tag and remove the same image. */
async function pull(world: World): Promise<void> {
  const { client, random, remote } = world;
  const reference = remote[random.below(remote.length)] ?? "";
  const [name, tag] = [reference.slice(0, reference.lastIndexOf(":")), reference.slice(reference.lastIndexOf(":") + 1)];
  const path = `/images/create?fromImage=${encodeURIComponent(name)}&tag=${tag}`;
  const pulled = await client.call("POST /images/create", "POST", path);
  checkStream("POST /images/create", pulled.body);
  const options = { expect: [201, 404] };
  const own = fresh(world);
  const tagged = await client.call("POST /images/{name}/tag", "POST", `/images/${reference}/tag?repo=${own}`, options);
  if (tagged.status === 201) await client.call("DELETE /images/{name}", "DELETE", `/images/${own}`);
  await client.call("DELETE /images/{name}", "DELETE", `/images/${reference}`, { expect: [200, 404, 409] });
}

async function saveAndLoad(world: World): Promise<void> {
  const { body } = await world.client.call("GET /images/{name}/get", "GET", "/images/busybox/get");
  const loaded = await world.client.call("POST /images/load", "POST", "/images/load?quiet=1", { body });
  checkStream("POST /images/load", loaded.body);
}

/** A failure after the first byte stands in the stream. */
function checkStream(name: string, body: Buffer): void {
  const text = body.toString("utf8");
  if (text.includes('"errorDetail"'))
    throw new Error(`${name}: ${text.slice(text.indexOf('"errorDetail"') - 1).slice(0, 300)}`);
}

export const SCENARIOS: readonly Scenario[] = [...READS, ...STREAMS, ...CONTESTS, ...LIVES, ...IMAGES];
