# The record and its configuration: migrations, the municipality's files, the internal keys.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

# masa_owner ARGUMENT... - the command line, as the owner of the cluster (migrations only).
masa_owner()
{
	TURUNC_DATABASE="host=$REAL/postgres port=${PORT[postgres]} dbname=$pg_database user=postgres" \
		TURUNC_KEYS_DIR=$REAL/keys "$BUILD/bin/masa" "$@"
}

# masa_here ARGUMENT... - the command line as its people use it, with .run/env.
masa_here()
{
	(
		set -a
		# shellcheck source=/dev/null
		. "$RUN/env"
		cd "$ROOT" || exit 1
		exec "$BUILD/bin/masa" "$@"
	)
}

# The whole system's folder out of a backup, before anything is made in it; then it is started like
# any other.
record_restore()
{
	local words=(restore "$restore_from" --into "$REAL" --json)
	[ -z "$numbers_above" ] || words+=(--numbers-above "$numbers_above")
	TURUNC_POSTGRES_USER=$user_postgres "$BUILD/bin/masa" "${words[@]}" >"$RUN/log/restored.json"
	cat "$RUN/log/restored.json"
	detail "$(/usr/bin/python3 - "$RUN/log/restored.json" <<-'END'
		import json, sys
		said = json.load(open(sys.argv[1], encoding="utf-8"))
		history, numbers = said["histories"][0], said["numbers"]
		print(f"through record {history['last_common_seq']}; numbers from",
		      ", ".join(f"{n['year']}-{n['goes_on_at']:07}" for n in numbers))
	END
	)"
}

record_migrate()
{
	local as=()
	[ "$demo" = no ] || as=(--demo)
	masa_owner db migrate "$ROOT/deploy/schema" "${as[@]}"
	detail "$(owner_sql "$pg_database" <<<"select 'schema at ' || max(name) from public.turunc_migration")"
}

config_folder()
{
	own_setting TURUNC_CONFIG "$ROOT/deploy/config/muratpasa"
}

# A demonstration's SMS wake nobody, and who looks at it in the evening wants to see some.
config_without_quiet_hours()
{
	local folder=$1 copy=$REAL/demo-config
	rm -rf "$copy"
	cp -R "$folder" "$copy"
	sed -i 's/^\(quiet_from\|quiet_to\),.*/\1,00:00/' "$copy/municipality.csv"
	chmod -R a+rX "$copy"
	echo "$copy"
}

config_apply()
{
	local folder said
	folder=$(config_folder)
	said=${folder#"$ROOT"/}
	if [ "$march" = yes ]; then
		folder=$(march_config "$folder")
		said="$said, with a number for answers by SMS"
	elif [ "$demo" = yes ]; then
		folder=$(config_without_quiet_hours "$folder")
		said="$said, with SMS at any hour"
	fi
	origin_config "$folder"
	detail "$said"
}

# quoted TEXT - in single quotes, as a shell and masa read it.
quoted()
{
	printf "'%s'" "${1//\'/\'\\\'\'}"
}

# .run/env tells masa, and a shell that sources it, where this system is.  It holds no secret.
env_write()
{
	local pair
	{
		echo "# Where this system is; made by deploy/up.  Sourced by shells, read by masa."
		while IFS= read -r pair; do
			[ -n "$pair" ] || continue
			echo "${pair%%=*}=$(quoted "${pair#*=}")"
		done <<-END
			TURUNC_DATABASE=$(pg_conninfo turunc_admin)
			TURUNC_OWNER_DATABASE=host=$REAL/postgres port=${PORT[postgres]} dbname=$pg_database user=postgres
			TURUNC_SYSTEM_DIR=$REAL
			TURUNC_REDIS=$REAL/redis/redis.sock
			TURUNC_REDIS_PASSWORD_FILE=$REAL/secrets/redis.password
			TURUNC_KEYS_DIR=$REAL/keys
			TURUNC_STATE_DIR=$REAL/state/masa
			TURUNC_ATTACHMENTS_DIR=$REAL/state/attachments
			TURUNC_BUS_PUBLISH=tcp://127.0.0.1:${PORT[publish]}
			TURUNC_BUS_STREAM=tcp://127.0.0.1:${PORT[stream]}
			TURUNC_DOORBELL=tcp://127.0.0.1:${PORT[doorbell]}
			TURUNC_URL_INTAKE=http://127.0.0.1:${PORT[intake_http]}
			TURUNC_URL_ROUTER=http://127.0.0.1:${PORT[router_http]}
			TURUNC_URL_NOTIFIER=http://127.0.0.1:${PORT[notifier_http]}
			TURUNC_URL_METRICS=http://127.0.0.1:${PORT[metrics_http]}
			TURUNC_URL_EDGE=$(origin_here)
			$(march_masa_env)
		END
	} >"$RUN/env.new"
	chmod 644 "$RUN/env.new" # masa reads none that others may write to
	mv "$RUN/env.new" "$RUN/env"
	mkdir -p "$RUN/state/masa"
}
