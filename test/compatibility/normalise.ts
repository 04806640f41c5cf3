/**
 * Makes output comparable between two engines: ids, times, addresses and what follows from them become placeholders; runs of blanks become
 * two, since a column is as wide as its widest cell.
 */
export function normalise(text: string): string {
  let result = text;
  for (const [pattern, replacement] of PATTERNS) result = result.replace(pattern, replacement);
  return (
    result
      .split("\n")
      // Whether they are seen depends on how fast a layer comes.
      .filter((line) => !/: (Verifying Checksum|Waiting|Retrying in)/.test(line))
      .map((line) => line.trimEnd())
      .join("\n")
  );
}

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{64}\b/g, "<id>"],
  [/\b[0-9a-f]{12}\b/g, "<short id>"],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4} [A-Z]+|Z|[+-]\d\d:\d\d)?/g, "<time>"],
  [/(About a|\d+|Less than a) (second|minute|hour)s?( ago)?/g, "<age>"],
  [/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, "<mac>"],
  [/\b(172\.\d+|192\.168)\.\d+\.\d+\b/g, "<ip>"],
  [/time=\d+\.\d+ ms|\d+\.\d+\/\d+\.\d+\/\d+\.\d+ ms/g, "<ms>"],
  [/(\b0\.0\.0\.0|\b127\.0\.0\.1|\[::\]):(3276\d|3277\d|491\d\d)\b/g, "$1:<port>"],
  [/\/run\/tour-\w+/g, "<run>"],
  [/\bref [\w-]+(<short id>)?::\w+/g, "ref <ref>"],
  [/ {2,}|\t+/g, "  "],
];
