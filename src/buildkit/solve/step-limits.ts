import type { BuildRequest } from "#build/builder.ts";
import { InvalidParameterError } from "#errors/errors.ts";

type Ulimits = NonNullable<BuildRequest["limits"]>["ulimits"];

/**
 * The limits among the frontend's attributes; nothing without any. Throws InvalidParameterError for numbers that are none.
 * https://github.com/moby/buildkit/blob/master/frontend/dockerui/attr.go
 */
export function frontendLimits(attributes: Readonly<Record<string, string>>): Pick<BuildRequest, "limits"> {
  const { "shm-size": shmSize = "", ulimit = "", "cgroup-parent": cgroupParent = "" } = attributes;
  if (shmSize === "" && ulimit === "" && cgroupParent === "") return {};
  return {
    limits: {
      resources: {},
      ...(shmSize === "" ? {} : { shmSize: wholeNumber("shm size", shmSize, 0) }),
      ulimits: ulimits(ulimit),
      cgroupParent,
    },
  };
}

/** `nofile=1024:2048,nproc=10`: soft and hard, or one for both. */
function ulimits(text: string): Ulimits {
  return text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const [, name, soft, hard = soft] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(part) ?? [];
      if (!name || !soft || !hard) throw new InvalidParameterError(`invalid ulimit: ${part}`);
      return { name, soft: wholeNumber("ulimit", soft, -1), hard: wholeNumber("ulimit", hard, -1) };
    });
}

function wholeNumber(what: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new InvalidParameterError(`invalid ${what}: ${text}`);
  return value;
}
