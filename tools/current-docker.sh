#!/usr/bin/env bash
# Fetches a current docker for tests and benchmarks into .cache/current-docker (or the directory given): the command line, buildx and Compose 2
# below cli-plugins/, and dockerd with its containerd, all of Debian 13. Nothing is installed, so Debian 12's docker.io stays what it is; the programs need no library
# that Debian 12 has not.
#   tools/current-docker.sh [DIRECTORY]
set -euo pipefail
cd "$(dirname "$0")/.."

suite=trixie
packages=(docker-cli docker-buildx docker-compose docker.io containerd)
programs=(
  usr/bin/docker
  usr/libexec/docker/cli-plugins/docker-buildx
  usr/libexec/docker/cli-plugins/docker-compose
  usr/sbin/dockerd
  usr/sbin/docker-proxy
  usr/bin/containerd
  usr/bin/containerd-shim-runc-v2
)
target=${1:-.cache/current-docker}
[ -e "$target/dockerd" ] && exit 0
command -v apt-get >/dev/null || { echo "current-docker: this is not a Debian system" >&2; exit 1; }

# The mirror and the keys that this machine has for Debian.
mirror() { apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian //p' | head -n 1; }
[ -n "$(mirror)" ] || apt-get -qq update </dev/null

# apt with lists and settings of its own: this machine's packages are neither read nor changed.
own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
mkdir -p "$own/state/lists/partial" "$own/cache/archives/partial" "$own/unpacked"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $suite main" >"$own/sources.list"
: >"$own/status"
cat >"$own/apt.conf" <<END
Dir::Etc::sourcelist "$own/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$own/state";
Dir::State::status "$own/status";
Dir::Cache "$own/cache";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "root";
END
export APT_CONFIG=$own/apt.conf

echo "current-docker: fetching ${packages[*]} of Debian $suite"
apt-get -qq update </dev/null
(cd "$own" && apt-get -qq download "${packages[@]}")
for package in "$own"/*.deb; do dpkg-deb -x "$package" "$own/unpacked"; done

# The directory appears with everything in it or not at all.
mkdir -p "$own/programs/cli-plugins" "$(dirname "$target")"
for program in "${programs[@]}"; do
  case $program in
    */cli-plugins/*) mv "$own/unpacked/$program" "$own/programs/cli-plugins/" ;;
    *) mv "$own/unpacked/$program" "$own/programs/" ;;
  esac
done
ln -s /usr/bin/tini-static "$own/programs/docker-init"
rm -rf "$target" "$target.new"
cp -a "$own/programs" "$target.new"
mv "$target.new" "$target"
