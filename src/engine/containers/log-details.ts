import { queryEscape } from "#formats/go-query-escape.ts";
import { Template } from "#formats/go-template/template.ts";
import type { ContainerRecord } from "./container-record.ts";

/**
 * What `logs --details` puts before each line: the labels and variables that the options name, and the tag, as `a=b,c=d`, escaped and
 * sorted. https://docs.docker.com/engine/logging/drivers/json-file/
 */
export function logDetails(record: ContainerRecord): string {
  const options = record.hostConfig.LogConfig?.Config ?? {};
  const variables = (record.config.Env ?? []).map((text): [string, string] => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  });
  const details = [
    ...chosen(Object.entries(record.config.Labels ?? {}), options["labels"], options["labels-regex"]),
    ...chosen(variables, options["env"], options["env-regex"]),
    ...(options["tag"] ? [["tag", tagOf(record, options["tag"])] as const] : []),
  ];
  return [...new Map(details)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
    .join(",");
}

function chosen(
  all: readonly (readonly [string, string])[],
  names: string | undefined,
  expression: string | undefined,
): (readonly [string, string])[] {
  const listed = (names ?? "").split(",").map((name) => name.trim());
  const pattern = expression ? new RegExp(expression) : undefined;
  return all.filter(([name]) => listed.includes(name) || pattern?.test(name));
}

/** https://docs.docker.com/engine/logging/log_tags/ */
function tagOf(record: ContainerRecord, tag: string): string {
  const imageId = record.imageId;
  return new Template(tag, {}).execute({
    ID: record.id.slice(0, 12),
    FullID: record.id,
    Name: record.name,
    ImageID: imageId.replace(/^sha256:/, "").slice(0, 12),
    ImageFullID: imageId,
    ImageName: record.imageName,
    DaemonName: "docker",
  });
}
