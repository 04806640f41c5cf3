/** Keeps and forgets credentials: in a helper where one is configured, else in `config.json`. */
import { UnavailableError } from "#errors/errors.ts";
import { type AuthEntry, type ConfigDocument, readConfigDocument, writeConfigDocument } from "./config-file.ts";
import { type CredentialSource, type RegistryCredentials, runHelper } from "./registry-auth.ts";

/** Keeps credentials for `key`. Resolves with whether they now lie in the file, in base64 only, and did not before. */
export async function storeCredentials(
  key: string,
  credentials: RegistryCredentials,
  source: CredentialSource,
): Promise<boolean> {
  const file = readConfigDocument(source.configDirectory);
  const helper = file.config.credHelpers?.[key] ?? file.config.credsStore;
  if (helper) {
    const { identitytoken, username = "", password = "" } = credentials;
    const secret = identitytoken
      ? { ServerURL: key, Username: "<token>", Secret: identitytoken }
      : { ServerURL: key, Username: username, Secret: password };
    const { code, output } = await runHelper(helper, "store", `${JSON.stringify(secret)}\n`, source.environment);
    if (code !== 0) {
      const problem = `err: exit status ${code}, out: \`${output.trim()}\``;
      throw new UnavailableError(`Error saving credentials: error storing credentials - ${problem}`);
    }
    // Helpers keep an empty entry in the file, by which docker knows where the user is logged in.
    await writeAuths(source.configDirectory, file, { ...authsOf(file), [key]: {} });
    return false;
  }
  const entry = entryOf(credentials);
  const before = file.config.auths?.[key];
  if (before?.auth === entry.auth && before?.identitytoken === entry.identitytoken) return false;
  await writeAuths(source.configDirectory, file, { ...authsOf(file), [key]: entry });
  return entry.identitytoken === undefined;
}

/** Forgets the credentials for `key`, however old files and helpers spell it. Throws UnavailableError when a helper fails. */
export async function eraseCredentials(key: string, source: CredentialSource): Promise<void> {
  const file = readConfigDocument(source.configDirectory);
  const spellings = [
    ...new Set([key, `http://${key}`, `https://${key}`].filter((spelling) => !/:.*:\/\//.test(spelling))),
  ];
  const helper = file.config.credHelpers?.[key] ?? file.config.credsStore;
  if (helper) {
    const { code, output } = await runHelper(helper, "erase", key, source.environment);
    const isGone = code === 0 || /credentials not found/.test(output);
    if (!isGone)
      throw new UnavailableError(`error erasing credentials - err: exit status ${code}, out: \`${output.trim()}\``);
  }
  const rest = Object.entries(authsOf(file)).filter(([name]) => !spellings.includes(name));
  if (rest.length < Object.keys(authsOf(file)).length) {
    await writeAuths(source.configDirectory, file, Object.fromEntries(rest));
  }
}

/** The entries as they stand in the file, with whatever else docker keeps in them. */
function authsOf({ document }: ConfigDocument): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(document["auths"] ?? {}));
}

function entryOf({ username = "", password = "", identitytoken }: RegistryCredentials): AuthEntry {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return identitytoken ? { auth: Buffer.from(`${username}:`).toString("base64"), identitytoken } : { auth };
}

function writeAuths(
  directory: string,
  { document }: ConfigDocument,
  auths: Readonly<Record<string, unknown>>,
): Promise<void> {
  return writeConfigDocument(directory, { ...document, auths });
}
