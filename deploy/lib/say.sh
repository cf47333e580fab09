# How deploy/up and deploy/down speak: one line a step, with its time, and the truth at the end.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

now_ms()
{
	local t=$EPOCHREALTIME
	t=${t/[.,]/}
	echo $((t / 1000))
}

seconds_since()
{
	local ms=$(($(now_ms) - $1))
	printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# step TEXT COMMAND... - runs the command with its output in the log and says how it went.
# The command runs in a shell of its own where any failure ends it; what it writes to
# descriptor 3 is shown as the step's detail.
step()
{
	local text=$1 began at shown rc
	shift
	began=$(now_ms)
	at=$(wc -c <"$say_log")
	echo "--- $text" >>"$say_log"
	printf '  %-14s' "$text"
	set +e
	(
		set -e
		"$@"
	) 3>"$say_log.detail" >>"$say_log" 2>&1 </dev/null
	rc=$?
	set -e
	shown=$(head -c 300 "$say_log.detail" | tr '\n' ' ')
	rm -f "$say_log.detail"
	if [ $rc -ne 0 ]; then
		printf 'FAILED  (%s)\n' "$(seconds_since "$began")"
		tail -c +$((at + 1)) "$say_log" | tail -n 40 | sed 's/^/    | /' >&2
		echo "$text failed; its whole output is in $say_log" >&2
		exit 1
	fi
	printf '%-58s %s\n' "${shown:-done}" "$(seconds_since "$began")"
}

# detail TEXT - what the running step will show of itself.
detail()
{
	echo "$*" >&3
}

die()
{
	echo "$*" >&2
	exit 1
}
