/** `--platform a,b --platform c` as a list. */
export function platformList(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(",")).filter((value) => value !== "");
}
