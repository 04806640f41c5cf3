import type { TwiceReport } from "#spec/build-twice.ts";

/** What `build --twice` prints. */
export function twiceText({ first, second, isSame, layers, layer, config }: TwiceReport): string {
  const count = layers === 1 ? "1 layer" : `${layers} layers`;
  if (isSame && first === second) return `Built twice, the same image: ${first}\n`;
  if (isSame) {
    return `Built twice, the same ${count} and configuration: only the times of creation differ (--build-arg SOURCE_DATE_EPOCH=… sets them)\n`;
  }
  const lines = [
    ...(layer ? [`Built twice, and layer ${layer.number} of ${layers} differs: ${layer.step}\n`] : []),
    ...(layer?.file ? [fileText(layer.file)] : []),
    ...(config.length > 0
      ? [`${layer ? "Also" : "Built twice, and"} the configuration differs: ${config.join(", ")}\n`]
      : []),
  ];
  return lines.length > 0 ? lines.join("") : "Built twice, and the number of layers differs\n";
}

function fileText({ path, differences }: NonNullable<NonNullable<TwiceReport["layer"]>["file"]>): string {
  return [
    `First file that differs: ${path}\n`,
    ...differences.map(({ what, first, second }) => ` - ${what}: ${first} → ${second}\n`),
  ].join("");
}
