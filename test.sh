#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds with the address and undefined-behaviour sanitizers and runs every
# test; the tests labelled tsan also under the thread sanitizer, and each fuzz
# target for FUZZ_SECONDS (60). All of them are rows of one CTest run, so its
# closing summary is the whole truth.
#
#   ./test.sh             everything
#   ./test.sh -R REGEX    only the tests whose name matches
set -euo pipefail

# The beginning of this file.
help() {
	sed -n '3,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"
	exit 0
}

usage() {
	printf 'usage: ./test.sh [-R REGEX]\n' >&2
	exit 64
}

regex=
[[ ${1:-} != --help ]] || help
while getopts R:h option; do
	case $option in
	R) regex=$OPTARG ;;
	h) help ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
(($# == 0)) || usage

cd "$(dirname "$(realpath "$0")")"
. .ci/packages.sh

FUZZ_SECONDS=${FUZZ_SECONDS:-60}
[[ $FUZZ_SECONDS =~ ^[1-9][0-9]{0,4}$ ]] ||
	die "FUZZ_SECONDS must be a number of seconds from 1 to 99999"
SUITE=build-test/suite

TEST_PACKAGES=(check clang clang-format nginx-light libnginx-mod-stream
	apache2-bin haproxy wrk iperf3 openssl redis-server redis-tools curl iproute2 nftables
	unbound openssh-server openssh-client python3 scdoc procps util-linux strace git
	mmdebstrap dpkg-dev python3-yaml haproxy-doc libmaxmind-db-writer-perl
	ldnsutils bind9-utils bind9-dnsutils bind9 knot-resolver pdns-recursor dnsperf
	knot-dnsutils knot nsd zonemaster-cli libfaketime)
TEST_COMMANDS="ninja clang clang-format nginx apache2 haproxy wrk iperf3 redis-server
	redis-benchmark unbound sshd ssh curl ip nft python3 scdoc strace git
	ldns-verify-zone dnssec-verify delv"

# clang's sanitizer and fuzzer libraries are a package of their own, named
# after its version, where the distribution splits them off (Debian 12).
add_clang_runtime() {
	command -v apt-get >/dev/null || return 0
	local version package
	version=$(clang --version 2>/dev/null |
		sed -n 's/.*version \([0-9]*\)\..*/\1/p' | head -n 1)
	package=libclang-rt-$version-dev
	if apt-cache show "$package" >/dev/null 2>&1; then
		need_packages "" "$package"
	fi
}

# A browser, 120 MB to fetch; not every distribution has it as a package.
add_browser() {
	command -v apt-get >/dev/null || return 0
	wanted e2e.d_chromium || return 0
	if apt-cache show chromium >/dev/null 2>&1; then
		need_packages "" chromium
	fi
}

wanted() { [[ -z $regex || $1 =~ $regex ]]; }

fuzz_targets() {
	local source
	for source in tests/fuzz/fuzz_*.c; do
		[[ -e $source ]] || continue
		source=$(basename "$source" .c)
		! wanted "fuzz.$source" || say "$source"
	done
}

section() { printf '\n== %s ==\n' "$*"; }

add_row() {
	local name=$1 properties=$2
	shift 2
	{
		printf 'add_test([=[%s]=]' "$name"
		printf ' [=[%s]=]' "$@"
		printf ')\nset_tests_properties([=[%s]=] PROPERTIES %s)\n' \
			"$name" "$properties"
	} >>$SUITE/CTestTestfile.cmake
}

add_thread_sanitizer() {
	wanted tsan.all || return 0
	section "thread sanitizer build (build-tsan)"
	configure build-tsan -DCMAKE_BUILD_TYPE=Debug -DBRAID_TESTS=ON \
		-DBRAID_SANITIZE=thread
	build build-tsan
	# Its shadow memory does not fit every random layout of newer
	# kernels; a fixed layout always fits.
	local fixed=()
	if setarch "$(uname -m)" -R true 2>/dev/null; then
		fixed=(setarch "$(uname -m)" -R)
	fi
	add_row tsan.all "RUN_SERIAL TRUE LABELS tsan TIMEOUT 2700" \
		"${fixed[@]}" ctest --test-dir "$PWD/build-tsan" -L tsan \
		--output-on-failure --no-tests=error
}

add_fuzzing() {
	local targets target name seeds work
	mapfile -t targets < <(fuzz_targets)
	((${#targets[@]})) || return 0
	section "fuzz build (build-fuzz)"
	# Coverage of our own libraries is what guides the fuzzer.
	configure build-fuzz -DCMAKE_BUILD_TYPE=Debug -DBRAID_FUZZ=ON \
		-DBRAID_SANITIZE=address -DCMAKE_C_COMPILER=clang \
		-DCMAKE_C_FLAGS=-fsanitize=fuzzer-no-link
	build build-fuzz --target "${targets[@]}"
	for target in "${targets[@]}"; do
		name=${target#fuzz_}
		seeds=$PWD/tests/fuzz/seeds/$name
		[[ -d $seeds ]] || die "$target has no seeds in $seeds"
		work=$PWD/build-fuzz/found/$name
		mkdir -p "$work"
		add_row "fuzz.$target" \
			"LABELS fuzz COST 1000 TIMEOUT $((FUZZ_SECONDS + 180))" \
			"$PWD/build-fuzz/bin/$target" \
			"-max_total_time=$FUZZ_SECONDS" -timeout=20 \
			-rss_limit_mb=2048 -print_final_stats=1 \
			"-artifact_prefix=$work-" "$work" "$seeds"
	done
}

need_packages "$TEST_COMMANDS" "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
add_clang_runtime
add_browser
exec </dev/null

section "address and undefined-behaviour sanitizer build (build-test)"
configure build-test -DCMAKE_BUILD_TYPE=Debug -DBRAID_TESTS=ON \
	-DBRAID_SANITIZE=address
build build-test
mkdir -p $SUITE
printf 'subdirs([=[%s]=])\n' "$PWD/build-test" >$SUITE/CTestTestfile.cmake
add_thread_sanitizer
add_fuzzing

section "tests"
options=(--test-dir "$SUITE" --output-on-failure --no-tests=error
	--parallel "$(nproc)")
[[ -z $regex ]] || options+=(-R "$regex")
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
exec ctest "${options[@]}"
