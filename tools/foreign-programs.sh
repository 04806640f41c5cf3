#!/usr/bin/env bash
# Fetches into .cache/foreign what the tests of foreign platforms need: QEMU's emulator of arm64, and a busybox of Debian's arm64. Nothing is installed
# or registered. On an arm64 machine nothing is foreign, and nothing is fetched.
#   tools/foreign-programs.sh
set -euo pipefail
cd "$(dirname "$0")/.."

target=.cache/foreign
[ -e $target ] && exit 0
command -v apt-get >/dev/null || { echo "foreign-programs: this is not a Debian system" >&2; exit 1; }
[ "$(dpkg --print-architecture)" != arm64 ] || exit 0

own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
mkdir -p "$own/state/lists/partial" "$own/cache/archives/partial" "$own/unpacked" "$own/programs"
: >"$own/status"
# apt for arm64, with lists of its own: this machine's packages are neither read nor changed.
cat >"$own/apt.conf" <<END
APT::Architecture "arm64";
APT::Architectures "arm64";
Dir::State "$own/state";
Dir::State::status "$own/status";
Dir::Cache "$own/cache";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "root";
END

echo "foreign-programs: fetching qemu-user-static, and busybox-static of arm64"
fetch_emulator() { (cd "$own" && apt-get -qq -o APT::Sandbox::User=root download qemu-user-static 2>/dev/null); }
fetch_emulator || { apt-get -qq update </dev/null && fetch_emulator; }
APT_CONFIG=$own/apt.conf apt-get -qq update </dev/null
(cd "$own" && APT_CONFIG=$own/apt.conf apt-get -qq download busybox-static)
for package in "$own"/*.deb; do dpkg-deb -x "$package" "$own/unpacked"; done
mv "$own/unpacked/usr/bin/qemu-aarch64-static" "$own/programs/qemu-aarch64"
mv "$own/unpacked/bin/busybox" "$own/programs/busybox-arm64"
mkdir -p .cache
rm -rf $target.new
cp -a "$own/programs" $target.new
mv $target.new $target
