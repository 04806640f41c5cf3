import { InvalidParameterError } from "#errors/errors.ts";

const PROTOCOLS = ["tcp", "udp", "sctp"];

/**
 * The container ports of one word of EXPOSE, as the image config has them: `80` gives `80/tcp`, `8000-8002/udp` gives three. A host
 * part (`127.0.0.1:8080:80`) is accepted and dropped. Throws InvalidParameterError in the words of go-connections' nat package.
 */
export function containerPorts(spec: string): readonly string[] {
  const slash = spec.indexOf("/");
  const protocol = (slash < 0 ? "tcp" : spec.slice(slash + 1)).toLowerCase();
  const range = (slash < 0 ? spec : spec.slice(0, slash)).replace(/^.*:/, "");
  if (range === "") throw new InvalidParameterError(`no port specified: ${spec}<empty>`);
  if (!PROTOCOLS.includes(protocol)) throw new InvalidParameterError(`invalid proto: ${protocol}`);
  const [first, last] = parseRange(range);
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

function parseRange(range: string): readonly [number, number] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range);
  const first = Number(match?.[1]);
  const last = match?.[2] === undefined ? first : Number(match[2]);
  if (!match || first > last || last > 65535) throw new InvalidParameterError(`invalid containerPort: ${range}`);
  return [first, last];
}
