import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http2";
import { connect } from "node:net";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { errorMessage } from "#errors/errors.ts";
import { Health } from "#proto/health_pb.ts";
import { Secrets } from "#proto/secrets_pb.ts";
import { type BytesMessage, SSH } from "#proto/ssh_pb.ts";
import type { Engine } from "../engine.ts";
import { EngineDuplex } from "./engine-duplex.ts";

/** What a build's steps may ask of the client; each is read when a step asks for it. */
export interface BuildServices {
  /** By id. */
  readonly secrets: ReadonlyMap<string, () => Promise<Uint8Array>>;
  /** Sockets of ssh agents, by id. */
  readonly agents: ReadonlyMap<string, string>;
}

/** A session that serves a build; dispose it when the build has ended. */
export interface BuildSession extends Disposable {
  readonly id: string;
}

const AGENT_HEADER = "buildkit.ssh.id";
const SERVING = 1;

/**
 * Opens a session on the engine and serves the build's secrets and ssh agents on it, by BuildKit's protocol: the engine calls, this answers.
 * Throws EngineError.
 */
export async function openBuildSession(engine: Engine, services: BuildServices): Promise<BuildSession> {
  const id = randomBytes(16).toString("hex");
  const served = [Secrets, SSH, Health].flatMap(({ typeName, methods }) =>
    methods.map(({ name }) => `/${typeName}/${name}`),
  );
  const stream = await engine.upgrade({
    method: "POST",
    path: "/session",
    headers: {
      Upgrade: "h2c",
      "X-Docker-Expose-Session-Uuid": id,
      "X-Docker-Expose-Session-Name": "berth",
      "X-Docker-Expose-Session-Grpc-Method": served.join(","),
    },
  });
  const connection = new EngineDuplex(stream);
  connection.on("error", () => undefined);
  const routes = (router: ConnectRouter): void => route(router, services);
  createServer(connectNodeAdapter({ routes })).emit("connection", connection);
  return { id, [Symbol.dispose]: () => void connection.destroy() };
}

function route(router: ConnectRouter, { secrets, agents }: BuildServices): void {
  const agentOf = (id: string): string => {
    const socket = agents.get(id || "default");
    if (!socket) throw new ConnectError(`unset ssh forward key ${id}`, Code.NotFound);
    return socket;
  };
  router.service(Health, { check: () => ({ status: SERVING }) });
  router.service(Secrets, {
    getSecret: async ({ id }) => {
      const read = secrets.get(id);
      if (!read) throw new ConnectError(`secret ${id} not found`, Code.NotFound);
      return { data: await read() };
    },
  });
  router.service(SSH, {
    checkAgent: ({ id }) => {
      agentOf(id);
      return {};
    },
    forwardAgent: (messages, { requestHeader }) => forward(agentOf(requestHeader.get(AGENT_HEADER) ?? ""), messages),
  });
}

/** Joins a step's connection with a new one to the agent. */
async function* forward(
  path: string,
  messages: AsyncIterable<BytesMessage>,
): AsyncGenerator<{ data: Uint8Array }, void, void> {
  const agent = connect(path);
  try {
    await once(agent, "connect");
  } catch (cause) {
    throw new ConnectError(`cannot reach the ssh agent ${path}: ${errorMessage(cause)}`, Code.Unavailable);
  }
  const sending = (async () => {
    for await (const { data } of messages) if (!agent.write(data)) await once(agent, "drain");
    agent.end();
  })();
  sending.catch(() => agent.destroy());
  try {
    for await (const chunk of agent) yield { data: chunk as Buffer };
  } finally {
    agent.destroy();
  }
}
