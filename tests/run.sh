#!/usr/bin/env bash
# Builds Lockstep and runs all of its tests. The last line is "N passed, N failed, N skipped"; the exit status is 0
# only if nothing failed.
#
#   tests/run.sh           everything once: unit, layering, plan cases, installed package, real engine, status page, demo
#   tests/run.sh --full    the same, the unit tests under the address and undefined-behaviour sanitizers; where threads
#                          meet under the thread sanitizer as well
#
# On a fresh Debian 12, as root, it first installs what is missing. The tests are compiled beside those on the real engine,
# which mostly wait. Logs: build/logs.
# shellcheck disable=SC2317  # Functions are called through check() and reported().
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
full=
unit=dev  # The preset that the unit tests are built with.
case ${1:-} in
  '') ;;
  --full) full=yes unit=asan ;;
  *)
    sed -n '2,/^set /{/^set /d;/shellcheck/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac

logs=$root/build/logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0
fixed=()  # What pins the addresses of programs, where that is needed.
summary=()

# record NAME SECONDS PASSED FAILED SKIPPED [WORDS]
record() {
  passed=$((passed + $3)) failed=$((failed + $4)) skipped=$((skipped + $5))
  local line
  line=$(printf '%-28s %4d passed %4d failed %4d skipped %5d s  %s' "$1" "$3" "$4" "$5" "$2" "${6:-}")
  summary+=("$line")
  echo "== $line"
}

finish() {
  echo
  printf '%s\n' "${summary[@]}"
  [[ $skipped == 0 ]] || cat "$logs"/*.skipped
  echo
  echo "$passed passed, $failed failed, $skipped skipped"
  [[ $failed == 0 ]] || exit 1
  exit 0
}

# check NAME CMD...: one test, passed when its status is 0. The log is shown when it is not.
check() {
  local name=$1 begin=$SECONDS
  shift
  if "$@" >"$logs/$name.log" 2>&1 </dev/null; then
    record "$name" $((SECONDS - begin)) 1 0 0
  else
    tail -n 60 "$logs/$name.log"
    record "$name" $((SECONDS - begin)) 0 1 0
    return 1
  fi
}

# reported NAME CMD...: many tests, counted in the JUnit reports that CMD leaves in build/logs/NAME. None is a failure.
reported() {
  local name=$1 begin=$SECONDS status=0 text counts
  shift
  rm -rf "${logs:?}/$name"
  mkdir "$logs/$name"
  "$@" >"$logs/$name.log" 2>&1 </dev/null || status=$?
  text=$(python3 tests/junit.py "$logs/$name"/*.xml 2>&1) || text="no report"$'\n'"0 0 0"
  read -ra counts <<<"${text##*$'\n'}"
  grep '^skipped: ' <<<"$text" >"$logs/$name.skipped" || true
  if [[ ${counts[1]} == 0 && ($status != 0 || ${counts[0]} == 0) ]]; then
    tail -n 60 "$logs/$name.log"
    counts[1]=1
  elif [[ ${counts[1]} != 0 ]]; then
    grep -v '^skipped: ' <<<"$text" | head -n 400
  fi
  record "$name" $((SECONDS - begin)) "${counts[@]}"
}

# counted NAME CMD...: many tests, counted in its last line, "N passed, N failed[, N skipped]".
counted() {
  local name=$1 begin=$SECONDS status=0 last
  shift
  "$@" >"$logs/$name.log" 2>&1 </dev/null || status=$?
  last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$logs/$name.log" | tail -n 1 || true)
  if [[ ! $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)? ]]; then
    tail -n 60 "$logs/$name.log"
    record "$name" $((SECONDS - begin)) 0 1 0 "no count in its output"
    return
  fi
  local ok=${BASH_REMATCH[1]} bad=${BASH_REMATCH[2]} left_out=${BASH_REMATCH[4]:-0}
  [[ $status == 0 || $bad != 0 ]] || bad=1
  [[ $bad == 0 ]] || tail -n 200 "$logs/$name.log"
  grep '^skipped: ' "$logs/$name.log" >"$logs/$name.skipped" || true
  record "$name" $((SECONDS - begin)) "$ok" "$bad" "$left_out"
}

# build PRESET [TARGET...]
build() {
  local preset=$1 options=(-DLOCKSTEP_WERROR=ON)
  shift
  export CCACHE_SLOPPINESS=pch_defines,time_macros  # Without, it keeps nothing that has precompiled headers.
  command -v ccache >/dev/null && options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  cmake --preset "$preset" "${options[@]}" && "${fixed[@]}" cmake --build --preset "$preset" -j "$(nproc)" ${1:+--target "$@"}
}

# Where threads meet.
threaded=(orchestrator_tests runtimes_tests lockfs_tests http_api_tests target_sources_tests)

compile_tests() {
  build "$unit" && { [[ -z $full ]] || build tsan "${threaded[@]}"; }
}

# In a session of its own: it is ended as one, and the kernel shares a core out among sessions before it looks at how nice
# a process is.
compiler=
begin_to_compile_tests() {
  trap '[[ -z $compiler ]] || kill -- "-$compiler" 2>/dev/null || true' EXIT
  export -f build compile_tests
  setsid nice -n 19 bash -c "$(declare -p unit full fixed threaded)
    { echo 19 >/proc/self/autogroup; } 2>/dev/null
    compile_tests" >"$logs/compiler.log" 2>&1 </dev/null &
  compiler=$!
}

tests_are_compiled() {
  local status=0
  wait "$compiler" || status=$?
  compiler=
  cat "$logs/compiler.log"
  return "$status"
}

# run_ctest PRESET OPTION...
run_ctest() {
  local preset=$1
  shift
  reported "others-$preset" ctest --preset "$preset" -j "$(nproc)" --output-junit "$logs/others-$preset/ctest.xml" "$@"
}

# run_programs PRESET [PATTERN]: the unit tests of these programs, each in two halves; all without a pattern.
run_programs() {
  grep -E "/(${2:-.*})$" "build/$1/test_programs" | sed 'h; s/^/0 /; p; g; s/^/1 /' >"$logs/programs"
  # shellcheck disable=SC2016  # Expanded for each half.
  reported "tests-$1" "${fixed[@]}" xargs -a "$logs/programs" -P "$(nproc)" -L 1 sh -c \
    'GTEST_TOTAL_SHARDS=2 GTEST_SHARD_INDEX=$2 timeout 1800 "$3" --gtest_brief=1 \
      --gtest_output="xml:$1/${3##*/}.$2.xml"' half "$logs/tests-$1"
}

# The live tests of the runtimes, in an engine that goes with them.
run_live_tests() {
  local dir status=0 program=$root/build/$unit/tests/runtimes/runtimes_live_tests
  dir=$(mktemp -d /tmp/lse.XXXXXX)
  integration/engine.sh start "$dir" || status=$?
  if [[ $status == 0 ]]; then
    # shellcheck disable=SC2046  # One assignment a word.
    env $(cat "$dir/env") "$program" --gtest_output=xml:"$1" || status=$?
  fi
  integration/engine.sh stop "$dir"
  return "$status"
}

# Says why this machine cannot run an engine, if so. Any other failure to start one is the tests' to report.
engine_refusal() {
  local dir said status=0
  dir=$(mktemp -d /tmp/lse.XXXXXX)
  said=$(integration/engine.sh start "$dir" none 2>&1) || status=$?
  [[ $status != 75 ]] || tail -n 1 <<<"$said"
  integration/engine.sh stop "$dir" 2>/dev/null || rmdir "$dir"
}

rm -f "$logs"/*.skipped
check setup integration/setup.sh || finish
check lock-tools tests/lockfs/tools/install.sh "$root/build/lock-tools" || true
# What measures memory, and what is many seeds of one test, has nothing to tell a sanitizer.
plain=(${full:+planner_property_tests simulation_tests planner_memory_test pull_memory_test})
check build-release build release lockstep lockstep_with_lock_program "${plain[@]}" || finish
check size tests/size_test.sh "$root/build/release/lockstep" 4096 || true
# The thread sanitizer does not find its way where addresses are spread widely.
[[ -z $full ]] || ! setarch -R true 2>/dev/null || fixed=(setarch -R)
begin_to_compile_tests
counted cases tests/cases/check.sh "$root/build/release/lockstep"

refusal=$(engine_refusal)
if [[ -n $refusal ]]; then
  echo "skipped: REAL ENGINE, all of it: $refusal" >"$logs/engine.skipped"
  record engine 0 0 0 1 "NOT RUN: $refusal"
else
  [[ -z $full ]] || export LOCKSTEP_KILLS=${LOCKSTEP_KILLS:-4}
  counted engine tests/engine/run.py
  check demo integration/demo.sh || true
fi
counted page tests/page/run.py
check demo-memory integration/demo.sh --engine memory: || true

check build-tests tests_are_compiled || finish
run_programs $unit
run_ctest $unit -LE unit ${full:+-E '^(planner_properties|simulations)_[1-7]$'}
[[ -n $refusal ]] || reported engine-live run_live_tests "$logs/engine-live/live.xml"
if [[ -n $full ]]; then
  run_programs tsan "$(IFS='|' && echo "${threaded[*]}")"
  run_ctest release -R '^(planner_properties|simulations)_|PlanningMemoryTest|PullMemoryTest'
fi
finish
