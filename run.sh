#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds Braid and puts real traffic through it: two nginx origins, and braidd
# in front of them with the shipped example configuration.
#
#   ./run.sh            the example; Ctrl-C stops everything
#   ./run.sh -f FILE    your configuration instead, without origins
#   ./run.sh --demo shard
#                       one download over four servers, one of which is killed
#                       in the middle, told second by second; needs root
set -euo pipefail

# The beginning of this file.
help() {
	sed -n '3,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"
	exit 0
}

usage() {
	printf 'usage: ./run.sh [-f FILE | --demo shard]\n' >&2
	exit 64
}

config=
demo=
[[ ${1:-} != --help ]] || help
if [[ ${1:-} == --demo ]]; then
	[[ $# == 2 && $2 == shard ]] || usage
	demo=$2
	shift 2
fi
while getopts f:h option; do
	case $option in
	f) config=$OPTARG ;;
	h) help ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
(($# == 0)) || usage
if [[ -n $config ]]; then
	[[ -r $config ]] || {
		printf 'run.sh: cannot read %s\n' "$config" >&2
		exit 1
	}
	config=$(realpath "$config")
fi

cd "$(dirname "$(realpath "$0")")"
. .ci/packages.sh

EXAMPLE=conf/examples/example.yaml
ORIGIN_PORTS=(9001 9002)
EXAMPLE_PORTS=(8080 9900)
ANSWER_TRIES=300 # of 0.1 s
LARGE_FILE_MIB=64

folder=
control= # its socket, once braidd has started
braidd_pid=
origin_pids=()

running() { [[ -n $1 ]] && kill -0 "$1" 2>/dev/null; }

# Waits until all of the pids are gone; gives up after $1 tenths of a second.
wait_gone() {
	local tenths=$1 pid
	shift
	while ((tenths-- > 0)); do
		for pid in "$@"; do
			if running "$pid"; then
				sleep 0.1
				continue 2
			fi
		done
		return 0
	done
	return 1
}

# Who serves now: after `braidctl upgrade` another process than we started,
# which ends its older generations too when it is told to stop.
find_braidd() {
	local pid
	[[ -n $control ]] || return 0
	pid=$(timeout 5 build/bin/braidctl -o json -s "$control" status 2>&1 |
		sed -n 's/^ *"pid": \([0-9]*\),*$/\1/p' | head -n 1) || true
	[[ -z $pid ]] || braidd_pid=$pid
}

# Only what we started, by pid. braidd drains on the first TERM and stops at
# once on the second.
stop_all() {
	trap '' INT TERM HUP
	trap - EXIT
	find_braidd
	if running "$braidd_pid"; then
		kill -TERM "$braidd_pid" 2>/dev/null || true
		if ! wait_gone 20 "$braidd_pid"; then
			kill -TERM "$braidd_pid" 2>/dev/null || true
			wait_gone 30 "$braidd_pid" ||
				kill -KILL "$braidd_pid" 2>/dev/null || true
		fi
	fi
	local pid
	for pid in "${origin_pids[@]}"; do
		kill -TERM "$pid" 2>/dev/null || true
	done
	if ((${#origin_pids[@]})); then
		wait_gone 30 "${origin_pids[@]}" || true
	fi
	[[ -z $folder ]] || rm -rf "$folder"
}
trap stop_all EXIT
trap 'printf "\nstopping\n"; exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

check_port_free() {
	local port=$1 who=
	(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
	if command -v ss >/dev/null; then
		who=$(ss -Hltnp "sport = :$port" 2>/dev/null |
			grep -o 'users:(("[^"]*",pid=[0-9]*' | head -n 1 |
			sed 's/users:(("\(.*\)",pid=\(.*\)/ by \1 (pid \2)/') || true
	fi
	die "port $port on 127.0.0.1 is taken$who; the example needs it"
}

build_release() {
	local log=build/run.log
	mkdir -p build
	say "building (log in $log) ..."
	if ! {
		{ [[ -f build/CMakeCache.txt ]] ||
			configure build -DCMAKE_BUILD_TYPE=Release; } &&
			build build --target braidd braidctl
	} >$log 2>&1 </dev/null; then
		tail -n 40 $log >&2
		die "the build failed; the whole log is $PWD/$log"
	fi
}

# A small origin: answers / with its name, and /large with a file of zeros.
start_origin() {
	local name=$1 port=$2
	local home=$folder/origin-$name
	mkdir -p "$home/www" "$home/tmp"
	printf 'hello from origin %s\n' "$name" >"$home/www/index.html"
	truncate -s "${LARGE_FILE_MIB}M" "$home/www/large"
	{
		# As root nginx's workers change to nobody; a user stays itself.
		[[ $(id -u) != 0 ]] ||
			say "user nobody $(id -gn nobody);"
		cat <<NGINX
daemon off;
worker_processes 1;
pid $home/nginx.pid;
error_log $home/error.log;
events { worker_connections 4096; }
http {
	access_log off;
	default_type text/plain;
	sendfile on;
	keepalive_requests 1000000;
	client_body_temp_path $home/tmp/body;
	proxy_temp_path $home/tmp/proxy;
	fastcgi_temp_path $home/tmp/fastcgi;
	uwsgi_temp_path $home/tmp/uwsgi;
	scgi_temp_path $home/tmp/scgi;
	server {
		listen 127.0.0.1:$port reuseport;
		root $home/www;
	}
}
NGINX
	} >"$home/nginx.conf"
	# A session of its own: Ctrl-C is for this script, which stops braidd
	# before the origins.
	setsid nginx -e "$home/error.log" -p "$home" -c "$home/nginx.conf" \
		>"$home/output.log" 2>&1 </dev/null &
	origin_pids+=($!)
}

wait_for_origin() {
	local name=$1 port=$2 pid=$3 tries=$ANSWER_TRIES
	until curl -fs -o /dev/null --max-time 2 "http://127.0.0.1:$port/"; do
		if ! running "$pid" || ((tries-- == 0)); then
			cat "$folder/origin-$name/"{output,error}.log >&2 || true
			die "origin $name (nginx on port $port) did not start"
		fi
		sleep 0.1
	done
}

# The example says where the control socket is in an installation; here it
# goes into our folder, so that nothing is written outside it and two
# checkouts do not meet.
write_example() {
	local target=$1
	awk -v control="$folder/run/control.sock" -v state="$folder/run" '
		function ours() {
			print "  control: " control
			print "  state_dir: " state
			done = 1
		}
		/^global:[ \t]*\{/ {
			gsub(/(control|state_dir):[^,}]*,?[ ]*/, "")
			sub(/\{/, "{control: " control ", state_dir: " \
			    state ", ")
			sub(/, \}/, "}")
			done = 1
		}
		/^global:[ \t]*(#.*)?$/ { print; ours(); inside = 1; next }
		/^[^ \t#]/ { inside = 0 }
		inside && /^[ \t]+(control|state_dir):/ { next }
		{ print }
		END { if (!done) { print "global:"; ours() } }
	' $EXAMPLE >"$target"
}

# The control socket a configuration names, or the default.
control_of() {
	local found
	found=$(sed -n -E \
		's/^([^#]*[ {,])?control:[ ]*"?([^",} #]+).*/\2/p' "$1" |
		head -n 1)
	say "${found:-/run/braid/control.sock}"
}

start_braidd() {
	local file=$1
	build/bin/braidd -c -f "$file" >"$folder/check.log" 2>&1 || {
		local status=$?
		cat "$folder/check.log" >&2
		exit $status
	}
	setsid build/bin/braidd -f "$file" >"$folder/braidd.log" 2>&1 \
		</dev/null &
	braidd_pid=$!
}

wait_for_braidd() {
	local tries=$ANSWER_TRIES
	control=$1
	until build/bin/braidctl -s "$control" status >/dev/null 2>&1; do
		if ! running "$braidd_pid"; then
			local status=0
			wait "$braidd_pid" || status=$?
			braidd_pid=
			cat "$folder/braidd.log" >&2
			say "run.sh: braidd did not start" >&2
			exit $((status ? status : 1))
		fi
		if ((tries-- == 0)); then
			tail -n 20 "$folder/braidd.log" >&2
			die "braidd does not answer on $control"
		fi
		sleep 0.1
	done
}

# Returns when something we started ended by itself. A braidd that came by an
# upgrade is no child of ours, so it is looked for instead of waited for.
watch() {
	local pid
	while :; do
		# A trap runs at once only while bash waits for a child.
		sleep 0.5 &
		wait $! || true
		if ! running "$braidd_pid"; then
			find_braidd
			running "$braidd_pid" || break
		fi
		for pid in "${origin_pids[@]}"; do
			running "$pid" && continue
			tail -n 20 "$folder/braidd.log" >&2
			die "an origin (nginx, pid $pid) has ended by itself"
		done
	done
	tail -n 20 "$folder/braidd.log" >&2
	die "braidd has ended by itself"
}

run_own_config() {
	start_braidd "$config"
	wait_for_braidd "$(control_of "$config")"
	cat <<SCREEN

Braid is running with $config (pid $braidd_pid).

  look    export BRAID_CONTROL=$control
          build/bin/braidctl status    (or servers, pools, flows, top)
  reload  build/bin/braidctl reload
  log     $folder/braidd.log

Ctrl-C stops it.
SCREEN
	watch
}

run_example() {
	local port i names=(a b)
	for port in "${ORIGIN_PORTS[@]}" "${EXAMPLE_PORTS[@]}"; do
		check_port_free "$port"
	done
	for i in 0 1; do
		start_origin "${names[i]}" "${ORIGIN_PORTS[i]}"
	done
	for i in 0 1; do
		wait_for_origin "${names[i]}" "${ORIGIN_PORTS[i]}" \
			"${origin_pids[i]}"
	done
	write_example "$folder/braid.yaml"
	start_braidd "$folder/braid.yaml"
	wait_for_braidd "$folder/run/control.sock"
	local tries=$ANSWER_TRIES
	until curl -fs -o /dev/null --max-time 2 http://127.0.0.1:8080/; do
		if ((tries-- == 0)); then
			tail -n 20 "$folder/braidd.log" >&2
			die "no answer through braidd on port 8080"
		fi
		sleep 0.1
	done
	cat <<SCREEN

Braid is running: 127.0.0.1:8080 in front of two nginx origins.

  try      curl http://127.0.0.1:8080/      (several times: a and b answer,
                                            in no fixed order)
           curl -o /dev/null http://127.0.0.1:8080/large    ($LARGE_FILE_MIB MiB)
  look     export BRAID_CONTROL=$folder/run/control.sock
           build/bin/braidctl status    (or servers, pools, flows, top)
  metrics  curl http://127.0.0.1:9900/metrics
  change   edit $folder/braid.yaml, then
           build/bin/braidctl reload
  log      $folder/braidd.log

Ctrl-C stops braidd and both origins and removes $folder.
SCREEN
	watch
}

# Ends by itself; what it starts is in namespaces that end with it.
run_demo() {
	[[ $(id -u) == 0 ]] ||
		die "the demo makes network namespaces and shaped links; please" \
			"run it as root: sudo ./run.sh --demo shard"
	need_packages "nginx ip tc nft nsenter setpriv taskset python3 make" \
		"${BUILD_PACKAGES[@]}" nginx iproute2 nftables python3 make
	build_release
	exec bench/shard/run.sh --demo --braidd "$PWD/build/bin/braidd"
}

if [[ $demo == shard ]]; then
	run_demo
fi
if [[ -n $config ]]; then
	need_packages "" "${BUILD_PACKAGES[@]}"
else
	need_packages "nginx curl" "${BUILD_PACKAGES[@]}" nginx curl
fi
build_release
folder=$(mktemp -d "${TMPDIR:-/tmp}/braid.XXXXXX")
# The daemon drops root; who it becomes must reach its own files.
chmod 755 "$folder"
mkdir "$folder/run"
if [[ $(id -u) == 0 ]]; then
	user=nobody
	! id braid >/dev/null 2>&1 || user=braid
	chown "$user:$(id -gn $user)" "$folder/run"
fi
if [[ -n $config ]]; then
	run_own_config
else
	run_example
fi
