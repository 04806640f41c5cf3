import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { booleanFlag, filterFlag, integerFlag, listFlag, stringFlag } from "./flag.ts";
import { parseFlags } from "./parse-flags.ts";

const FLAGS = {
  interactive: booleanFlag("", { short: "i" }),
  tty: booleanFlag("", { short: "t" }),
  "sig-proxy": booleanFlag("", { initial: true }),
  publish: listFlag("", { short: "p" }),
  name: stringFlag(""),
  last: integerFlag("", { short: "n", initial: -1 }),
  filter: filterFlag(),
};

describe("parseFlags()", () => {
  const cases: readonly (readonly [string, readonly string[], unknown])[] = [
    ["reads clusters of short flags", ["-it"], { interactive: true, tty: true }],
    ["reads a value behind a cluster", ["-itp80:80"], { interactive: true, tty: true, publish: ["80:80"] }],
    ["reads -p=80", ["-p=80"], { publish: ["80"] }],
    ["reads -p 80, repeated", ["-p", "80", "-p81"], { publish: ["80", "81"] }],
    ["reads --x=y and --x y", ["--name=a", "--last", "3"], { name: "a", last: 3 }],
    ["reads --b=false", ["--tty=false", "--sig-proxy=false"], { tty: false, "sig-proxy": false }],
    ["takes an empty value", ["--name="], { name: "" }],
    ["takes a value that looks like a flag", ["--name", "--tty"], { name: "--tty", tty: false }],
    ["reads hexadecimal and negative numbers", ["-n", "0x10"], { last: 16 }],
    ["collects filters by name", ["--filter", "label=a=b", "--filter=label=c"], { filter: { label: ["a=b", "c"] } }],
  ];
  for (const [title, words, flags] of cases) {
    test(title, () => expect(parseFlags(FLAGS, words).flags).toMatchObject(flags as object));
  }

  test("takes flags behind arguments", () => {
    const { flags, args } = parseFlags(FLAGS, ["a", "-t", "b"]);
    expect(args).toEqual(["a", "b"]);
    expect(flags.tty).toBe(true);
  });

  test("stops at the first argument when told to", () => {
    const { flags, args } = parseFlags(FLAGS, ["-i", "image", "-t", "--name"], { stopAtFirstArgument: true });
    expect(args).toEqual(["image", "-t", "--name"]);
    expect(flags).toMatchObject({ interactive: true, tty: false });
  });

  test("takes everything behind -- as arguments, and - as one", () => {
    expect(parseFlags(FLAGS, ["-", "--", "-t", "--"]).args).toEqual(["-", "-t", "--"]);
  });

  test("says which flags were given", () => {
    expect([...parseFlags(FLAGS, ["--name", ""]).given]).toEqual(["name"]);
  });

  test("sees --help and -h, and still refuses what is wrong behind them", () => {
    expect(parseFlags(FLAGS, ["--help"])).toMatchObject({ help: true, notices: [] });
    expect(parseFlags(FLAGS, ["-h", "x"])).toMatchObject({
      help: true,
      notices: ["Flag shorthand -h has been deprecated, use --help"],
      args: ["x"],
    });
    expect(parseFlags(FLAGS, ["--help=false"]).help).toBe(false);
    expect(() => parseFlags(FLAGS, ["--help", "--nope"])).toThrow("unknown flag: --nope");
    expect(() => parseFlags(FLAGS, ["--help=x"])).toThrow('invalid argument "x" for "--help" flag');
  });

  const errors: readonly (readonly [readonly string[], string])[] = [
    [["--foo"], "unknown flag: --foo"],
    [["-zt"], "unknown shorthand flag: 'z' in -zt"],
    [["-tz"], "unknown shorthand flag: 'z' in -z"],
    [["--name"], "flag needs an argument: --name"],
    [["-ip"], "flag needs an argument: 'p' in -p"],
    [["--=x"], "bad flag syntax: --=x"],
    [["--tty=foo"], 'invalid argument "foo" for "-t, --tty" flag: strconv.ParseBool: parsing "foo": invalid syntax'],
    [["--last", "x"], 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    [["--filter", "x"], 'invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)'],
    [["--constructor"], "unknown flag: --constructor"],
  ];
  for (const [words, message] of errors) {
    test(`refuses ${words.join(" ")} in pflag's words`, () => {
      expect(() => parseFlags(FLAGS, words)).toThrow(message);
    });
  }

  test("gives every word that is no flag back in order", () => {
    const word = fc.string().filter((text) => !text.startsWith("-"));
    fc.assert(fc.property(fc.array(word), (words) => expect(parseFlags(FLAGS, words).args).toEqual(words)));
  });
});
