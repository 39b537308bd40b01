#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures Braid against HAProxy and nginx; see README.md or --help.
#
# As root everything runs in a network namespace of its own, with the
# congestion control BENCH_CC (default: cubic, Debian's own default, where the
# kernel lets a namespace have it, else reno). BENCH_CC=host measures with the
# machine's own network instead.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=${BENCH_TOOLS:-$here/../build/bench}
make -s -C "$here" OUT="$tools"
set -- python3 -B "$here/bench.py" --tools "$tools" "$@"
if [ "$(id -u)" != 0 ] || [ "${BENCH_CC:-}" = host ]; then
	exec "$@"
fi
exec unshare --net -- sh -c '
	ip link set lo up
	for cc in ${BENCH_CC:-cubic reno}; do
		sysctl -qw net.ipv4.tcp_congestion_control="$cc" 2>/dev/null && break
	done
	exec "$@"' sh "$@"
