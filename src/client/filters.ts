/** Filter names with the values that each must match one of: `{"label": ["a=b"]}`. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** The `filters` parameter; undefined when there is nothing to filter by. */
export function encodeFilters(filters: Filters | undefined): string | undefined {
  return filters && Object.keys(filters).length > 0 ? JSON.stringify(filters) : undefined;
}
