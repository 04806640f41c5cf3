#!/usr/bin/env bash
# own-machine.sh TEMPORARY COMMAND...: the first process of namespaces of their own for processes, mounts and network (own-machine.ts), where
# TEMPORARY is /tmp. Runs COMMAND and ends as it does; names what it left behind, a line each. With its end the kernel takes all that away.
set -uo pipefail
temporary=$1
shift

ip link set lo up
# `ip netns` keeps its names there. Below /run other things of the machine are needed: resolv.conf may be one.
mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns
case $PWD/ in
  /tmp/*) mkdir -p "$temporary/${PWD#/tmp/}" && mount --rbind "$PWD" "$temporary/${PWD#/tmp/}" ;;
esac
mount --rbind "$temporary" /tmp || exit 125
# The directory itself is another one now.
cd "$PWD" || exit 125
unset TMPDIR

# What one kind of thing has here, one a line.
processes() {
  local directory words
  for directory in /proc/[0-9]*; do
    # A process that has ended has no command line. This one and its subshells are meant to be here.
    mapfile -d '' words 2>/dev/null <"$directory/cmdline" || continue
    [ ${#words[@]} -eq 0 ] || [ "${words[1]-}" = "$0" ] || echo "process ${words[*]}"
  done
}
links() { ip -o link | sed -E 's/^[0-9]+: ([^:@]+).*/link \1/'; }
tables() { nft list tables | sed 's/^table/nft table/'; }
mounts() { awk '{ print "mount " $5 }' /proc/self/mountinfo; }
files() { find /tmp -mindepth 1 -maxdepth 1 | sed 's/^/file /'; }
others() { { links; tables; mounts; files; } 2>/dev/null; }
# The processes by themselves: those of a pipe would be among them.
everything() {
  local running
  running=$(processes 2>/dev/null)
  { echo "$running"; others; } | sort
}

before=$(everything)
"$@"
code=$?

# What was told to end may take a moment.
for _ in {1..50}; do
  now=$(everything)
  left=$(comm -13 <(echo "$before") <(echo "$now"))
  [ -n "$left" ] || exit $code
  sleep 0.1
done
while read -r thing; do echo "LEFT BEHIND: ${thing:0:200}"; done <<<"$left"
exit $code
