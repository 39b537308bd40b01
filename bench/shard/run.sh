#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures range shards; see README.md or --help.
#
# Network and mounts are of a namespace of its own: whatever becomes of the
# bench, no network namespace, link or rule outlives its last process.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "$(id -u)" != 0 ]; then
	echo "bench/shard: needs root, for network namespaces and traffic control" >&2
	exit 77
fi
tools=${BENCH_TOOLS:-$here/../../build/bench}
make -s -C "$here/.." OUT="$tools"
mkdir -p /run/netns
export PYTHONPATH="$here/..:$here/../../tests/e2e"
exec unshare --mount --net -- sh -c '
	mount -t tmpfs none /run/netns
	ip link set lo up
	for cc in cubic reno; do
		sysctl -qw net.ipv4.tcp_congestion_control="$cc" 2>/dev/null && break
	done
	exec "$@"' sh \
	python3 -B "$here/shard_bench.py" --tools "$tools" "$@"
