#!/usr/bin/env bash
# Starts an engine of its own, makes containers on it and runs observe_ratio. As root.
#
#   observe_ratio.sh PROGRAM [CONTAINERS]
set -euo pipefail

program=$(realpath "$1")
containers=${2:-100}
engine=$(cd "$(dirname "$0")/../../integration" && pwd)/engine.sh
dir=$(mktemp -d /tmp/lsb.XXXXXX)
trap '"$engine" stop "$dir"' EXIT
"$engine" start "$dir" >/dev/null
image=127.0.0.1:5055/app:v1
"$engine" docker "$dir" pull -q "$image" >/dev/null
for ((i = 0; i < containers; ++i)); do
  curl -sSf -o /dev/null --unix-socket "$dir/d.sock" -H 'Content-Type: application/json' \
    "http://engine/containers/create?name=s${i}_1_1_bench" -d '{
    "Image": "'$image'", "HostConfig": {"RestartPolicy": {"Name": "always"}, "Binds": ["data:/data"]},
    "Env": ["A=1", "B=two words"], "Labels": {"io.balena.supervised": "true", "io.balena.app-id": "12",
    "io.balena.app-uuid": "bench", "io.balena.service-name": "s'$i'", "io.lockstep.config-hash": "c1:'$i'"}}'
done
"$program" "unix://$dir/d.sock"
