#!/usr/bin/env bash
# Installs what Lockstep needs on Debian 12, and nothing when all of it is there.
#
#   setup.sh [build] [test] [demo]      default: all three
#
# As root; without, it says what is missing and ends with status 1. It starts no service, removes no package, and
# leaves a container engine that is installed already as it is.
set -euo pipefail

# shellcheck disable=SC2034  # Used by name.
{
  build=(g++ cmake ninja-build libboost-dev libcurl4-openssl-dev nlohmann-json3-dev libcli11-dev
    libmicrohttpd-dev libsqlite3-dev libspdlog-dev libssl-dev libsystemd-dev libxxhash-dev libyaml-cpp-dev pkgconf
    rapidjson-dev)
  test=(clang libclang-rt-dev llvm  # The sanitizers: GCC takes twice as long to compile with them.
    libgtest-dev libgmock-dev libbenchmark-dev libcpp-httplib-dev python3 python3-jsonschema
    procmail python3-lockfile python3-filelock nodejs npm  # What apps lock with.
    strace openssl
    dbus-daemon  # A system bus with a logind to ask for a reboot.
    dosfstools mtools  # Images of FAT partitions.
    faketime  # A clock that jumps.
    chromium)  # The status page.
  demo=(docker.io docker-registry busybox-static procmail iproute2 iptables util-linux procps)
}

# The engine, busybox and node may have come from elsewhere; their packages would push those out.
is_there() {
  case $1 in
    docker.io) PATH=$PATH:/usr/sbin command -v dockerd >/dev/null && [[ -x /usr/bin/docker ]] ;;
    busybox-static) command -v busybox >/dev/null ;;
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    *) [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]] ;;
  esac
}

# Packages start their services unless this file says no.
policy=/usr/sbin/policy-rc.d
own_policy=
log=  # What apt-get says. Global, as is the one above: the trap is run when the function has returned.
forbid_services() {
  [[ ! -e $policy ]] || return 0
  own_policy=yes
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod +x $policy
}

install_packages() {
  local services=() name
  log=$(mktemp)
  trap '[[ -z $own_policy ]] || rm -f $policy; rm -f "$log"' EXIT
  forbid_services
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  echo "setup: installing $*"
  if ! { apt-get -q update && apt-get -qy -o DPkg::Lock::Timeout=120 install --no-install-recommends \
      --no-remove "$@"; } >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    echo "setup: apt-get could not install them; mend what it says above and run this again" >&2
    return 1
  fi
  # Nor at the next boot: the demo and the tests start an engine of their own.
  for name in "$@"; do
    case $name in
      docker.io) services+=(docker.service docker.socket containerd.service) ;;
      docker-registry) services+=(docker-registry.service) ;;
    esac
  done
  if [[ -d /run/systemd/system && ${#services[@]} -gt 0 ]]; then
    systemctl -q disable "${services[@]}" >/dev/null 2>&1 || true  # A unit that is not there is as good.
  fi
}

missing=()
[[ $# -gt 0 ]] || set -- build test demo
for group in "$@"; do
  case $group in
    build | test | demo) declare -n packages=$group ;;
    *)
      sed -n '2,/^set /{/^set /d;/shellcheck/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
  for package in "${packages[@]}"; do
    is_there "$package" || missing+=("$package")
  done
done
[[ ${#missing[@]} -gt 0 ]] || exit 0
if ! command -v apt-get >/dev/null; then
  echo "setup: this is no Debian; install what these packages have: ${missing[*]}" >&2
  exit 1
elif [[ $EUID != 0 ]]; then
  echo "setup: missing: ${missing[*]}; run as root: apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
install_packages "${missing[@]}"
