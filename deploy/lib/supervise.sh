# Services under runit: one folder each under .run/service, made from deploy/runit, logged by svlogd.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

# Starts nothing that is not asked for: every folder has a `down` file, and we say up.

sv_pid()
{
	cat "$RUN/service/$1/supervise/pid" 2>/dev/null
}

sv_supervised()
{
	sv status "$RUN/service/$1" | grep -qv '^fail'
}

sv_running()
{
	[ "$(cat "$RUN/service/$1/supervise/stat" 2>/dev/null)" = run ]
}

supervisor_pid()
{
	local pid
	pid=$(cat "$RUN/runsvdir.pid" 2>/dev/null) || return 1
	[ -n "$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null |
		grep -qF "runsvdir -P $REAL/service" && echo "$pid"
}

supervisor_start()
{
	if ! supervisor_pid >/dev/null; then
		(
			cd /
			exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
				LC_ALL=C.UTF-8 setsid runsvdir -P "$REAL/service" \
				</dev/null >>"$REAL/log/runsvdir.log" 2>&1 3>&- 8>&- 9>&- &
			echo $! >"$REAL/runsvdir.pid"
		)
		wait_until 5 supervisor_pid
	fi
	detail "runsvdir, process $(supervisor_pid)"
}

# wait_until SECONDS COMMAND... - asks every 50 ms until the command succeeds.
wait_until()
{
	local end
	end=$(($(now_ms) + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now_ms)" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# service_define NAME USER FOLDER COMMAND - writes the folder's run, finish and log scripts.
# Environment is read from .run/service/NAME/env, one file a variable, which the caller wrote.
service_define()
{
	local name=$1 user=$2 folder=$3 command=$4 dir=$RUN/service/$1 as=""
	! am_root || as="-u $user"
	mkdir -p "$dir/log" "$dir/env" "$RUN/log/$name"
	! am_root || chown "$user" "$RUN/log/$name"
	touch "$dir/down"
	service_script run.template "$dir/run"
	service_script finish.template "$dir/finish"
	service_script log.template "$dir/log/run"
	cp "$ROOT/deploy/runit/svlogd.config" "$RUN/log/$name/config"
}

service_script()
{
	sed -e "s|@NAME@|$name|g" -e "s|@AS@|$as|g" -e "s|@FOLDER@|$folder|g" \
		-e "s|@LOG@|$REAL/log/$name|g" -e "s|@COMMAND@|$command|g" \
		-e "s|@MEMORY@|${memory_bytes:-536870912}|g" "$ROOT/deploy/runit/$1" >"$2.new"
	chmod 755 "$2.new"
	mv "$2.new" "$2"
}

# service_env NAME KEY=VALUE... - the service's whole environment; 0600, for root and its runsv.
service_env()
{
	local dir=$RUN/service/$1/env pair
	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	chmod 700 "$dir"
	for pair in "$@"; do
		(umask 077 && printf '%s\n' "${pair#*=}" >"$dir/${pair%%=*}")
	done
}

# service_sum NAME [FILE...] - what the service is made of: scripts, environment, given files.
service_sum()
{
	local dir=$RUN/service/$1
	shift
	{
		cat "$dir/run"
		(cd "$dir/env" && grep -r '' . | LC_ALL=C sort)
		[ $# -eq 0 ] || find "$@" -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 cat
	} | sha256sum | head -c 64
}

# service_up NAME [FILE...] - starts it, or restarts it when what it is made of has changed.
# Sets service_did to started, restarted or unchanged.
service_up()
{
	local name=$1 sum
	sum=$(service_sum "$@")
	wait_until 8 sv_supervised "$name"
	if ! sv_running "$name"; then
		service_did=started
	elif [ "$sum" != "$(cat "$RUN/fingerprint/$name" 2>/dev/null)" ]; then
		service_did=restarted
		sv -w 20 force-stop "$RUN/service/$name" || echo "$name had to be killed"
	else
		service_did=unchanged
		return 0
	fi
	echo "$sum" >"$RUN/fingerprint/$name"
	sv up "$RUN/service/$name"
}

# service_down NAME SECONDS - TERM, then KILL when the time is over.  False when it had to be killed.
service_down()
{
	local dir=$RUN/service/$1
	sv_supervised "$1" || return 0
	sv -w "$2" force-stop "$dir"
}

# sv_listens NAME PORT - true when the service's own process listens there, not somebody else's.
sv_listens()
{
	local pid hex inode
	pid=$(sv_pid "$1")
	hex=$(printf '%04X' "$2")
	for inode in $(awk -v port=":$hex" '$4 == "0A" && $2 ~ (port "$") { print $10 }' \
		/proc/net/tcp /proc/net/tcp6 2>/dev/null); do
		if [ -n "$(find "/proc/$pid/fd" -lname "socket:\\[$inode\\]" -print -quit 2>/dev/null)" ]; then
			return 0
		fi
	done
	return 1
}

service_last_lines()
{
	echo "--- the last lines of $1 (.run/log/$1/current):"
	tail -n "${2:-15}" "$RUN/log/$1/current" 2>/dev/null || echo "(no log)"
}
