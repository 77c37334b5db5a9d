#!/usr/bin/env bash
# Installs a build to a scratch prefix, then builds and runs projects that know only find_package(lockstep).
#
#   check.sh BUILD_DIR SOURCE_DIR [CMAKE_OPTION...]     options: those of the build, such as its compiler flags
set -euo pipefail

build=$1 source=$2
shift 2
scratch=$(mktemp -d)
supervisor=
trap '[[ -z $supervisor ]] || kill -KILL "$supervisor"; rm -rf "$scratch"' EXIT
cmake --install "$build" --prefix "$scratch/prefix" >/dev/null

# consume NAME SOURCE_DIR OPTION...
consume() {
  local name=$1 project=$2
  shift 2
  cmake -G Ninja -S "$project" -B "$scratch/$name" -DCMAKE_PREFIX_PATH="$scratch/prefix" "$@" >/dev/null
  cmake --build "$scratch/$name" >"$scratch/log" || { cat "$scratch/log"; return 1; }
}

# user NAME COMPONENTS OPTION...
user() {
  local name=$1 components=$2
  shift 2
  consume "$name" "$source/tests/install_consumer" -DSOURCE="$name.cc" -DCOMPONENTS="$components" "$@"
  "$scratch/$name/consumer"
  echo "$name: builds and runs with $components"
}

# Nobody pays for a room they did not ask for.
no_edges=(-DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON)
user core_user core "${no_edges[@]}" -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON "$@"
user testing_user 'core;testing' "${no_edges[@]}" "$@"
user conformance_user 'core;testing' "${no_edges[@]}" "$@"
user edges_user 'runtimes;lockfs' -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON "$@"

consume examples "$source/integration/examples" "$@"
"$scratch/examples/embed" | tee "$scratch/said"
grep -q 'shop is in-sync' "$scratch/said"
lock_of() { "$scratch/examples/app_wide_lock" "$scratch/device" shop web db; }
[[ $(lock_of) == "taken: $scratch/device/locks/shop/app/busy" ]]
touch "$scratch/device/locks/shop/app/busy"
! lock_of >"$scratch/said"
grep -q "held by $scratch/device/locks/shop/app/busy" "$scratch/said"

# The whole supervisor, with two targets and an update lock between them. What it says comes to descriptor 3.
supervised=$scratch/supervised
mkdir "$supervised"
mkfifo "$supervised/in" "$supervised/out"
"$scratch/examples/minimal_supervisor" memory "$supervised" <"$supervised/in" >"$supervised/out" 2>"$supervised/err" &
supervisor=$!
exec 4>"$supervised/in" 3<"$supervised/out"  # In the order in which it opens them.
await() {
  local line
  while read -r -t 120 line <&3; do
    echo "$line" >>"$scratch/said"
    [[ $line == $1 ]] && return  # A pattern.
  done
  echo "minimal_supervisor never said: $1" >&2
  tail "$scratch/said" >&2
  return 1
}
echo 'a1 web=registry.example/web:1 db=registry.example/db:1' >&4
await 'progress shop web pull-image registry.example/web:1 4000000/4000000 bytes'
await 'committed shop*'
touch "$supervised/locks/shop/web/updates.lock"
echo 'b2 web' >&4  # No target: nothing of it is taken up.
echo 'b2 web=registry.example/web:2 db=registry.example/db:1' >&4
await "held shop*by $supervised/locks/shop/web/updates.lock"
rm "$supervised/locks/shop/web/updates.lock"
await 'released shop*'
await 'step-done shop web stop-container *'
await 'step-done shop web start-container *'
kill -TERM "$supervisor"
wait "$supervisor"
supervisor=
cat <&3 >"$scratch/said"  # A cutover that has begun is finished.
grep -q 'step-done shop  release-locks' "$scratch/said"
[[ $(<"$supervised/err") == 'no SERVICE=IMAGE: web' ]]
exec 3<&- 4>&-
echo 'minimal_supervisor: keeps to two targets and a lock, and ends by SIGTERM'

mkdir "$scratch/custom"
"$scratch/examples/custom_agent" "$scratch/custom" | tee "$scratch/said"
diff - "$scratch/said" <<'SAID'
release a1
start-container db
start-container web
committed
release b2
held by the flag of web
the job is done
released
stop-container web
start-container web
committed
no release
stop-container web
stop-container db
committed
SAID
"$scratch/examples/custom_agent_test" --gtest_brief=1

"$scratch/examples/planner_test" --gtest_brief=1
if ldd "$scratch/examples/planner_test" | grep libcurl; then
  echo 'planner_test needs libcurl' >&2
  exit 1
fi

"$scratch/prefix/bin/lockstep" version >/dev/null
