import { randomInt } from "node:crypto";

const ADJECTIVES =
  "able amber avid awake bold brave breezy bright brisk calm candid careful charming cheerful clever cosy crisp curious daring deft eager earnest easy elated epic fair fancy fearless festive fine fond frank free fresh friendly gallant gentle gifted glad golden graceful grand happy hardy hearty helpful honest hopeful humble ideal jolly jovial joyful keen kind lively loyal lucid lucky mellow merry mild modest neat nimble noble novel open patient peaceful pensive plucky polite proud quick quiet rapid ready relaxed robust rosy serene sharp silent sincere sleek smart smooth snappy sociable solid steady stoic sunny swift tender thrifty tidy tranquil trusting upbeat vibrant vigilant vivid warm wise witty zealous zen".split(
    " ",
  );

/** Sailors, harbour builders, navigators and computer scientists: a berth is where a ship lies. */
const SURNAMES =
  "allen amundsen babbage bartik bering bligh bowditch brunel cabot cerf columbus cook curie dijkstra drake eckert engelbart erikson euler faraday feinler fitzroy flinders franklin frobisher gama goldberg grace hamilton harrison hopper hudson humboldt joule kernighan knuth lamarr lamport liskov lovelace magellan mccarthy meitner mercator mirzakhani moore nansen nelson nightingale noether perlman pike polo ptolemy raleigh ritchie ross scott shackleton shannon sinclair slocum smeaton stallman stevenson stokes tasman tesla thompson torvalds turing vespucci wallis wescoff wilson wirth wozniak yonath".split(
    " ",
  );

/** A free name like `brave_hopper`; a digit is added when several tries were taken. */
export function randomName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const suffix = attempt < 6 ? "" : String(randomInt(10 ** Math.min(attempt - 5, 9)));
    const name = `${pick(ADJECTIVES)}_${pick(SURNAMES)}${suffix}`;
    if (!isTaken(name)) return name;
  }
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? "berth";
}
