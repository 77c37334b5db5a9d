#!/usr/bin/env bash
# Fails where a program, without its symbols, is larger than it may be.
#
#   size_test.sh PROGRAM KIB
set -euo pipefail

stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$1"
size_kib=$((($(stat -c %s "$stripped") + 1023) / 1024))
echo "$1: $size_kib KiB stripped, of $2"
[[ $size_kib -le $2 ]]
