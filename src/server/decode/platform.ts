import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { normalizePlatform } from "#formats/platform.ts";
import { object, text, textList } from "#lib/json-decoder.ts";
import type { Platform } from "#spec/oci-image.ts";
import type { RequestContext } from "../request-context.ts";

const decode = object<Platform>(
  { os: text, architecture: text, variant: text, "os.version": text, "os.features": textList },
  { os: "", architecture: "" },
);

/**
 * A platform in the query as JSON (`{"os":"linux","architecture":"arm64"}`), as all calls but create and build take it since 1.46. Undefined when
 * it is absent. Throws InvalidParameterError in moby's words (daemon/server/httputils/form.go).
 */
export function platformParameter(request: RequestContext, name: string = "platform"): Platform | undefined {
  return platformParameters(request, name)[0];
}

/** As `platformParameter`, of a parameter that may be repeated. */
export function platformParameters({ query }: RequestContext, name: string): readonly Platform[] {
  return query
    .getAll(name)
    .filter((value) => value !== "")
    .map(decodePlatform);
}

function decodePlatform(value: string): Platform {
  let platform: Platform;
  try {
    platform = decode(JSON.parse(value), "");
  } catch (cause) {
    throw new InvalidParameterError(`failed to parse platform: ${errorMessage(cause)}`, { cause });
  }
  const { os, architecture } = platform;
  if (os === "" && architecture === "" && (platform.variant || platform["os.version"])) {
    throw new InvalidParameterError("optional platform fields provided, but OS and Architecture are missing");
  }
  if (os === "" || architecture === "") throw new InvalidParameterError("both OS and Architecture must be provided");
  return normalizePlatform(platform);
}
