import { InvalidParameterError } from "#errors/errors.ts";
import { remoteKind } from "../instructions/remote-source.ts";
import type { AddInstruction, CopyInstruction } from "../instructions/types.ts";
import type { CopyStep, StageGraph } from "./graph-types.ts";
import { copyDestination } from "./image-path.ts";
import type { StageContext } from "./stage-context.ts";
import { stepText } from "./step-name.ts";

/**
 * COPY or ADD as a step, and its history entry: the Dockerfile's form without --from and --link. `from` is the stage it reads;
 * undefined means the build context.
 */
export function compileCopy(
  instruction: CopyInstruction | AddInstruction,
  from: StageGraph | undefined,
  context: StageContext,
  isTrigger: boolean,
): { readonly step: CopyStep; readonly createdBy: string } {
  const { sources, destination, chown, chmod, exclude, heredocs, source } = instruction;
  const isAdd = instruction.kind === "add";
  checkSources(instruction);
  checkMode(chmod);
  const text = stepText(instruction.text, context.variables, { escape: context.options.escape });
  const step: CopyStep = {
    kind: "copy",
    name: context.namer.next(text, isTrigger),
    source,
    from,
    sources,
    inlineFiles: heredocs.map(({ name, content }) => ({ name, content })),
    destination: copyDestination(context.image.workingDir, destination),
    chown,
    chmod,
    exclude,
    unpack: isAdd && (instruction.unpack ?? true),
  };
  const words = [
    isAdd ? "ADD" : "COPY",
    ...(chown === "" ? [] : [`--chown=${chown}`]),
    ...(chmod === "" ? [] : [`--chmod=${chmod}`]),
    ...sources,
    ...heredocs.map(({ name }) => `<<${name}`),
    destination,
    "# buildkit",
  ];
  return { step, createdBy: words.join(" ") };
}

function checkSources(instruction: CopyInstruction | AddInstruction): void {
  const remote = instruction.sources.map(remoteKind).find((kind) => kind !== undefined);
  if (remote !== undefined)
    throw new InvalidParameterError(`source can't be ${remote === "url" ? "a URL" : "a git ref"} for COPY`);
}

function checkMode(chmod: string): void {
  if (chmod === "" || /^[0-7]{1,12}$/.test(chmod)) {
    if (chmod === "" || Number.parseInt(chmod, 8) <= 0o7777) return;
  } else if (/^[ugoa]*([-+=][rwxXst]*|[-+=][ugo])+(,[ugoa]*([-+=][rwxXst]*|[-+=][ugo])+)*$/.test(chmod)) {
    return;
  }
  throw new InvalidParameterError(
    `invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`,
  );
}
