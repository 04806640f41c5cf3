#!/usr/bin/env bash
# npm run demo: sets the machine up, builds Berth, and walks chapter 3 on real input.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup.sh
bash tools/build.sh
exec node_modules/.bin/bun demo/chapter-3.ts
