/** Names further away than this are not offered. BuildKit's util/suggest has the same bound. */
const MAX_DISTANCE = 2;

/** ` (did you mean x?)` when one of `options` is close to `value`, else "". */
export function suggestion(value: string, options: readonly string[]): string {
  if (options.includes(value)) return "";
  let best = "";
  let distance = MAX_DISTANCE + 1;
  for (const option of options) {
    const current = editDistance(value, option);
    if (current < distance) [best, distance] = [option, current];
  }
  return best === "" ? "" : ` (did you mean ${best}?)`;
}

/** Levenshtein distance: the fewest insertions, deletions and replacements of a character between the two. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const replace = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, replace));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
