#!/usr/bin/env bash
# The load run (test/load/main.ts) in a network namespace of its own: its networks would take the address pools of everything else on this machine. Needs root.
#   tools/load.sh [--minutes N] [--clients N] [--containers N] [--seed N] [--crash TIMES]
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" -eq 0 ] || { echo "load: needs root for namespaces and mounts; run it as root" >&2; exit 1; }
[ -x dist/berth ] || bash tools/build.sh
exec unshare --net bash -c 'ip link set lo up && exec node_modules/.bin/bun test/load/main.ts "$@"' load "$@"
