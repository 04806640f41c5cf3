import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import { map, object, text } from "#lib/json-decoder.ts";
import type { SentContext } from "#spec/berth-api.ts";

interface Wire {
  readonly id: string;
  readonly url: string;
  readonly digest: string;
}

const decode = map(object<Wire>({ id: text, url: text, digest: text }, { id: "", url: "", digest: "" }), {
  id: "",
  url: "",
  digest: "",
});

/** `berthcontexts` of `POST /build`: the contexts besides the main one. Throws InvalidParameterError. */
export function decodeBuildContexts(parameter: string): Readonly<Record<string, SentContext>> {
  if (parameter === "") return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(parameter);
  } catch (cause) {
    throw new InvalidParameterError(`invalid value for berthcontexts: ${errorMessage(cause)}`, { cause });
  }
  return Object.fromEntries(Object.entries(decode(parsed, "")).map(([name, wire]) => [name, contextOf(name, wire)]));
}

function contextOf(name: string, { id, url, digest }: Wire): SentContext {
  if ((id === "") === (url === "")) {
    throw new InvalidParameterError(`invalid build context ${name}: it needs an id or a url, and not both`);
  }
  if (url !== "") return { url };
  if (digest === "") return { id };
  if (!isDigest(digest))
    throw new InvalidParameterError(`invalid build context ${name}: bad digest ${JSON.stringify(digest)}`);
  return { id, digest };
}

const ENTITLEMENTS = ["network.host", "security.insecure", "device"] as const;
type KnownEntitlement = (typeof ENTITLEMENTS)[number];
/** `device=NAME[,alias=ALIAS]`. */
type DeviceGrant = `device=${string}`;

/** `allow` of `POST /build`, separated by commas; `device=NAME,alias=ALIAS` is one. Throws InvalidParameterError for an unknown one. */
export function decodeEntitlements(parameter: string): readonly (KnownEntitlement | DeviceGrant)[] {
  return parameter
    .split(/,(?!alias=)/)
    .filter(Boolean)
    .map((word) => {
      if (isDeviceGrant(word)) return word;
      const known = ENTITLEMENTS.find((entitlement) => entitlement === word);
      if (known) return known;
      throw new InvalidParameterError(
        `unknown entitlement ${JSON.stringify(word)}: known are ${ENTITLEMENTS.join(", ")}`,
      );
    });
}

function isDeviceGrant(word: string): word is DeviceGrant {
  return word.startsWith("device=") && word !== "device=";
}
