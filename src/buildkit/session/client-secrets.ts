import type { BuildSecrets } from "#build/build-client.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { Secrets } from "#proto/secrets_pb.ts";
import { fromClient, isAbsent } from "./grpc-error.ts";
import type { Session } from "./session.ts";

/** As BuildKit. https://github.com/moby/buildkit/blob/master/session/secrets/secretsprovider/secretsprovider.go */
const MAX_SECRET = 500 * 1024;

/** The secrets that a session's client has. */
export function clientSecrets(session: Session): BuildSecrets {
  return {
    get: async (id, signal) => {
      if (!session.serves(Secrets, "GetSecret")) return undefined;
      try {
        const { data } = await session.client(Secrets).getSecret({ id }, { signal });
        if (data.length > MAX_SECRET)
          throw new InvalidParameterError(`secret ${id} is larger than ${MAX_SECRET} bytes`);
        return data;
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw fromClient(error, `cannot get secret ${id}`);
      }
    },
  };
}
