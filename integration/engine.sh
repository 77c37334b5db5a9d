#!/usr/bin/env bash
# A container engine and a registry of their own, for the demo and the tests: in their own network, mount
# and process namespaces, with everything they write below one directory. Nobody else's containers,
# bridges or firewall rules are touched, and one kill ends all of it.
#
#   engine.sh start DIR [IMAGES]   starts both and pushes images; prints (and keeps in DIR/env) where they are
#   engine.sh enter DIR -- CMD...  runs CMD in their namespaces (a published port is only visible there)
#   engine.sh docker DIR ARGS...   Debian's docker client, talking to that engine
#   engine.sh stop DIR             ends them, after a crash too, and removes DIR
#
# IMAGES: all (default), none. Environment: PAYLOAD_MB, size of the layer that makes each image of the
# shop its own (default 8); DATA_ROOT_MB, puts the engine's data on a file system of that size.
# Needs root and the packages that `setup.sh demo` installs. DIR is 60 characters at most, since the path of a
# unix socket ends at 107. Exit status: 75 where this machine cannot run an engine, 1 for any other error.
# shellcheck disable=SC2016  # What other shells are to expand is quoted.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
registry=127.0.0.1:5055
marker=.lockstep-engine  # Only a directory that has it is ever removed.

fail() {
  echo "engine.sh: $*" >&2
  exit "${status:-1}"
}

usage() {
  sed -n '2,/^set /{/^set /d;/shellcheck/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
}

# Debian's client, whichever other one comes first in PATH, and without anybody's settings.
docker_() {
  env -u DOCKER_CONTEXT -u DOCKER_TLS_VERIFY -u DOCKER_CERT_PATH DOCKER_CONFIG="$dir/client" \
    DOCKER_HOST="unix://$dir/d.sock" DOCKER_BUILDKIT=0 /usr/bin/docker "$@"
}

# The process that holds the namespaces: the only child of unshare.
inner_pid() { pgrep -P "$(cat "$dir/pid")" | head -n 1; }

# A pid alone proves nothing: it may be another process's by now.
is_running() {
  local pid
  pid=$(cat "$dir/pid" 2>/dev/null) || return 1
  [[ -r /proc/$pid/cmdline ]] && tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF "$dir"
}

# wait_for SECONDS WHAT CMD...
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    is_running || status=75 fail "the engine ended while it started; last lines of its log:"$'\n'"$(tail -n 5 "$dir/engine.log")"
    ((SECONDS < deadline)) || fail "$what did not answer in time; see $dir/engine.log"
    sleep 0.05
  done
}

write_configuration() {
  local driver=overlay2
  # An overlay cannot be the upper part of another one.
  [[ -z ${DATA_ROOT_MB:-} && $(stat -fc %T "$dir") == overlayfs ]] && driver=vfs
  cat >"$dir/daemon.json" <<JSON
{"storage-driver": "$driver", "log-driver": "json-file", "bip": "172.31.240.1/24",
 "default-address-pools": [{"base": "172.31.128.0/18", "size": 24}],
 "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": "/$group",
 "insecure-registries": ["127.0.0.0/8"], "shutdown-timeout": 5}
JSON
  cat >"$dir/registry.yml" <<YAML
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $dir/registry}, delete: {enabled: true}}
http: {addr: "$registry"}
YAML
}

# Runs as the first process of the namespaces, $1 the directory, $2 the size of its data. /run is made
# private since containerd keeps its shims' sockets there; dockerd does not reap, so a reaper is its parent.
inside='
  set -e
  mount -t tmpfs -o mode=755 tmpfs /run
  [ -z "$2" ] || mount -t tmpfs -o size="$2"m tmpfs "$1/root"
  ip link set lo up
  docker-registry serve "$1/registry.yml" &
  reaper=$(command -v tini || command -v docker-init) || reaper=
  exec $reaper ${reaper:+-s --} dockerd --config-file "$1/daemon.json" --data-root "$1/root" \
    --exec-root "$1/exec" -H "unix://$1/d.sock" --pidfile "$1/dockerd.pid"'

start() {
  [[ $EUID == 0 ]] || status=75 fail "starting an engine needs root"
  unshare --net --mount --pid --fork --mount-proc true 2>/dev/null ||
    status=75 fail "this machine does not allow namespaces, even to root"
  ((${#dir} <= 60)) || fail "$dir is longer than 60 characters; unix sockets would not fit: choose another"
  [[ $dir/ != /run/* && $dir/ != /var/run/* ]] || fail "$dir is below /run, which the engine does not see: choose another"
  local program
  for program in dockerd docker-registry busybox lockfile flock ip unshare nsenter pgrep iptables; do
    PATH=$PATH:/usr/sbin:/sbin command -v $program >/dev/null || fail "$program is missing; run $here/setup.sh demo"
  done
  is_running && fail "an engine already runs in $dir; stop it first"
  [[ -e $dir/$marker ]] && stop
  [[ -z $(ls -A "$dir" 2>/dev/null) ]] || fail "$dir is not empty; choose a new directory"
  mkdir -p "$dir" "$dir/root" "$dir/registry" "$dir/client" "$dir/locks"
  # Making the images takes some ten seconds: a registry that is full of them is kept for the next start.
  local cache
  cache=$here/../build/images/$(cat "$here/demo/images.sh" - <<<"${PAYLOAD_MB:-}" | cksum | cut -d ' ' -f 1)
  [[ $images == none || ! -d $cache ]] || cp -r "$cache/." "$dir/registry"
  touch "$dir/$marker"
  write_configuration
  PATH=$PATH:/usr/sbin:/sbin setsid unshare --net --mount --pid --fork --mount-proc --kill-child=KILL \
    sh -c "$inside" lockstep-engine "$dir" "${DATA_ROOT_MB:-}" >"$dir/engine.log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  disown
  wait_for 5 "the engine" is_running
  wait_for 30 "the engine" docker_ version
  wait_for 30 "the registry" enter bash -c "exec 3<>/dev/tcp/${registry/:/\/}"
  if [[ $images != none && ! -d $cache ]]; then
    # shellcheck source=integration/demo/images.sh
    source "$here/demo/images.sh"
    make_images
    mkdir -p "$(dirname "$cache")"
    cp -r "$dir/registry" "$cache.$$"
    mv -T "$cache.$$" "$cache" 2>/dev/null || rm -rf "$cache.$$"  # Another start was first.
  fi
  cat >"$dir/env" <<ENV
LOCKSTEP_TEST_ENGINE=unix://$dir/d.sock
LOCKSTEP_TEST_REGISTRY=$registry
LOCKSTEP_TEST_ENGINE_PID=$(cat "$dir/pid")
LOCKSTEP_TEST_LOCKS_ROOT=$dir/locks
ENV
  cat "$dir/env"
}

enter() {
  local pid
  if ! is_running || ! pid=$(inner_pid); then fail "no engine runs in $dir"; fi
  nsenter --target "$pid" --mount --net --pid -- sh -c 'cd "$0" 2>/dev/null || cd /; exec "$@"' "$PWD" "$@"
}

stop() {
  [[ -e $dir/$marker ]] || { [[ -e $dir ]] && fail "$dir is not an engine's directory" || return 0; }
  if is_running; then
    local pid inner
    pid=$(cat "$dir/pid")
    inner=$(inner_pid || true)
    kill -KILL "$pid"
    # The kernel ends everything in the process namespace with its first process.
    while [[ -e /proc/$pid || (-n $inner && -e /proc/$inner) ]]; do sleep 0.02; done
  fi
  local top _
  for top in /sys/fs/cgroup/"$group" /sys/fs/cgroup/*/"$group"; do
    [[ -d $top ]] || continue
    for _ in {1..500}; do  # A group is busy until the last process in it is reaped.
      find "$top" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep 0.02
    done
  done
  rm -rf -- "$dir"
}

[[ $# -ge 2 ]] || usage
command=$1
dir=$(realpath -m -- "$2")
shift 2
# Control groups are named after the directory, so that `stop` finds those of this engine alone.
group=lockstep-$(printf %s "$dir" | cksum | cut -d ' ' -f 1)
case $command in
  start)
    images=${1:-all}
    trap '[[ $? == 0 ]] || { [[ -e $dir/pid ]] && kill -KILL "$(cat "$dir/pid")" 2>/dev/null; }' EXIT
    start
    ;;
  enter)
    [[ ${1:-} == -- ]] && shift
    [[ $# -gt 0 ]] || usage
    enter "$@"
    ;;
  docker) docker_ "$@" ;;
  stop) stop ;;
  *) usage ;;
esac
