import type { ChownOpt, UserOpt } from "#proto/ops_pb.ts";

/** An owner as `--chown` takes it, "" for none. */
export function ownerText(owner: ChownOpt | undefined): string {
  const user = nameOf(owner?.user);
  const group = nameOf(owner?.group);
  return group === "" ? user : `${user || "0"}:${group}`;
}

function nameOf(given: UserOpt | undefined): string {
  if (given?.user.case === "byId") return String(given.user.value);
  if (given?.user.case === "byName") return given.user.value.name;
  return "";
}
