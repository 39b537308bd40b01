# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run.sh and test.sh: what must be installed, and installing it.

BUILD_PACKAGES=(build-essential cmake ninja-build pkg-config liburing-dev
	libyaml-dev libck-dev libmicrohttpd-dev libjansson-dev libssl-dev
	libc-ares-dev libcurl4-openssl-dev libmaxminddb-dev)
# What CMake asks pkg-config for: the same needs by names that hold on every
# distribution.
BUILD_MODULES=("liburing >= 2.3" yaml-0.1 ck libmicrohttpd jansson libcares libmaxminddb
	"openssl >= 3.0" "libcurl >= 7.88")

# Seconds between two tries to install.
APT_PAUSES=(10 30 60)

say() { printf '%s\n' "$*"; }
die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

missing_packages() {
	local package
	for package in "$@"; do
		[[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$package" \
			2>/dev/null) == ?i* ]] || printf '%s\n' "$package"
	done
}

# Servers that come as packages (nginx, haproxy, redis, unbound, sshd) would be started by
# their installation, on port 80 among others, and again at every boot. Nobody
# who tries Braid asked for that: while we install, invoke-rc.d is told not to
# start anything, and what we brought in is disabled afterwards. Services that
# were there before are not touched.
#
# A mirror may hiccup or change between our update and our install, and another
# apt (of a machine that has just booted, say) may hold the lists: all of it is
# tried again. Lists of others that cannot be fetched are no reason to give up.
install_with_apt() {
	local as_root=()
	if [[ $(id -u) != 0 ]]; then
		command -v sudo >/dev/null ||
			die "please install these as root: $*"
		as_root=(sudo)
	fi
	say "installing: $*"
	local pause
	for pause in "${APT_PAUSES[@]}" end; do
		apt_get -o APT::Update::Error-Mode=any update ||
			say "note: not all package lists could be fetched"
		! apt_install_quietly "$@" || break
		[[ $pause != end ]] ||
			die "apt-get install failed; needed are: $*"
		say "trying again in $pause s"
		sleep "$pause"
	done
	[[ -d /run/systemd/system ]] || return 0
	local package service
	for package in "$@"; do
		case $package in
		nginx | nginx-light) service=nginx ;;
		haproxy | redis-server | unbound | pdns-recursor | knot | nsd)
			service=$package ;;
		bind9) service=named ;;
		knot-resolver) service=kresd@1 ;;
		openssh-server) service=ssh ;;
		*) continue ;;
		esac
		"${as_root[@]}" systemctl disable --quiet "$service" ||
			say "note: could not disable $service"
		say "note: the system service $service stays off" \
			"(systemctl enable --now $service to have it)"
	done
}

apt_get() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q \
		-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# A subshell, so that our policy file goes away also when it is interrupted;
# one that was killed has left it, which its second line says.
apt_install_quietly() (
	policy=/usr/sbin/policy-rc.d
	ours='# By Braid, while it installs packages.'
	if [[ ! -e $policy ]] || grep -qxF "$ours" $policy; then
		trap '"${as_root[@]}" rm -f $policy' EXIT
		printf '#!/bin/sh\n%s\nexit 101\n' "$ours" |
			"${as_root[@]}" tee $policy >/dev/null
		"${as_root[@]}" chmod 755 $policy
	fi
	apt_get -y install --no-install-recommends "$@"
)

# Where there is no apt we install nothing: it is enough that all is there.
check_without_apt() {
	local commands=$1 lacking=() name
	for name in cc cmake pkg-config $commands; do
		command -v "$name" >/dev/null || lacking+=("$name")
	done
	if command -v pkg-config >/dev/null; then
		for name in "${BUILD_MODULES[@]}"; do
			pkg-config --exists "$name" ||
				lacking+=("the development files of $name")
		done
	fi
	((${#lacking[@]} == 0)) && return
	{
		say "This system has no apt-get. Please install by hand:"
		printf '  %s\n' "${lacking[@]}"
	} >&2
	exit 1
}

# need_packages COMMANDS PACKAGE...: COMMANDS is what to look for where there
# is no apt.
need_packages() {
	local commands=$1 lacking
	shift
	# nginx is linked into sbin, which users may not have in PATH.
	PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null
	then
		check_without_apt "$commands"
		return
	fi
	mapfile -t lacking < <(missing_packages "$@")
	if ((${#lacking[@]})); then
		install_with_apt "${lacking[@]}"
	fi
	pkg-config --exists "${BUILD_MODULES[0]}" ||
		die "this system's liburing is $(pkg-config --modversion liburing);" \
			"Braid needs 2.3 (Debian 12, Ubuntu 24.04, or newer)"
}

generator() {
	if command -v ninja >/dev/null; then
		say Ninja
	else
		say "Unix Makefiles"
	fi
}

# configure FOLDER CMAKE_OPTION...: keeps the generator a folder has.
configure() {
	local folder=$1
	shift
	local options=(-S . -B "$folder" "$@")
	[[ -f $folder/CMakeCache.txt ]] || options+=(-G "$(generator)")
	if command -v ccache >/dev/null; then
		options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
	fi
	cmake "${options[@]}"
}

build() {
	local folder=$1
	shift
	cmake --build "$folder" --parallel "$(nproc)" "$@"
}
