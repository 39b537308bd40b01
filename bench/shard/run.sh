#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures range shards; see README.md or --help. With --demo as the first
# argument: one download told second by second (./run.sh --demo shard).
#
# Network and mounts are of a namespace of its own: whatever becomes of the
# bench, no network namespace, link, rule or file outlives its last process.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "$(id -u)" != 0 ]; then
	echo "bench/shard: needs root, for network namespaces and traffic control" >&2
	exit 77
fi
script=shard_bench.py
if [ "${1:-}" = --demo ]; then
	script=demo.py
	shift
fi
tools=${BENCH_TOOLS:-$here/../../build/bench}
make -s -C "$here/.." OUT="$tools"
mkdir -p /run/netns
export PYTHONPATH="$here/..:$here/../../tests/e2e"
exec unshare --mount --net -- sh -c '
	mount -t tmpfs none /run/netns
	mount -t tmpfs -o mode=1777 none /dev/shm
	ip link set lo up
	for cc in cubic reno; do
		sysctl -qw net.ipv4.tcp_congestion_control="$cc" 2>/dev/null && break
	done
	exec "$@"' sh \
	python3 -B "$here/$script" --tools "$tools" "$@"
