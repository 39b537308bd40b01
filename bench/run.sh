#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures Braid against HAProxy and nginx; see README.md or --help.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=${BENCH_TOOLS:-$here/../build/bench}
make -s -C "$here" OUT="$tools"
exec python3 -B "$here/bench.py" --tools "$tools" "$@"
