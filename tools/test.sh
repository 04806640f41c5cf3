#!/usr/bin/env bash
# The whole test run: set-up, build, checks, unit tests beside the code (src), and tests of the built engine on real containers,
# registry and kernel (test). Needs root. The last line is "N passed, N failed" over everything, and the lines before it name what failed.
#   tools/test.sh [WORD...]   only test files whose path contains a WORD, without the checks
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "test: needs root for namespaces and mounts; run it as root" >&2; exit 1; }
  exec sudo --preserve-env=CI env "PATH=$PATH" bash tools/test.sh "$@"
fi

bash tools/setup.sh test
bash tools/build.sh || { echo "FAILED tools/build.sh: the errors are above"; echo "0 passed, 1 failed"; exit 1; }
exec node_modules/.bin/bun tools/test-run/main.ts "$@"
