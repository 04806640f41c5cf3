import type { BuildRequest } from "#engine/builds/build-service.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { integer, list, object, text } from "#lib/json-decoder.ts";
import type { Ulimit } from "#spec/docker-resources.ts";
import { parseJson } from "../json-body.ts";
import type { RequestContext } from "../request-context.ts";

const decodeUlimits = list(
  object<Ulimit>({ Name: text, Soft: integer, Hard: integer }, { Name: "", Soft: 0, Hard: 0 }),
);

/** Memory that no command can begin in: docker's own least, bytes. */
const LEAST_MEMORY = 6 * 1024 * 1024;

/** The limits among the parameters of `POST /build`. Throws InvalidParameterError for numbers that are none, or too small. */
export function stepLimits(request: RequestContext): Pick<BuildRequest, "limits"> {
  const memory = number(request, "memory");
  if (memory !== undefined && memory < LEAST_MEMORY) {
    throw new InvalidParameterError("Minimum memory limit allowed is 6MB");
  }
  const memorySwap = number(request, "memswap");
  if (memory !== undefined && memorySwap !== undefined && memorySwap > 0 && memorySwap < memory) {
    throw new InvalidParameterError("Minimum memoryswap limit should be larger than memory limit, see usage");
  }
  if (memory === undefined && memorySwap !== undefined && memorySwap > 0) {
    throw new InvalidParameterError("You should always set the Memory limit when using Memoryswap limit, see usage");
  }
  const shmSize = number(request, "shmsize");
  const ulimits = request.text("ulimits");
  return {
    limits: {
      resources: {
        ...optional("memory", memory),
        ...optional("memorySwap", memorySwap),
        ...optional("cpuShares", number(request, "cpushares")),
        ...optional("cpuPeriod", number(request, "cpuperiod")),
        ...optional("cpuQuota", number(request, "cpuquota")),
        ...optional("cpusetCpus", request.text("cpusetcpus") || undefined),
        ...optional("cpusetMems", request.text("cpusetmems") || undefined),
      },
      ...optional("shmSize", shmSize),
      ulimits: (ulimits === "" ? [] : decodeUlimits(parseJson(ulimits) ?? [], "ulimits")).map(
        ({ Name: name, Soft: soft, Hard: hard }) => ({ name, soft, hard }),
      ),
      cgroupParent: request.text("cgroupparent"),
    },
  };
}

/** undefined for absent and 0, as Docker takes it. */
function number(request: RequestContext, name: string): number | undefined {
  const given = request.text(name);
  if (given === "" || given === "0") return undefined;
  const value = Number(given);
  if (!Number.isSafeInteger(value))
    throw new InvalidParameterError(`invalid value for ${name}: ${JSON.stringify(given)}`);
  return value;
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [key in K]?: V };
}
