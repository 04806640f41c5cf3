#!/usr/bin/env bash
# Makes a fresh Debian machine ready to build and run Berth: Debian packages (as root or with sudo) and npm packages.
# Installs only what is missing; takes a few milliseconds when nothing is.
#   tools/setup.sh [test]   with test: also the clients and the engines that tests compare Berth with
set -euo pipefail
cd "$(dirname "$0")/.."

# What is needed, a program or a file, and the package that has it.
needs=(
  runc=runc
  conmon=conmon
  ip=iproute2
  nft=nftables
  conntrack=conntrack
  igzip=isal
  /usr/share/containers/seccomp.json=golang-github-containers-common
  docker-registry=docker-registry
  mmdebstrap=mmdebstrap
  /bin/busybox=busybox-static
  socat=socat
  skopeo=skopeo
  git=git
  fsck.erofs=erofs-utils
  tini=tini
  unshare=util-linux
  mount=mount
  ps=procps
  curl=curl
  zstd=zstd
  /etc/ssl/certs/ca-certificates.crt=ca-certificates
)

if [ "${1:-}" = test ]; then
  needs+=(
    /usr/bin/docker=docker.io
    /usr/sbin/dockerd=docker.io
    iptables=iptables
    ssh=openssh-client
    /usr/bin/docker-compose=docker-compose
    /usr/lib/python3/dist-packages/docker=python3-docker
    zsh=zsh
    fish=fish
  )
fi

PATH=$PATH:/usr/sbin:/sbin
packages=()
for need in "${needs[@]}"; do
  thing=${need%%=*}
  case $thing in
    /*) [ -e "$thing" ] || packages+=("${need#*=}") ;;
    *) command -v "$thing" >/dev/null || packages+=("${need#*=}") ;;
  esac
done

if [ ${#packages[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null; then
    echo "setup: this is not a Debian system; please install yourself: ${packages[*]}" >&2
    exit 1
  fi
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "setup: run as root, or install sudo, to install: ${packages[*]}" >&2; exit 1; }
    as_root=(sudo)
  fi
  echo "setup: installing Debian packages: ${packages[*]}"
  "${as_root[@]}" apt-get -qq -o Acquire::Retries=3 update </dev/null
  # Freshly installed, a registry or dockerd would start as a service; nobody here asked for one.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends "${packages[@]}" </dev/null
fi

# BuildKit's client as docker's CLI had it built in up to 20.10: tests build with it. Another docker may be first on PATH, or no
# docker.io be installed, so that the program is taken from the package; where Debian's is newer already, those tests are skipped.
buildkit_docker=.cache/docker-20.10
if [ ! -e $buildkit_docker ] && command -v apt-get >/dev/null; then
  if /usr/bin/docker --version 2>/dev/null | grep -q ' 20\.10'; then
    mkdir -p .cache && ln -sf /usr/bin/docker $buildkit_docker
  else
    echo "setup: fetching docker 20.10's command line"
    unpacked=$(mktemp -d)
    # Without package lists there is nothing to download yet.
    fetch_docker() { (cd "$unpacked" && apt-get -qq download docker.io 2>/dev/null && dpkg-deb -x docker.io_*.deb .); }
    fetch_docker || { apt-get -qq update </dev/null && fetch_docker; } || true
    mkdir -p .cache
    if "$unpacked/usr/bin/docker" --version 2>/dev/null | grep -q ' 20\.10'; then
      mv "$unpacked/usr/bin/docker" $buildkit_docker
    else
      # There is none here; asking each time would take a second.
      touch $buildkit_docker
    fi
    rm -rf "$unpacked"
  fi
fi

if [ "${1:-}" = test ]; then
  bash tools/current-docker.sh
  bash tools/foreign-programs.sh
  bash tools/ssh-server.sh
fi

# The stamp says which lock file node_modules was made from.
stamp=node_modules/.berth-lock
lock=$(sha256sum <package-lock.json)
if [ ! -x node_modules/.bin/bun ] || [ "$(cat "$stamp" 2>/dev/null || true)" != "$lock" ]; then
  echo "setup: installing npm packages"
  # Not `npm ci`: it insists on lock entries for every platform's optional binaries, and mirrors that lack some of those
  # cannot make such a lock. This installs what the lock says and leaves the lock alone.
  npm install --no-save --no-audit --no-fund --loglevel=error </dev/null
  echo "$lock" >"$stamp"
fi
