#!/usr/bin/env bash
# Installs a build to a scratch prefix, then builds and runs projects that know only find_package(lockstep).
#
#   check.sh BUILD_DIR SOURCE_DIR [CMAKE_OPTION...]     options: those of the build, such as its compiler flags
set -euo pipefail

build=$1 source=$2
shift 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
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
user edges_user 'runtimes;lockfs' -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON "$@"

consume examples "$source/integration/examples" "$@"
"$scratch/examples/embed" | tee "$scratch/said"
grep -q 'shop is in-sync' "$scratch/said"
lock_of() { "$scratch/examples/app_wide_lock" "$scratch/device" shop web db; }
[[ $(lock_of) == "taken: $scratch/device/locks/shop/app/busy" ]]
touch "$scratch/device/locks/shop/app/busy"
! lock_of >"$scratch/said"
grep -q "held by $scratch/device/locks/shop/app/busy" "$scratch/said"

"$scratch/prefix/bin/lockstep" version >/dev/null
