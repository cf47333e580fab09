# The demonstration: the mark on the record, the sinks, and what plays citizens and departments.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

# A new record was made as a demo's by the migration.  An older one becomes it only while it is
# empty: real records are not played with.
demo_mark()
{
	local state name
	state=$(owner_sql "$pg_database" <<-'END'
		update turunc.log_history set demo = true
		where not demo and not exists (select from turunc.event_log);
		select bool_and(demo) from turunc.log_history;
	END
	)
	if [ "$state" != t ]; then
		# The next start of the real system must not find the sinks as its outlets.
		demo=no
		for name in "${services[@]}"; do program_define "$name"; done
		echo "this record was not made as a demo and already holds events: ${begin_anew:-deploy/up --demo --fresh}"
		return 1
	fi
	touch "$RUN/is-demo"
	detail "the record says it is a demo's"
}

# What a demonstration may be paced by: reports a second, and seconds a department's step takes.
demo_rate=${TURUNC_DEMO_RATE:-1}
demo_pace=${TURUNC_DEMO_PACE:-3}

# Said before anything is touched: the programs of the demo would only end and begin again.
demo_numbers_check()
{
	local said
	for said in "TURUNC_DEMO_RATE=$demo_rate" "TURUNC_DEMO_PACE=$demo_pace"; do
		[[ ${said#*=} =~ ^[0-9]{1,6}(\.[0-9]{1,6})?$ && ${said#*=} =~ [1-9] ]] ||
			die "$said: want a number above 0"
	done
}

demo_program()
{
	case $1 in
	sink)
		echo "$REAL/demo/sink.py --smtp 127.0.0.1:${PORT[smtp_sink]}" \
			"--http 127.0.0.1:${PORT[sms_sink]} --file $REAL/state/sink/messages.jsonl"
		;;
	departments)
		echo "$REAL/demo/departments.py --keys $REAL/demo-keys/departments" \
			"--config $REAL/demo/config --pace $demo_pace"
		;;
	player)
		echo "$REAL/demo/player.py --edge http://127.0.0.1:${PORT[edge]}" \
			"--api-key-file $REAL/demo-keys/player.api_key --keys $REAL/demo-keys/calls" \
			"--config $REAL/demo/config --rate $demo_rate"
		;;
	esac
}

# Copied beside the programs, where the services' user can read them.
demo_install()
{
	rm -rf "$RUN/demo.new"
	mkdir -p "$RUN/demo.new/config"
	cp "$ROOT"/deploy/demo/*.py "$RUN/demo.new/"
	cp -r "$ROOT/clients/python/turunc" "$RUN/demo.new/"
	cp "$(config_folder)"/*.csv "$RUN/demo.new/config/"
	find "$RUN/demo.new" -name __pycache__ -prune -exec rm -rf {} +
	chmod -R u=rwX,go=rX "$RUN/demo.new"
	rm -rf "$RUN/demo"
	mv "$RUN/demo.new" "$RUN/demo"
}

# again COMMAND... - a few times: who holds the log for over a second, as on a machine at its limit, is ended by who waits.
again()
{
	local tries
	for tries in 1 2 3 4; do
		"$@" && return 0
		sleep "$tries"
	done
	"$@"
}

# demo_client NAME FOLDER RIGHT... - a bus client like any outside one, its keys in the folder.
demo_client()
{
	[ -e "$2/client.secret" ] || again demo_client_add "$@"
}

# Keys that the record did not take are nobody's.
demo_client_add()
{
	local name=$1 folder=$2
	shift 2
	if ! masa_here client add "$name" --out "$folder" "$@"; then
		rm -rf "$folder"
		return 1
	fi
	made=$((made + 1))
}

demo_api_key()
{
	(umask 077 && masa_here client add demo.player --http --json |
		/usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["api_key"])' >"$1")
}

# The codes of the departments that work, a line each.
demo_departments()
{
	/usr/bin/python3 -c 'import csv, sys
for row in csv.DictReader(open(sys.argv[1], encoding="utf-8", newline="")):
    if row["active"] == "yes":
        print(row["code"])' "$(config_folder)/departments.csv"
}

# Every department has a key and rights for its own tickets only; the player has an API key, as an
# application would, and the call centre a bus key.
demo_keys()
{
	local made=0 keys=$RUN/demo-keys code
	mkdir -p "$keys/departments"
	chmod 750 "$keys"
	for code in $(demo_departments); do
		demo_client "demo.$code" "$keys/departments/$code" --verbs subscribe,snapshot,command \
			--types '*' --departments "$code" --personal full
	done
	demo_client demo.calls "$keys/calls" --verbs publish --sources demo.calls \
		--types 'call.*,ticket.request,sms.received' --max-events 4096
	[ "$march" = no ] || march_keys
	if [ ! -s "$keys/player.api_key" ]; then
		again demo_api_key "$keys/player.api_key"
		made=$((made + 1))
	fi
	! am_root || [ "$march" = yes ] || chown -R "$user_service" "$keys"
	detail "$made new; one key for each department, one for the calls, one for the player"
}

# demo_password NAME SHOWN ROLE DEPARTMENT - a new one, also when the file was lost and the user was not.
demo_password()
{
	masa_here user add "$1" --shown-as "$2" --roles "$3" --departments "$4" --generate --json ||
		masa_here user password "$1" --generate --json
}

# demo_user NAME SHOWN ROLE [DEPARTMENT] - somebody who signs in; their password is made here, and kept.
demo_user()
{
	local name=$1 said
	grep -q "^$name " "$RUN/demo-users" 2>/dev/null && return 0
	said=$(again demo_password "$name" "$2" "$3" "${4:-}")
	printf '%s %s %s\n' "$name" "$(/usr/bin/python3 -c \
		'import json, sys; print(json.load(sys.stdin)["password"])' <<<"$said")" "$3" >>"$RUN/demo-users"
	made=$((made + 1))
}

# One for each role; the clerk is of the first department there is.
demo_users()
{
	local made=0 department
	department=$(demo_departments | sed -n 1p)
	(umask 077 && touch "$RUN/demo-users")
	demo_user izleyici "Deniz İzler" viewer
	demo_user santral "Sevgi Arar" call-taker
	demo_user memur "Murat Yazar" clerk "$department"
	demo_user operator "Özlem Bakar" operator
	demo_user yonetici "Yeliz Yönetir" administrator
	detail "$made new; names, passwords and roles are in .run/demo-users"
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
