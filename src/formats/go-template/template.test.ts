import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Template } from "./template.ts";
import { GO_TYPE, NIL_MAP, NIL_POINTER, NIL_SLICE } from "./values.ts";

const DATA = {
  Id: "abc",
  Name: "/web",
  State: { Status: "running", Pid: 5, Running: true, Health: NIL_POINTER },
  List: ["a", "b", "c"],
  Map: { z: "1", a: "2" },
  Empty: NIL_SLICE,
  NoMap: NIL_MAP,
  Null: null,
  Zero: 0,
  Big: 2_097_152_000,
  Row: { [GO_TYPE]: "*formatter.Row", Field: "x", Label: (name: string) => `label ${name}` },
};

/** Template and text, as Go 1.24 has it; checked against docker 28.2.2 where docker can be asked. */
const CASES: readonly (readonly [string, string])[] = [
  ["plain", "plain"],
  ["{{.Id}}", "abc"],
  ["{{ .Id }}{{.State.Pid}}", "abc5"],
  ["{{.State.Status}} {{.State.Running}}", "running true"],
  ["{{.List}} {{.Map}}", "[a b c] map[a:2 z:1]"],
  ["{{.Nope}} {{.Nope.Deeper}}", "<no value> <no value>"],
  ["{{.Empty}} {{.NoMap}} {{.State.Health}} {{.Null}}", "[] map[] <nil> <no value>"],
  ["{{json .Empty}} {{json .Map}} {{json .Nope}}", 'null {"z":"1","a":"2"} null'],
  ['{{json "<a>"}}', '"<a>"'],
  ["{{.Big}} {{len .List}} {{len .Map}} {{len .Id}} {{len .Empty}}", "2097152000 3 2 3 0"],
  ["{{range .List}}<{{.}}>{{end}}", "<a><b><c>"],
  ["{{range $i, $e := .List}}{{$i}}={{$e}} {{end}}", "0=a 1=b 2=c "],
  ["{{range $k, $v := .Map}}{{$k}}{{$v}};{{end}}", "a2;z1;"],
  ["{{range .Empty}}x{{else}}none{{end}}", "none"],
  ["{{range 3}}{{.}}{{end}}", "012"],
  ['{{range .List}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}', "ac"],
  ['{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', "a"],
  ["{{if .State.Health}}y{{else if .Id}}id{{else}}n{{end}}", "id"],
  ["{{if and .Id (not .Null)}}y{{end}}{{if or .Zero .Empty}}n{{end}}", "y"],
  ["{{and .Id .Zero}} {{or .Zero .Id}}", "0 abc"],
  ["{{with .State}}{{.Pid}}{{$.Id}}{{end}}{{with .Null}}x{{else}}no{{end}}", "5abcno"],
  ["{{$x := .Id}}{{$x = .Name}}{{$x}}", "/web"],
  ["{{$x := 1}}{{if true}}{{$x := 2}}{{$x = 3}}{{end}}{{$x}}", "1"],
  ['{{index .List 1}} {{index .Map "z"}} {{index .Map "nope"}}|', "b 1 |"],
  ["{{(index .List 0)}}{{(.State).Pid}}{{slice .Id 1 2}}", "a5b"],
  [
    '{{eq .Id "abc"}} {{eq .Zero 1 0}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt "b" "a"}} {{ge 1 2}}',
    "true true true true true true false",
  ],
  ['{{define "t"}}[{{.}}]{{end}}{{template "t" .Id}}{{block "b" .Zero}}({{.}}){{end}}', "[abc](0)"],
  ["a {{- .Id -}} b", "aabcb"],
  ["a {{- /* gone */ -}} b{{/* too */}}", "ab"],
  ["{{`raw \\n`}} {{\"a\\tb\\u00e9\\x41\"}} {{'a'}} {{0x10}} {{1_000}}", "raw \\n a\tbéA 97 16 1000"],
  [
    '{{printf "%s|%-5s|%5s|%d|%03d|%v|%q|%5.2f|%t|%x|%%" "a" "b" "c" 5 7 .List "q" 1.5 true 255}}',
    'a|b    |    c|5|007|[a b c]|"q"| 1.50|true|ff|%',
  ],
  ['{{printf "%d" "x"}} {{printf "%s %s" "a"}} {{printf "a" 1}}', "%!d(string=x) a %!s(MISSING) a%!(EXTRA int=1)"],
  ['{{print 1 2 "a" "b" 3}} {{println "x" 1}}', "1 2ab3 x 1\n"],
  ['{{.Id | upper | printf "%-5s."}}', "ABC  ."],
  ['{{join .List "-"}} {{split "a,b" ","}} {{title "hello world"}} {{lower "ABC"}}', "a-b-c [a b] Hello World abc"],
  ['{{pad "x" 1 2}}|{{pad "" 1 2}}|{{truncate "abcdef" 3}}{{truncate "ab" 3}}', " x  ||abcab"],
  ['{{html "<a href=\\"x\\">"}} {{urlquery "a b&c"}} {{js "it\'s"}}', "&lt;a href=&#34;x&#34;&gt; a+b%26c it\\'s"],
  ['{{printf "%[2]s %[1]s" "a" "b"}}', "b a"],
  ['{{printf "%#q %q %U %O|% x|%#x" "c" 65 65 8 "hi" 255}}', "`c` 'A' U+0041 0o10|68 69|0xff"],
  ['{{slice "h\u00e9llo" 1 3}} {{truncate "h\u00e9" 2}} {{js "\u2028\x00"}}', "\u00e9 h \\u2028\\u0000"],
  ["{{.Id | }} {{0x1p4}} {{1e-5}} {{1.5e21}}", "abc 16 1e-05 1.5e+21"],
  ['{{printf "%"}} {{printf "%d" .List}}', "%!(NOVERB) [%!d(string=a) %!d(string=b) %!d(string=c)]"],
  ["{{.NoMap.x}} {{.Map.x}} {{.Map.x.y}}", "<no value> <no value> <no value>"],
  ['{{.Row.Field}} {{.Row.Label "k"}}', "x label k"],
];

/** Template and what is wrong with it, in Go's words. */
const ERRORS: readonly (readonly [string, string])[] = [
  ["{{", "template: :1: unclosed action"],
  ["a\n{{.Id", "template: :2: unclosed action"],
  ["{{len}}", "at <len>: wrong number of args for len: want 1 got 0"],
  ["{{eq}}", "at <eq>: wrong number of args for eq: want at least 1 got 0"],
  ["{{upper 5}}", 'template: :1:8: executing "" at <5>: expected string; found 5'],
  ["{{join .Map 1}}", "at <.Map>: wrong type for value; expected []string; got map[string]string"],
  ["{{index .Map 1}}", "at <index .Map 1>: error calling index: value has type int; should be string"],
  ["{{range $i, $j := 3}}{{end}}", "at <3>: can't use 3 to iterate over more than one variable"],
  ["{{range $a, $b, $c := .Map}}{{end}}", "template: :1: too many declarations in range"],
  ['{{if .Id}}{{define "q"}}{{end}}{{end}}', "template: :1: unexpected <define> in command"],
  ['{{define "x"}}a{{end}}{{define "x"}}b{{end}}', 'template: :1: template: multiple definition of template "x"'],
  ["{{'ab'}}", "template: :1: malformed character constant: 'ab'"],
  ["{{1e400}}", 'template: :1: illegal number syntax: "1e400"'],
  ["{{08}}", 'template: :1: integer overflow: "08"'],
  ["{{.Id}", "template: :1: bad character U+007D '}'"],
  ["{{.Id.}}", "template: :1: unexpected <.> in operand"],
  ["{{| .Id}}", 'template: :1: unexpected "|" in command'],
  ['{{"\\q"}}', "template: :1: invalid syntax"],
  ["{{foo}}", 'template: :1: function "foo" not defined'],
  ["{{end}}", "template: :1: unexpected {{end}}"],
  ["{{if .Id}}", "template: :1: unexpected EOF"],
  ["{{if}}x{{end}}", "template: :1: missing value for if"],
  ["{{$x}}", 'template: :1: undefined variable "$x"'],
  ['{{"abc', "template: :1: unterminated quoted string"],
  ["{{/* x", "template: :1: unclosed comment"],
  ["{{(.Id}}", "template: :1: unclosed left paren"],
  ["{{break}}", "template: :1: {{break}} outside {{range}}"],
  ["{{1 | 2}}", "template: :1: non executable command in pipeline stage 2"],
  ["{{.Row.Nope}}", 'template: :1:6: executing "" at <.Row.Nope>: can\'t evaluate field Nope in type *formatter.Row'],
  ["{{.Id.x}}", 'template: :1:5: executing "" at <.Id.x>: can\'t evaluate field x in type string'],
  ["\n{{.Null.x}}", 'template: :2:7: executing "" at <.Null.x>: nil pointer evaluating interface {}.x'],
  ['{{eq 1 "a"}}', 'template: :1:2: executing "" at <eq 1 "a">: error calling eq: incompatible types for comparison'],
  ["{{index .List 9}}", 'template: :1:2: executing "" at <index .List 9>: error calling index: index out of range: 9'],
  ["{{len 3}}", 'template: :1:2: executing "" at <len 3>: error calling len: len of type int'],
  ["{{range .Id}}{{end}}", 'template: :1:8: executing "" at <.Id>: range can\'t iterate over abc'],
  ['{{template "nope"}}', 'template: :1:11: executing "" at <{{template "nope"}}>: template "nope" not defined'],
  ['{{define "r"}}{{template "r"}}{{end}}{{template "r"}}', "exceeded maximum template depth"],
];

describe("Template", () => {
  for (const [source, text] of CASES) {
    test(`executes ${JSON.stringify(source)}`, () => expect(new Template(source).execute(DATA)).toBe(text));
  }

  for (const [source, message] of ERRORS) {
    test(`refuses ${JSON.stringify(source)}`, () => expect(() => new Template(source).execute(DATA)).toThrow(message));
  }

  test("refuses a missing key when told to", () => {
    const template = new Template("{{.State.Nope}}", { missingKeyIsError: true });
    expect(() => template.execute(DATA)).toThrow(
      'template: :1:8: executing "" at <.State.Nope>: map has no entry for key "Nope"',
    );
  });

  test("leaves text without actions as it is", () => {
    const plain = fc.string({ unit: "binary" }).filter((text) => !text.includes("{{"));
    fc.assert(fc.property(plain, (text) => expect(new Template(text).execute({})).toBe(text)));
  });

  test("throws nothing but its own errors, whatever the template", () => {
    const piece = fc.constantFrom(
      "{{",
      "}}",
      ".Id",
      "if ",
      "end",
      "range ",
      "$x",
      ":=",
      "|",
      "(",
      ")",
      '"',
      "`",
      " ",
      "-",
      "else",
      "1",
      "\n",
      "define",
      ",",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          new Template(pieces.join("")).execute(DATA);
        } catch (error) {
          expect((error as Error).name).toBe("TemplateError");
        }
      }),
      { numRuns: 500 },
    );
  });
});
