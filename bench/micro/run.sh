#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the micro benchmarks (Release) and runs all of them, or those whose
# module is named: bench/micro/run.sh [timer mailbox ...]
set -euo pipefail

cd "$(dirname "$(realpath "$0")")/../.."
build=${BUILD:-build}
cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DBRAID_BENCH=ON \
	>/dev/null
ninja -C "$build" >/dev/null
(($# > 0)) || set -- timer mailbox slab balance board log conf metrics model dns zone
for module; do
	"$build/bin/micro_$module"
done
