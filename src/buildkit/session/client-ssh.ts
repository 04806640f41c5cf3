import type { SshAgents } from "#build/build-client.ts";
import { SSH } from "#proto/ssh_pb.ts";
import { ByteStream } from "./byte-stream.ts";
import { fromClient, isAbsent } from "./grpc-error.ts";
import type { Session } from "./session.ts";

/** Names the agent in the metadata of a connection to it. */
const AGENT_HEADER = "buildkit.ssh.id";

/** The ssh agents that a session's client forwards. https://github.com/moby/buildkit/blob/master/session/sshforward/ssh.go */
export function clientSshAgents(session: Session): SshAgents {
  return {
    open: async (id, signal) => {
      if (!session.serves(SSH, "CheckAgent")) return undefined;
      const client = session.client(SSH);
      try {
        await client.checkAgent({ id }, { signal });
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw fromClient(error, `cannot reach ssh agent ${id}`);
      }
      return {
        connect: async (stop) =>
          new ByteStream((outgoing) =>
            client.forwardAgent(outgoing, {
              headers: { [AGENT_HEADER]: id },
              signal: AbortSignal.any([stop, session.signal]),
            }),
          ),
      };
    },
  };
}
