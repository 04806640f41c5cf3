import { readFileSync } from "node:fs";
import { InvalidParameterError } from "#errors/errors.ts";

/** The id of a group by its name in /etc/group, or its number; undefined for "". Throws InvalidParameterError in dockerd's words. */
export function groupId(name: string, groups: string = readFileSync("/etc/group", "utf8")): number | undefined {
  if (name === "") return undefined;
  const found = groups
    .split("\n")
    .map((line) => line.split(":"))
    .find(([known]) => known === name)?.[2];
  if (found !== undefined) return Number(found);
  if (/^\d+$/.test(name)) return Number(name);
  throw new InvalidParameterError(`failed to load listeners: group ${name} not found`);
}
