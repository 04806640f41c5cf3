#!/usr/bin/env bash
# Compiles src/ into one file, dist/berth. Does nothing when that is newer than everything it is made from.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x node_modules/.bin/bun ] || bash tools/setup.sh

mkdir -p dist
# Two builds at once (a test run beside a demo) would write the same file.
exec 9>dist/.lock
flock 9

# Directories count too: their times change when a file is removed.
if [ -x dist/berth ] && [ -z "$(find src package.json package-lock.json tsconfig.json tools/build.sh -newer dist/berth -print -quit)" ]; then
  exit 0
fi

echo "build: compiling dist/berth"
rm -f dist/.berth-new
# Bytecode halves the start (9 ms instead of 18, measured); minifying adds nothing to that and would garble stack traces.
# Most commands are over before compiled code pays: they start with a JIT that is ten times as reluctant, and what works longer takes that back
# (src/lib/jit-policy.ts).
# Without the autoload switches a .env or bunfig.toml in the directory where someone types `berth` would change what it does.
node_modules/.bin/bun build src/main.ts --compile --bytecode --splitting --format=esm \
  --compile-jit-policy=10 --no-compile-autoload-dotenv --no-compile-autoload-bunfig --outfile dist/.berth-new >dist/build.log 2>&1 || {
  cat dist/build.log >&2
  exit 1
}
mv dist/.berth-new dist/berth
