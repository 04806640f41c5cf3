#!/usr/bin/env bash
# Format, lint, types, import boundaries, file sizes, documents and dead code. Runs all of them, shows the output of those that fail, and ends with
# "N passed, N failed". A check that looked at nothing fails.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup.sh
bin=node_modules/.bin

passed=0
failed=0

# check NAME PATTERN COMMAND...: passes when the command succeeds and its output has a line that matches PATTERN, the proof of work.
check() {
  local name=$1 proof=$2 output
  shift 2
  if output=$("$@" 2>&1 </dev/null) && grep -Eq "$proof" <<<"$output"; then
    passed=$((passed + 1))
    echo "ok    $name"
  else
    failed=$((failed + 1))
    printf '%s\n' "$output"
    echo "FAIL  $name"
  fi
}

types() {
  $bin/tsc -p . && $bin/tsc -p . --listFilesOnly | grep -c "/src/.*\.ts$"
}

shell_syntax() {
  local file
  for file in tools/*.sh .ci/run; do bash -n "$file" && echo "$file"; done
}

# An entry of knip.json that matches no file is a hint of knip's, and counts as a problem: then it would look at nothing.
unused_code() {
  $bin/knip --no-progress --treat-config-hints-as-errors && echo "knip: 0 problems"
}

# What is checked in must be what the definitions give.
generated_code() {
  local fresh
  fresh=$(mktemp -d)
  PATH=$PWD/$bin:$PATH buf generate src/proto --template tools/buf.gen.json -o "$fresh" && diff -r --exclude='*.proto' "$fresh/src/proto" src/proto &&
    find "$fresh" -name '*_pb.ts' | wc -l
  rm -rf "$fresh"
}

check "format and lint (biome)" 'Checked [1-9][0-9]* files' $bin/biome check --max-diagnostics=50
check "types (tsc)" '^[1-9][0-9]*$' types
check "generated code (buf)" '^[1-9][0-9]*$' generated_code
check "import boundaries" 'check-layers: [1-9][0-9]* files, 0 problems' $bin/bun tools/check-layers.ts
check "file sizes" 'check-sizes: [1-9][0-9]* files, 0 problems' $bin/bun tools/check-sizes.ts
check "shell syntax" '^tools/.*\.sh$' shell_syntax
check "documents" 'check-docs: [1-9][0-9]* files, 0 problems' $bin/bun tools/check-docs.ts
check "unused code (knip)" '^knip: 0 problems$' unused_code

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
