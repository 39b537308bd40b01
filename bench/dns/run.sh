#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures the DNS responder against Knot, NSD, gdnsd and a bare echo; see
# README.md or --help. As root all of it runs in a network namespace of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=${BENCH_TOOLS:-$here/../../build/bench}
make -s -C "$here/.." OUT="$tools" "$tools/dnsecho" "$tools/dnsload"
export PYTHONPATH="$here/.."
set -- python3 -B "$here/dns_bench.py" --tools "$tools" "$@"
if [ "$(id -u)" != 0 ]; then
	exec "$@"
fi
exec unshare --net -- sh -c 'ip link set lo up; exec "$@"' sh "$@"
