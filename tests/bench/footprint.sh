#!/usr/bin/env bash
# What a program needs while it waits: memory in KiB, threads, and over some seconds how often it was woken and the CPU
# time it took. Measured once it has been quiet for two seconds; ended with SIGTERM after that.
#
#   footprint.sh [OPTION...] COMMAND [ARG...]    the command itself, not a shell around it
#   footprint.sh [OPTION...] --held LOCKSTEP     `apply` of 30 services on an engine in memory, held by an update lock
#   footprint.sh [OPTION...] --agent LOCKSTEP    the agent, at rest with 30 services on the engine that DOCKER_HOST
#                                                names, of the image IMAGE; without IMAGE: on an engine in memory
#
#   --seconds N      of the measurement (5)
#   --most-anon N    ends with 1 where anonymous memory is more than N KiB
#   --most-rss N     likewise for all resident memory
set -euo pipefail

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
}

fail() {
  echo "footprint: $*" >&2
  tail -n 20 "$dir/log" >&2
  exit 1
}

seconds=5 most_anon='' most_rss='' held='' agent=''
while [[ ${1:-} == --* ]]; do
  [[ $# -ge 2 ]] || usage
  case $1 in
    --seconds) seconds=$2 ;;
    --most-anon) most_anon=$2 ;;
    --most-rss) most_rss=$2 ;;
    --held) held=$(realpath "$2") ;;
    --agent) agent=$(realpath "$2") ;;
    *) usage ;;
  esac
  shift 2
done
[[ -n $held || -n $agent || $# -gt 0 ]] || usage

dir=$(mktemp -d /tmp/lsf.XXXXXX)
pid=
end() {
  [[ -z $pid ]] || { kill "$pid" && wait "$pid"; } 2>/dev/null || true
  rm -rf "$dir"
}
trap end EXIT
: >"$dir/log"

# compose VERSION: 30 services of one app, each a little different.
compose() {
  echo 'name: shop'
  echo 'services:'
  local i
  for ((i = 0; i < 30; ++i)); do
    echo "  s$i: {image: \"registry.example/s$i:$1\", restart: always, environment: {NAME: \"s$i\", MODE: production}," \
      "volumes: [\"data$i:/data\"], ports: [\"$((8000 + i)):80\"], labels: {tier: back}}"
  done
  echo 'volumes:'
  for ((i = 0; i < 30; ++i)); do echo "  data$i:"; done
}

if [[ -n $agent ]]; then
  common=(--state-dir "$dir/state" --locks-root "${LOCKSTEP_TEST_LOCKS_ROOT:-$dir/locks}")
  [[ -n ${IMAGE:-} ]] || common+=(--engine memory:)
  compose 1 >"$dir/a.yml"
  [[ -z ${IMAGE:-} ]] || sed -i -e "s#image: \"[^\"]*\"#image: \"$IMAGE\"#" -e 's/, ports: [^]]*]//' "$dir/a.yml"
  set -- "$agent" agent --source "$dir/a.yml" --api-socket "$dir/sock" --settle 1s "${common[@]}"
fi

if [[ -n $held ]]; then
  common=(--engine memory: --state-dir "$dir/state" --locks-root "$dir/locks")
  compose 1 >"$dir/a.yml"
  compose 2 >"$dir/b.yml"
  "$held" apply "$dir/a.yml" "${common[@]}" >"$dir/log" 2>&1 || fail "the first release could not be applied"
  touch "$dir/locks/shop/s3/updates.lock"
  set -- "$held" apply "$dir/b.yml" "${common[@]}"
fi

"$@" >"$dir/log" 2>&1 </dev/null &
pid=$!

cpu_ticks() { awk '{sub(/.*\) /, ""); print $12 + $13}' "/proc/$pid/stat"; }
switches() { cat /proc/"$pid"/task/*/status 2>/dev/null | awk '/ctxt_switches/ {sum += $2} END {print sum}'; }
# of FILE NAME: a number in KiB.
of() { awk -v name="$2:" '$1 == name {print $2}' "/proc/$pid/$1"; }

quiet=0 before=
for ((i = 0; quiet < 20; ++i)); do
  sleep 0.1
  [[ -d /proc/$pid && $(of status State) != Z ]] || fail "it ended: $*"
  ((i < 1200)) || fail "it is not quiet after two minutes: $*"
  now=$(cpu_ticks)
  if [[ $now == "$before" ]]; then quiet=$((quiet + 1)); else quiet=0; fi
  before=$now
done

woken=$(switches)
sleep "$seconds"
[[ -d /proc/$pid && $(of status State) != Z ]] || fail "it ended: $*"
woken=$(($(switches) - woken))
anon=$(of status RssAnon)
rss=$(of status VmRSS)
cat <<EOF
anonymous       $anon KiB (RssAnon)
file            $(of status RssFile) KiB (RssFile)
resident        $rss KiB (VmRSS)
proportional    $(of smaps_rollup Pss) KiB (Pss)
threads         $(of status Threads)
woken           $woken times in $seconds s
CPU             $((($(cpu_ticks) - before) * 1000 / $(getconf CLK_TCK))) ms in $seconds s
EOF
over=
[[ -z $most_anon || $anon -le $most_anon ]] || over="more than $most_anon KiB of anonymous memory"
[[ -z $most_rss || $rss -le $most_rss ]] || over="more than $most_rss KiB of resident memory"
[[ -z $over ]] || { echo "footprint: $over" >&2 && exit 1; }
