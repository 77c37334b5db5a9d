#!/usr/bin/env bash
# Shows what Lockstep is for: an app goes from release A to release B, all services together, and only once
# the app lets go of its update lock.
#
#   demo.sh                     on a real engine of its own (Debian 12, as root)
#   demo.sh --engine memory:    on an engine in memory; also what happens without root
#
# Installs and builds what is missing; a second run starts at once. Cleans up after itself, interrupted or not.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
engine=docker
case "$*" in
  '') [[ $EUID == 0 ]] || { engine=memory && echo "Not root: this is shown on an engine in memory."; } ;;
  '--engine memory:' | '--engine=memory:') engine=memory ;;
  *)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac

bold='' dim='' plain='' pace=0
if [[ -t 1 ]]; then
  [[ -n ${NO_COLOR:-} ]] || bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
  pace=1.5
fi

say() {
  printf '\n%s%s%s\n' "$bold" "$*" "$plain"
  sleep "$pace"
}

# Shows a command as a person would type it.
shown() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; }

fail() {
  echo "demo: $*" >&2
  exit 1
}

dir=
update=  # The process of `apply` in the background.
end() {
  local status=$?
  trap - EXIT INT TERM HUP
  [[ -z $update ]] || kill -KILL "$update" 2>/dev/null || true
  [[ -z $dir || ! -d $dir ]] || { [[ $engine == docker ]] && "$here/engine.sh" stop "$dir/e"; rm -rf "$dir"; } || true
  exit "$status"
}

build() {
  local needs=(build)
  [[ $engine == memory ]] || needs+=(demo)
  "$here/setup.sh" "${needs[@]}"
  local log=$root/build/demo-build.log
  mkdir -p "$root/build"
  [[ -x $root/build/release/lockstep ]] || echo "Building Lockstep (once, some minutes) ..."
  { cmake -S "$root" --preset release && cmake --build "$root/build/release" --target lockstep; } >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2 && fail "the build failed; all of it is in $log"; }
}

# The command with what every call of this demo has in common.
lockstep_() {
  local name=$1
  shift
  "$root/build/release/lockstep" "$name" "$@" --engine "$url" --locks-root "$locks" --state-dir "$dir/state"
}

lockstep() {
  shown "lockstep $*"
  (cd "$dir" && lockstep_ "$@")
}

# target COMMIT NUMBER WEB WORKER: the shop, whose db is the same in both releases.
target() {
  cat <<JSON
{"d0000000000000000000000000000000": {"name": "kitchen", "config": {}, "apps": {
  "5ca1ab1e000000000000000000000000": {"id": 12, "name": "shop", "class": "fleet", "is_host": false,
    "releases": {"$1": {"id": $2, "services": {
      "web": {"id": 1, "image_id": ${2}1, "image": "$registry/$3", "running": true, "environment": {}, "labels": {},
        "composition": {"restart": "always", "depends_on": ["db"], "networks": {"default": {}}}},
      "db": {"id": 2, "image_id": 902, "image": "$registry/db:1", "running": true, "environment": {}, "labels": {},
        "composition": {"restart": "always", "volumes": ["data:/data"], "networks": {"default": {}}}},
      "worker": {"id": 3, "image_id": ${2}3, "image": "$registry/$4", "running": true, "environment": {}, "labels": {},
        "composition": {"restart": "always", "networks": {"default": {}}}}},
      "networks": {"default": {}}, "volumes": {"data": {}}}}}}}}
JSON
}

docker_() { "$here/engine.sh" docker "$dir/e" "$@"; }
container_of() { docker_ ps --quiet --no-trunc --filter "label=io.balena.service-name=$1"; }

# What runs: service, image, container and since when, to be compared later.
what_runs() {
  if [[ $engine == docker ]]; then
    docker_ ps --quiet --filter label=io.balena.supervised | while read -r id; do
      docker_ inspect --format "  {{index .Config.Labels \"io.balena.service-name\"}}	{{.Config.Image}}	$id	started {{.State.StartedAt}}" "$id"
    done | sort | expand -t 12,40,56
  else
    lockstep_ status
  fi
}

lock_as_the_app() {
  if [[ $engine == docker ]]; then
    say "The app is busy: web takes its update lock, with procmail's lockfile, inside its container."
    shown "docker exec web lockfile -r0 /tmp/balena/updates.lock"
    docker_ exec "$(container_of web)" lockfile -r0 /tmp/balena/updates.lock
    return
  fi
  local file=$locks/12/web/updates.lock
  say "The app is busy: web takes its update lock. (Its container would see the file as /tmp/balena/updates.lock.)"
  if command -v lockfile >/dev/null; then
    shown "lockfile -r0 $file"
    lockfile -r0 "$file"
  else
    shown "set -o noclobber; : >$file"
    (set -o noclobber && : >"$file")
  fi
}

unlock_as_the_app() {
  shown "rm -f /tmp/balena/updates.lock"
  if [[ $engine == docker ]]; then
    docker_ exec "$(container_of web)" rm -f /tmp/balena/updates.lock
  else
    rm -f "$locks/12/web/updates.lock"
  fi
}

# Until it is held, and all that needs no lock is done.
await_held() {
  local deadline=$((SECONDS + 60))
  until grep -qi held "$dir/update.log" && [[ $(grep -cE 'create (web|worker): done' "$dir/update.log") == 2 ]]; do
    kill -0 "$update" 2>/dev/null || { cat "$dir/update.log" && fail "apply ended before it was held"; }
    ((SECONDS < deadline)) || { cat "$dir/update.log" && fail "apply was not held and ready within a minute"; }
    sleep 0.1
  done
}

story() {
  say "Release A is applied: web (which needs db), db and worker."
  lockstep apply a.json
  lock_as_the_app

  say "Release B comes: new images for web and worker; db stays as it is."
  what_runs >"$dir/before"
  shown "lockstep apply b.json &"
  (cd "$dir" && exec "$root/build/release/lockstep" apply b.json --engine "$url" --locks-root "$locks" \
    --state-dir "$dir/state") >"$dir/update.log" 2>&1 &
  update=$!
  await_held
  cat "$dir/update.log"
  local shown_lines
  shown_lines=$(wc -l <"$dir/update.log")

  say "It is downloaded and prepared, and it waits. By whom it is held:"
  lockstep locks
  what_runs >"$dir/meanwhile"
  cmp -s "$dir/before" "$dir/meanwhile" || fail "something was touched while the app held its lock"
  say "Meanwhile release A runs on, not one container touched:"
  cat "$dir/meanwhile"

  say "The app is done, and unlocks."
  local status=0
  unlock_as_the_app
  wait "$update" || status=$?
  update=
  tail -n "+$((shown_lines + 1))" "$dir/update.log"
  [[ $status == 0 ]] || fail "apply ended with $status"

  say "Release B runs. db was not restarted:"
  what_runs
  say "And nothing is left to do:"
  lockstep plan b.json --detailed-exitcode
}

trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
build
dir=$(mktemp -d /tmp/lsd.XXXXXX)
locks=$dir/locks
url=memory:
registry=registry.example
mkdir "$locks"
if [[ $engine == docker ]]; then
  echo "Starting a container engine and a registry of its own; nobody's containers are touched ..."
  "$here/engine.sh" start "$dir/e" >"$dir/env"
  url=unix://$dir/e/d.sock
  registry=127.0.0.1:5055
fi
target aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1 web:1 worker:1 >"$dir/a.json"
target bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 2 web:2 worker:2 >"$dir/b.json"
echo "Each lockstep command below also has: --engine $url --locks-root $locks --state-dir $dir/state"
story
