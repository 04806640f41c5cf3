/** The bits of `who` in a symbolic mode. */
const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };
const PERMISSION: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 };

/** `mode` after `chmod text`, octal or symbolic (`u+x,go=rX`), as chmod(1) with umask 0. `text` is well-formed. */
export function applyMode(text: string, mode: number, isDirectory: boolean): number {
  if (/^[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return text.split(",").reduce((current, clause) => applyClause(clause, current, isDirectory), mode);
}

function applyClause(clause: string, mode: number, isDirectory: boolean): number {
  const who = /^[ugoa]*/.exec(clause)?.[0] ?? "";
  const mask = (who === "" ? "a" : who).split("").reduce((bits, letter) => bits | (WHO[letter] ?? 0), 0);
  let current = mode;
  for (const [, operator = "", letters = ""] of clause.slice(who.length).matchAll(/([-+=])([rwxXstugo]*)/g)) {
    const bits = letters.split("").reduce((sum, letter) => sum | permission(letter, current, isDirectory), 0) & mask;
    if (operator === "+") current |= bits;
    else if (operator === "-") current &= ~bits;
    else current = (current & ~mask) | bits;
  }
  return current;
}

function permission(letter: string, mode: number, isDirectory: boolean): number {
  if (letter === "X") return isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0;
  if (letter === "u") return spread(mode >> 6);
  if (letter === "g") return spread(mode >> 3);
  if (letter === "o") return spread(mode);
  return PERMISSION[letter] ?? 0;
}

/** The same three bits for all. */
function spread(bits: number): number {
  return (bits & 7) * 0o111;
}
