#!/bin/sh
# Runs the plan cases against a lockstep binary: check.sh BINARY
#
# Every case must pass but those in not-yet.txt, which must not: a case that begins to pass is taken
# off that list. Cases kept beside the project (LOCKSTEP_MORE_CASES) are run with it where they are.
set -eu

binary=${1:?usage: check.sh BINARY}
here=$(cd "$(dirname "$0")" && pwd)
more=${LOCKSTEP_MORE_CASES:-$here/../../../shared/cases}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

sed -e 's/#.*//' -e 's/[[:space:]].*//' -e '/^$/d' "$here/not-yet.txt" | sort > "$work/listed"

# check FOLDER: what fails there and what is listed must be the same.
check() {
  "$here/run_cases.py" "$binary" "$1" > "$work/output" || true
  for file in "$1"/*.json; do basename "$file" .json; done | sort > "$work/ids"
  sed -n 's/^FAIL \([^:]*\):.*/\1/p' "$work/output" | sort > "$work/failing"
  comm -12 "$work/ids" "$work/listed" > "$work/expected"
  comm -23 "$work/failing" "$work/expected" > "$work/broken"
  comm -13 "$work/failing" "$work/expected" > "$work/mended"
  total=$(wc -l < "$work/ids")
  if ! tail -n 1 "$work/output" | grep -q '^[0-9]* passed, [0-9]* failed$'; then
    echo "cases: $1 could not be run"
    failed=1
  elif [ -s "$work/broken" ] || [ -s "$work/mended" ]; then
    cat "$work/output"
    sed 's/$/: FAILS and is not in not-yet.txt/' "$work/broken"
    sed 's/$/: PASSES and is still in not-yet.txt/' "$work/mended"
    failed=1
  fi
  passed=$((passed + total - $(wc -l < "$work/failing")))
  failed_cases=$((failed_cases + $(wc -l < "$work/broken") + $(wc -l < "$work/mended")))
  echo "cases: $((total)) in $1: $(($(wc -l < "$work/failing"))) fail," \
    "$(($(wc -l < "$work/broken"))) of them unexpectedly;" \
    "$(($(wc -l < "$work/mended"))) pass unexpectedly"
}

passed=0 failed_cases=0 skipped=0
check "$here"
ls "$here"/*.json | sed 's|.*/||; s|\.json$||' | sort | comm -13 - "$work/listed" > "$work/unknown"
if [ -s "$work/unknown" ]; then
  sed 's/$/: is in not-yet.txt, but there is no such case/' "$work/unknown"
  failed=1
fi
if [ -d "$more" ]; then
  check "$more"
else
  echo "skipped: the cases in $more: there is no such folder"
  skipped=1
fi
[ $failed = 0 ] || [ $failed_cases != 0 ] || failed_cases=1
echo "$passed passed, $failed_cases failed, $skipped skipped"
exit $failed
