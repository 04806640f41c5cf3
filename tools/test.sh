#!/usr/bin/env bash
# The whole test run: set-up, build, checks, unit tests beside the code (src), and tests of the built engine on real containers,
# registry and kernel (test). Needs root. The last line is "N passed, N failed" over everything.
#   tools/test.sh [FILTER...]   only test files whose path contains a FILTER, without the checks
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "test: needs root for namespaces and mounts; run it as root" >&2; exit 1; }
  exec sudo --preserve-env=CI env "PATH=$PATH" bash tools/test.sh "$@"
fi

passed=0
failed=0

# add_counts FILE WORD: adds the last "N passed, N failed" of checks.sh, or bun's " N pass", " N fail", " N error(s)".
last_number() {
  grep -Eo "$2" "$1" | tail -n 1 | grep -Eo '[0-9]+' || echo 0
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

run_checks() {
  local status=0
  bash tools/checks.sh 2>&1 | tee "$log" | sed '$d' || status=$?
  local ok bad
  ok=$(last_number "$log" '^[0-9]+ passed')
  bad=$(last_number "$log" '[0-9]+ failed$')
  # A script that died before its summary has failed too.
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  passed=$((passed + ok))
  failed=$((failed + bad))
}

# run_tests TIMEOUT_MS PATH...: no test at all counts as a failure.
run_tests() {
  local timeout=$1 status=0
  shift
  node_modules/.bin/bun test --timeout "$timeout" "$@" </dev/null 2>&1 | tee "$log" || status=$?
  local ok bad errors
  ok=$(last_number "$log" '^ *[0-9]+ pass$')
  bad=$(last_number "$log" '^ *[0-9]+ fail$')
  errors=$(last_number "$log" '^ *[0-9]+ errors?$')
  bad=$((bad + errors))
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  if [ $((ok + bad)) -eq 0 ]; then bad=1; fi
  passed=$((passed + ok))
  failed=$((failed + bad))
}

bash tools/setup.sh test
if bash tools/build.sh; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
if [ $# -gt 0 ]; then
  run_tests 120000 "$@"
else
  run_checks
  run_tests 30000 ./src
  run_tests 120000 ./test
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
