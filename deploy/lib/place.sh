# Where the running system lives: .run (ours, marked), the users it runs as, and its ports.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

# Every port the system listens on, all on 127.0.0.1, and the number it would like.
port_wishes=(
	edge=8000 intake_http=8080 router_http=8081 notifier_http=8082 metrics_http=8083
	publish=5601 stream=5602 doorbell=5603 lmtp=8024
	postgres=5543 smtp_sink=8025 sms_sink=8026
)

am_root()
{
	[ "$(id -u)" = 0 ]
}

# run_as USER COMMAND... - as that user when root, else as ourselves.
run_as()
{
	local user=$1
	shift
	if am_root && [ "$user" != root ]; then
		setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups -- "$@"
	else
		"$@"
	fi
}

# Root starts nothing as root: each part has a user that owns its folder and nothing else.
place_users()
{
	if am_root; then
		user_postgres=postgres user_redis=redis user_edge=caddy user_service=turunc
		id turunc >/dev/null 2>&1 ||
			useradd --system --no-create-home --home-dir /nonexistent \
				--shell /usr/sbin/nologin turunc
	else
		user_postgres=$(id -un)
		user_redis=$user_postgres user_edge=$user_postgres user_service=$user_postgres
	fi
}

place_is_ours()
{
	[ "$(cat "$RUN/owner" 2>/dev/null)" = "turunc $ROOT" ]
}

# Other users must be able to reach the sockets under .run, and their paths have a limit of 107
# bytes: where the project lies too deep or behind a private folder, .run is a link to elsewhere.
place_wants_elsewhere()
{
	[ ${#RUN} -gt 60 ] && return 0
	am_root && ! (cd / && run_as nobody test -x "$ROOT")
}

place_elsewhere()
{
	local hash
	hash=$(printf %s "$ROOT" | sha256sum | head -c 8)
	if am_root; then
		echo "/var/lib/turunc-$hash"
	else
		echo "${XDG_STATE_HOME:-$HOME/.local/state}/turunc-$hash"
	fi
}

place_make()
{
	local at
	if [ -e "$RUN" ]; then
		place_is_ours || die "$RUN is there but was not made by deploy/up here; move it away first"
	elif place_wants_elsewhere; then
		at=$(place_elsewhere)
		if [ -e "$at" ] && [ "$(cat "$at/owner" 2>/dev/null)" != "turunc $ROOT" ]; then
			die "$at is in the way"
		fi
		mkdir -p "$at"
		ln -sfn "$at" "$RUN"
	else
		mkdir -p "$RUN"
	fi
	REAL=$(readlink -f "$RUN")
	chmod 755 "$REAL"
	echo "turunc $ROOT" >"$RUN/owner"
	mkdir -p "$RUN"/{bin,log,service,state,fingerprint}
}

# Removes .run, and the folder it links to.  The caller has stopped everything.
place_wipe()
{
	local at
	[ -e "$RUN" ] || [ -L "$RUN" ] || return 0
	at=$(readlink -f "$RUN")
	place_is_ours || die "$RUN was not made by deploy/up here; it is left alone"
	rm -rf "$at"
	rm -rf "$RUN"
}

# Listening TCP ports of this machine, one decimal number a line.
ports_in_use()
{
	local hex
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { sub(/.*:/, "", $2); print $2 }' |
		while read -r hex; do echo $((16#$hex)); done
}

# Two checkouts that start at once would choose the same ports: the second waits for the first.
place_machine_lock()
{
	if am_root; then
		mkdir -p /run/lock
		echo /run/lock/turunc-up.lock
	else
		echo "${XDG_RUNTIME_DIR:-$HOME}/.turunc-up.lock"
	fi
}

# Reads .run/ports into PORT.
ports_load()
{
	local name port
	declare -gA PORT=()
	[ -e "$RUN/ports" ] || return 0
	while IFS='=' read -r name port; do PORT[$name]=$port; done <"$RUN/ports"
}

# Chooses every port once and remembers it.  A remembered port that somebody else took while we
# were down is chosen anew; keep=yes (we are running) leaves all as they are.
place_ports()
{
	local keep=$1 wish name port used chosen=" " moved=""
	ports_load
	used=" $(ports_in_use | tr '\n' ' ')"
	for wish in "${port_wishes[@]}"; do
		name=${wish%=*}
		port=${PORT[$name]:-}
		if [ -z "$port" ] || { [ "$keep" != yes ] && [[ $used == *" $port "* ]]; }; then
			port=${wish#*=}
			while [[ $used$chosen == *" $port "* ]]; do port=$((port + 10)); done
		fi
		[ "$port" = "${wish#*=}" ] || moved+=" $name=$port"
		chosen+="$port "
		echo "$name=$port"
	done >"$RUN/ports.new"
	mv "$RUN/ports.new" "$RUN/ports"
	detail "${moved:+not the usual ones, which were taken:}${moved:-as usual, edge on 8000}"
}
