import { InvalidParameterError } from "#errors/errors.ts";
import { formatDuration } from "#formats/go-duration.ts";
import { parseSignal } from "#lib/signals.ts";
import type { HealthcheckInstruction, Instruction } from "../instructions/types.ts";
import { goList, goQuoteAll } from "./go-format.ts";
import type { ImageDraft } from "./image-draft.ts";
import type { StageContext } from "./stage-context.ts";

/** Instructions that change the image's config alone: no layer, no variable, no cache key. */
export type MetadataInstruction = Exclude<
  Instruction,
  { readonly kind: "run" | "copy" | "add" | "workdir" | "arg" | "env" }
>;

/** Applies the instruction (variables filled in) to the stage's image, with the history entry that BuildKit writes. */
export function applyMetadata(instruction: MetadataInstruction, context: StageContext): void {
  const { image } = context;
  switch (instruction.kind) {
    case "label":
      for (const { key, value } of instruction.pairs) image.setLabel(key, value);
      image.commit(["LABEL", ...instruction.pairs.map(({ key, value }) => `${key}=${value}`)].join(" "));
      break;
    case "user":
      image.setUser(instruction.user);
      image.commit(`USER ${instruction.user}`);
      break;
    case "expose":
      image.addPorts(instruction.ports);
      image.commit(`EXPOSE ${goList(instruction.ports)}`);
      break;
    case "volume":
      applyVolumes(instruction.paths, image);
      break;
    case "cmd":
    case "entrypoint": {
      const args = context.wrap(instruction.command);
      if (instruction.kind === "cmd") image.setCmd(args);
      else image.setEntrypoint(args);
      image.commit(`${instruction.kind.toUpperCase()} ${goQuoteAll(args)}`);
      break;
    }
    case "shell":
      image.setShell(instruction.shell);
      image.commit(`SHELL ${goList(instruction.shell)}`);
      break;
    case "stopsignal":
      // Only checked: an image keeps the text. A number is taken as it is, as by moby's signal package.
      if (!/^[+-]?0*[1-9]\d*$/.test(instruction.signal)) parseSignal(instruction.signal);
      image.setStopSignal(instruction.signal);
      image.commit(`STOPSIGNAL ${instruction.signal}`);
      break;
    case "healthcheck":
      applyHealthcheck(instruction, image);
      break;
    case "onbuild":
      // No history entry: the trigger's own instruction will have one in the image that it makes.
      image.addTrigger(instruction.trigger);
      break;
    case "maintainer":
      image.setAuthor(instruction.maintainer);
      image.commit(`MAINTAINER ${instruction.maintainer}`);
      break;
  }
}

function applyVolumes(paths: readonly string[], image: ImageDraft): void {
  if (paths.includes("")) throw new InvalidParameterError("VOLUME specified can not be an empty string");
  image.addVolumes(paths);
  image.commit(`VOLUME ${goList(paths)}`);
}

function applyHealthcheck(instruction: HealthcheckInstruction, image: ImageDraft): void {
  const { test, interval, timeout, startPeriod, startInterval, retries } = instruction;
  const times = { Interval: interval, Timeout: timeout, StartPeriod: startPeriod, StartInterval: startInterval };
  const given = Object.fromEntries(Object.entries({ ...times, Retries: retries }).filter(([, value]) => value !== 0));
  image.setHealthcheck({ Test: test, ...given });
  const shown = Object.entries(times).map(([name, value]) => `${name}:${formatDuration(value)}`);
  image.commit(`HEALTHCHECK {Test:${goList(test)} ${shown.join(" ")} Retries:${retries}}`);
}
