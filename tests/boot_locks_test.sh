#!/usr/bin/env bash
# What systemd-tmpfiles makes of integration/packaging/lockstep.tmpfiles.conf: at boot the locks of the boot before go, and
# nothing else does; at any other time none goes. Status 77 where there is no systemd-tmpfiles.
set -euo pipefail

config=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/integration/packaging/lockstep.tmpfiles.conf
command -v systemd-tmpfiles >/dev/null || { echo "skipped: no systemd-tmpfiles here"; exit 77; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
services=$root/tmp/balena-supervisor/services

make_locks() {
  mkdir -p "$root/etc" "$services/12/web/updates.lock/in" "$services/shop/db"
  touch "$services/12/web/resin-updates.lock" "$services/shop/db/updates.lock" "$services/12/web/data"
}
run() { systemd-tmpfiles --root="$root" --create --remove "$@" "$config"; }
locks() { find "$services" -name '*updates.lock' | wc -l; }

make_locks
run
[[ $(locks) == 3 ]] || { echo "locks went outside of a boot"; exit 1; }
run --boot
[[ $(locks) == 0 ]] || { echo "locks of the boot before are left"; exit 1; }
[[ -f $services/12/web/data && -d $services/shop/db ]] || { echo "more than locks went"; exit 1; }
rm -rf "$root/tmp"
run --boot
[[ $(stat -c %a "$services") == 755 ]] || { echo "the root was not made"; exit 1; }
