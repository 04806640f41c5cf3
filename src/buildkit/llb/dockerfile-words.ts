/*
 * Words of a Dockerfile that say exactly what a definition says: nothing in them is a variable, a quote or the end of a line to the parser.
 */

/** A list in JSON form whose words are expanded as a shell would: each is quoted against that. */
export function literalList(words: readonly string[]): string {
  return JSON.stringify(words.map(literalWord));
}

/** A list in JSON form that is taken as it is, as RUN does. */
export function exactList(words: readonly string[]): string {
  return JSON.stringify(words);
}

/** In single quotes nothing has a meaning; a single quote itself stands between double ones. */
export function literalWord(word: string): string {
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** Whether a word can stand where the parser takes a word as it is: in flags, which have no quotes. */
export function isPlainWord(word: string): boolean {
  return /^[A-Za-z0-9_./:@+=-]*$/.test(word);
}
