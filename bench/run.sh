#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures Braid against HAProxy and nginx; see README.md or --help.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# Where nobody may read too: the tools run as the service user.
tools=${BENCH_TOOLS:-$here/../build/bench}
make -s -C "$here" OUT="$tools"
exec python3 -B "$here/bench.py" --tools "$tools" "$@"
