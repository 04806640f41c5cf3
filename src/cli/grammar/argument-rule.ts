/** How many arguments a command takes, in docker's words. https://github.com/docker/cli/blob/v28.2.2/cli/required.go */
export interface ArgumentRule {
  readonly least: number;
  readonly most: number;
  /** `requires at least 1 argument`. */
  readonly text: string;
}

export const NO_ARGUMENTS: ArgumentRule = { least: 0, most: 0, text: "accepts no arguments" };

/** Exactly `count`. */
export function exactly(count: number): ArgumentRule {
  return { least: count, most: count, text: `requires ${plural(count)}` };
}

/** `least` or more. */
export function atLeast(least: number): ArgumentRule {
  return { least, most: Number.POSITIVE_INFINITY, text: `requires at least ${plural(least)}` };
}

/** None to `most`. */
export function atMost(most: number): ArgumentRule {
  return { least: 0, most, text: `requires at most ${plural(most)}` };
}

/** Between the two, both included. */
export function between(least: number, most: number): ArgumentRule {
  return { least, most, text: `requires at least ${least} and at most ${plural(most)}` };
}

function plural(count: number): string {
  return count === 1 ? "1 argument" : `${count} arguments`;
}
