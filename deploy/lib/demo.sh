# The demonstration: the mark on the record, the sinks, and what plays citizens and departments.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

# A new record was made as a demo's by the migration.  An older one becomes it only while it is
# empty: real records are not played with.
demo_mark()
{
	local state
	state=$(owner_sql "$pg_database" <<-'END'
		update turunc.log_history set demo = true
		where not demo and not exists (select from turunc.event_log);
		select bool_and(demo) from turunc.log_history;
	END
	)
	if [ "$state" != t ]; then
		echo "this record was not made as a demo and already holds events: deploy/up --demo --fresh"
		return 1
	fi
	detail "the record says it is a demo's"
}

demo_program()
{
	case $1 in
	sink)
		echo "$REAL/demo/sink.py --smtp 127.0.0.1:${PORT[smtp_sink]}" \
			"--http 127.0.0.1:${PORT[sms_sink]} --file $REAL/state/sink/messages.jsonl"
		;;
	esac
}

# Copied beside the programs, where the services' user can read them.
demo_install()
{
	rm -rf "$RUN/demo.new"
	mkdir -p "$RUN/demo.new"
	cp "$ROOT"/deploy/demo/*.py "$RUN/demo.new/"
	chmod -R u=rwX,go=rX "$RUN/demo.new"
	rm -rf "$RUN/demo"
	mv "$RUN/demo.new" "$RUN/demo"
}

demo_define()
{
	local name=$1
	mkdir -p "$RUN/state/$name"
	chmod 750 "$RUN/state/$name"
	! am_root || chown "$user_service" "$RUN/state/$name"
	service_env "$name" LC_ALL=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
	memory_bytes=$service_memory_bytes service_define "$name" "$user_service" \
		"$REAL/state/$name" "/usr/bin/python3 $(demo_program "$name")"
}

demo_start()
{
	service_up "$1" "$RUN/demo"
	detail "$service_did"
}

sink_start()
{
	demo_start sink
	wait_until 15 sink_answers
	detail "mail :${PORT[smtp_sink]}, SMS :${PORT[sms_sink]}"
}

sink_answers()
{
	[ "$(http_says "${PORT[sms_sink]}" /messages)" = 200 ] && sv_listens sink "${PORT[sms_sink]}"
}
