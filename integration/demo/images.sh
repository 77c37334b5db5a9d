# Sourced by engine.sh: makes the images of the demo and the tests from what this machine has, pushes
# them to the registry, and removes them from the engine again, so that pulls are real.
#
#   app:v1, app:v2          runs until it is told to stop
#   web, db, worker :1, :2  the same, each with a layer of its own of some MB, so that progress shows
#   job:1                   ends at once with 0          crash:1      ends at once with 1
#   healthy:1               says it is healthy           unhealthy:1  says it is not
#
# Each has the real lock tools: procmail's lockfile and util-linux's flock.
# shellcheck shell=bash disable=SC2154

# The lock tools, busybox for the rest, and the shared libraries they need.
make_rootfs() {
  local root=$1 applet tool
  mkdir -p "$root"/{bin,dev,etc,proc,sys,tmp}
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
  for applet in $(busybox --list); do
    [[ $applet == busybox || $applet == flock ]] || ln -s busybox "$root/bin/$applet"
  done
  for tool in busybox lockfile flock; do
    cp "$(command -v $tool)" "$root/bin/$tool"
    { ldd "$root/bin/$tool" 2>/dev/null || true; } | grep -o '/[^ )]*' | while read -r library; do
      mkdir -p "$root$(dirname "$library")"
      cp -L "$library" "$root$library"
    done || true  # A static one needs none.
  done
}

# build NAME CONTEXT LINE...: an image from the lines of a Dockerfile.
build() {
  local name=$1 context=$2
  shift 2
  printf '%s\n' "$@" >"$context/Dockerfile"
  docker_ build --quiet --tag "$registry/$name" "$context" >/dev/null
}

make_images() {
  local work=$dir/images name release
  # A shell that is the first process ignores TERM unless it handles it.
  local run='CMD ["sh", "-c", "trap \"exit 0\" TERM INT; while :; do sleep 3600 & wait $!; done"]'
  mkdir -p "$work/base" "$work/plain"
  make_rootfs "$work/base/rootfs"
  build base:1 "$work/base" 'FROM scratch' 'COPY rootfs /' "$run"
  for release in 1 2; do
    build "app:v$release" "$work/plain" "FROM $registry/base:1" "ENV RELEASE=v$release"
    for name in web db worker; do
      mkdir -p "$work/$name"
      head -c "${PAYLOAD_MB:-8}M" /dev/urandom >"$work/$name/payload"
      build "$name:$release" "$work/$name" "FROM $registry/base:1" 'COPY payload /payload' "ENV RELEASE=$release"
    done
  done
  build job:1 "$work/plain" "FROM $registry/base:1" 'CMD ["true"]'
  build crash:1 "$work/plain" "FROM $registry/base:1" 'CMD ["sh", "-c", "echo cannot start; exit 1"]'
  local check='HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD'
  build healthy:1 "$work/plain" "FROM $registry/base:1" "$check true"
  build unhealthy:1 "$work/plain" "FROM $registry/base:1" "$check false"
  for name in app web db worker job crash healthy unhealthy; do
    docker_ push --quiet --all-tags "$registry/$name" >/dev/null
  done
  docker_ image prune --all --force >/dev/null
  rm -rf "$work"
}
