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
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# last_number FILE PATTERN: the number in the last line that matches, or 0.
last_number() {
  grep -Eo "$2" "$1" | tail -n 1 | grep -Eo '[0-9]+' || echo 0
}

run_checks() {
  local status=0 log=$logs/checks
  bash tools/checks.sh 2>&1 | tee "$log" | sed '$d' || status=$?
  local ok bad
  ok=$(last_number "$log" '^[0-9]+ passed')
  bad=$(last_number "$log" '[0-9]+ failed$')
  # A script that died before its summary has failed too.
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  passed=$((passed + ok))
  failed=$((failed + bad))
}

# bun_test LOG TIMEOUT_MS FILE...: one run of bun; what it prints goes to LOG too, with its exit status as the last line.
bun_test() {
  local log=$1 timeout=$2 status=0
  shift 2
  node_modules/.bin/bun test --timeout "$timeout" "$@" </dev/null 2>&1 | tee "$log" || status=$?
  echo "exit $status" >>"$log"
}

# count LOG: adds bun's " N pass", " N fail" and " N error(s)"; a run without any test counts as a failure.
count() {
  local ok bad errors
  ok=$(last_number "$1" '^ *[0-9]+ pass$')
  bad=$(last_number "$1" '^ *[0-9]+ fail$')
  errors=$(last_number "$1" '^ *[0-9]+ errors?$')
  bad=$((bad + errors))
  if [ "$(tail -n 1 "$1")" != "exit 0" ] && [ "$bad" -eq 0 ]; then bad=1; fi
  if [ $((ok + bad)) -eq 0 ]; then bad=1; fi
  passed=$((passed + ok))
  failed=$((failed + bad))
}

# run_files PATH...: every test file on its own, several at once, since they wait for containers more than they compute. Each has engines of
# its own, so they do not meet. Folders first: their tests are the long ones.
run_files() {
  local file log running=0
  for file in "$@"; do
    log=$logs/${file//\//_}
    { bun_test "$log" 120000 "./$file" >"$log.shown"; cat "$log.shown"; } &
    running=$((running + 1))
    if [ "$running" -ge $(($(nproc) + 1)) ]; then wait -n; running=$((running - 1)); fi
  done
  wait
  for file in "$@"; do count "$logs/${file//\//_}"; done
}

# test_files DIRECTORY: its test files, those of folders first.
test_files() {
  find "$1" -mindepth 2 -name '*.test.ts' | sort
  find "$1" -maxdepth 1 -name '*.test.ts' | sort
}

bash tools/setup.sh test
if bash tools/build.sh; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
if [ $# -gt 0 ]; then
  bun_test "$logs/chosen" 120000 "$@"
  count "$logs/chosen"
else
  run_checks
  bun_test "$logs/src" 30000 ./src
  count "$logs/src"
  mapfile -t files < <(test_files test)
  run_files "${files[@]}"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
