#!/usr/bin/env bash
# npm run bench: measures Berth beside a current Docker and Debian 12's Docker, Podman and Buildah, each with engine and data of its own. Needs root.
#   tools/bench.sh [--only WORK]... [--peer NAME]... [--rounds N] [--write]
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "bench: needs root for containers; run it as root" >&2; exit 1; }
  exec sudo env "PATH=$PATH" bash tools/bench.sh "$@"
fi

# What is compared with. A package that cannot be installed makes its engine absent from the table, which says so.
install_peers() {
  local packages=()
  [ -x /usr/bin/docker ] && [ -x /usr/sbin/dockerd ] || packages+=(docker.io)
  [ -x /usr/sbin/iptables ] || packages+=(iptables)
  [ -x /usr/bin/podman ] || packages+=(podman)
  [ -x /usr/bin/buildah ] || packages+=(buildah)
  [ -x /usr/lib/podman/netavark ] || packages+=(netavark)
  [ ${#packages[@]} -gt 0 ] || return 0
  echo "bench: installing Debian packages: ${packages[*]}" >&2
  # RUNLEVEL=1: their services would start otherwise, and change this machine's network.
  apt-get -qq -o Acquire::Retries=3 update </dev/null >&2
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 install \
    --yes --no-install-recommends "${packages[@]}" </dev/null >&2
}

bash tools/setup.sh
install_peers || echo "bench: not all packages could be installed" >&2
bash tools/current-docker.sh >&2 || echo "bench: no current docker could be fetched" >&2
bash tools/build.sh

directory=$(mktemp -d "${TMPDIR:-/tmp}/berth-bench.XXXXXX")
# After an orderly end there is nothing to do but the directory. Killed engines leave their cgroups, which no namespace holds.
clean_up() {
  local data
  for data in "$directory"/*/berth/data; do
    [ ! -d "$data" ] || dist/berth daemon --data-root "$data" --exec-root "$directory/run" --clean-up >&2 || true
  done
  find /sys/fs/cgroup -depth -type d \( -path '*/berth-bench-docker*' -o -path '*/libpod_parent*' \) -exec rmdir {} + 2>/dev/null || true
  rm -rf --one-file-system "$directory"
}
trap clean_up EXIT

# Namespaces of its own: bridges, firewall rules and mounts of all engines go when its last process goes, and that goes with
# the first one, whatever happens. An empty /run hides this machine's own engines (dockerd would use a running containerd).
inside='ip link set lo up; mount -t tmpfs tmpfs /run; node_modules/.bin/bun bench/main.ts "$@"; exit $?'
status=0
TMPDIR=$directory unshare --net --mount --pid --fork --kill-child --mount-proc bash -c "$inside" bench "$@" || status=$?
exit "$status"
