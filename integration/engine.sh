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
# What may happen to an engine, and its way back:
#
#   engine.sh kill DIR         SIGKILL for dockerd: containers and the registry run on
#   engine.sh term DIR         SIGTERM for dockerd: it stops its containers; the registry runs on
#   engine.sh powercut DIR     SIGKILL for everything at once, containers and the registry too
#   engine.sh start-again DIR  starts what is down, on the same data and address; does nothing where nothing is
#
# The first three do nothing to an engine that is down, and return when it is. What containers do after each is for
# the engine to say: it stops those that outlived it, and starts again what its restart policies tell it to. With
# DATA_ROOT_MB the data is in memory, and gone after a power cut.
#
# IMAGES: all (default), none. Environment: PAYLOAD_MB, size of the layer that makes each image of the
# shop its own (default 8); DATA_ROOT_MB, puts the engine's data on a file system of that size; ENGINE_TLS, set to
# anything, makes the engine answer at tcp://127.0.0.1:2376 in there as well, with the client's certificates in DIR/tls.
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
inner_pid() {
  local pid first _
  pid=$(cat "$dir/pid")
  if read -r first _ 2>/dev/null <"/proc/$pid/task/$pid/children" && [[ -n $first ]]; then
    echo "$first"
  else
    pgrep -o -P "$pid"
  fi
}

# Whether dockerd is there, from its launch on. It is told by its words, as above.
is_dockerd_running() (
  enter sh -c 'tr "\0" "\n" <"/proc/$(cat "$0/launched")/cmdline" | grep -qF "$0"' "$dir" 2>/dev/null
)

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
  until ("$@") >/dev/null 2>&1; do  # One that fails may end its shell.
    { is_running && { [[ $what != "the engine" ]] || is_dockerd_running; }; } ||
      status=75 fail "$what ended while it started; last lines of its log:"$'\n'"$(tail -n 5 "$dir/engine.log")"
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

# make_certificate NAME EXTENSION...: of the engine's authority, in DIR/tls.
make_certificate() {
  local name=$1
  shift
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -keyout "$dir/tls/$name-key.pem" -out "$dir/tls/$name.csr" 2>/dev/null
  openssl x509 -req -in "$dir/tls/$name.csr" -CA "$dir/tls/ca.pem" -CAkey "$dir/tls/ca-key.pem" -CAcreateserial \
    -days 2 -extfile <(printf '%s\n' "$@") -out "$dir/tls/$name.pem" 2>/dev/null
}

make_certificates() {
  mkdir "$dir/tls"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=authority" \
    -keyout "$dir/tls/ca-key.pem" -out "$dir/tls/ca.pem" 2>/dev/null
  make_certificate engine "subjectAltName=IP:127.0.0.1,DNS:localhost" extendedKeyUsage=serverAuth
  make_certificate client extendedKeyUsage=clientAuth
  mv "$dir/tls/client.pem" "$dir/tls/cert.pem"
  mv "$dir/tls/client-key.pem" "$dir/tls/key.pem"
}

# Runs as the first process of the namespaces, $1 the directory, $2 the size of its data. /run is made
# private since containerd keeps its shims' sockets there. The namespaces outlive dockerd, and end with the
# registry; until then the shell waits, and so reaps whatever others leave behind.
inside='
  set -e
  mount -t tmpfs -o mode=755 tmpfs /run
  [ -z "$2" ] || mount -t tmpfs -o size="$2"m tmpfs "$1/root"
  ip link set lo up
  docker-registry serve "$1/registry.yml" &
  wait'
# Ends at once, so that dockerd becomes a child of the first process. A new one refuses to start where the number in
# an old pidfile is anybody's by now; the same holds for its containerd.
launch='
  rm -f "$1/dockerd.pid" "$1/exec/containerd/containerd.pid"
  setsid dockerd --config-file "$1/daemon.json" --data-root "$1/root" --exec-root "$1/exec" \
    -H "unix://$1/d.sock" --pidfile "$1/dockerd.pid" $2 >>"$1/engine.log" 2>&1 </dev/null &
  echo $! >"$1/launched"'

# Starts what is down, and returns when both answer.
boot() {
  local more=
  [[ ! -d $dir/tls ]] || more="-H tcp://127.0.0.1:2376 --tlsverify --tlscacert $dir/tls/ca.pem \
    --tlscert $dir/tls/engine.pem --tlskey $dir/tls/engine-key.pem"
  if ! is_running; then
    rm -rf "$dir/exec" "$dir/launched"
    PATH=$PATH:/usr/sbin:/sbin setsid unshare --net --mount --pid --fork --mount-proc --kill-child=KILL \
      sh -c "$inside" lockstep-engine "$dir" "$(cat "$dir/root_mb")" >>"$dir/engine.log" 2>&1 </dev/null &
    echo $! >"$dir/pid"
    disown
    until is_running; do [[ -e /proc/$! ]] || break; done
  fi
  wait_for 30 "the registry" enter bash -c "exec 3<>/dev/tcp/${registry/:/\/}"
  is_dockerd_running || PATH=$PATH:/usr/sbin:/sbin enter sh -c "$launch" launch "$dir" "$more"
  wait_for 60 "the engine" docker_ version
}

start() {
  [[ $EUID == 0 ]] || status=75 fail "starting an engine needs root"
  unshare --net --mount --pid --fork --mount-proc true 2>/dev/null ||
    status=75 fail "this machine does not allow namespaces, even to root"
  ((${#dir} <= 60)) || fail "$dir is longer than 60 characters; unix sockets would not fit: choose another"
  [[ $dir/ != /run/* && $dir/ != /var/run/* ]] || fail "$dir is below /run, which the engine does not see: choose another"
  local program
  for program in dockerd docker-registry busybox lockfile flock ip unshare nsenter pgrep iptables ${ENGINE_TLS:+openssl}; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || fail "$program is missing; run $here/setup.sh demo"
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
  [[ -z ${ENGINE_TLS:-} ]] || make_certificates
  printf %s "${DATA_ROOT_MB:-}" >"$dir/root_mb"
  boot
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

# end_dockerd SIGNAL. Its containerd goes with it, and is waited for too: both are missed by a successor.
end_dockerd() {
  is_dockerd_running || return 0
  enter kill -s "$1" "$(cat "$dir/launched")"
  while enter pgrep -x dockerd || enter pgrep -x containerd; do sleep 0.02; done >/dev/null
}

power_cut() {
  is_running || return 0
  local pid inner
  pid=$(cat "$dir/pid")
  inner=$(inner_pid || true)
  kill -KILL "$pid"
  # The kernel ends everything in the process namespace with its first process.
  while [[ -e /proc/$pid || (-n $inner && -e /proc/$inner) ]]; do sleep 0.02; done
}

stop() {
  [[ -e $dir/$marker ]] || { [[ -e $dir ]] && fail "$dir is not an engine's directory" || return 0; }
  power_cut
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
  kill | term | powercut | start-again)
    [[ -e $dir/$marker ]] || fail "$dir is not an engine's directory"
    case $command in
      kill) ! is_running || end_dockerd KILL ;;
      term) ! is_running || end_dockerd TERM ;;
      powercut) power_cut ;;
      start-again) boot ;;
    esac
    ;;
  *) usage ;;
esac
