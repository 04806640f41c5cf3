#!/usr/bin/env bash
# Fetches sshd for tests into .cache/ssh-server (or the directory given). Nothing is installed: the package would make host keys in /etc/ssh, an account, and
# start a server.
#   tools/ssh-server.sh [DIRECTORY]
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:-.cache/ssh-server}
[ -e "$target/sshd" ] && exit 0
command -v apt-get >/dev/null || { echo "ssh-server: this is not a Debian system" >&2; exit 1; }
own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
fetch() { (cd "$own" && apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 download openssh-server 2>/dev/null); }
echo "ssh-server: fetching openssh-server"
# Without package lists there is nothing to download yet.
fetch || { apt-get -qq update </dev/null && fetch; }
dpkg-deb -x "$own"/openssh-server_*.deb "$own/unpacked"

# The directory appears with everything in it or not at all.
mkdir -p "$own/programs" "$(dirname "$target")"
mv "$own/unpacked/usr/sbin/sshd" "$own/programs/"
rm -rf "$target"
mv "$own/programs" "$target"
