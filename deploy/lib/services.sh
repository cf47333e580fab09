# The four services and the demo: what each is started with, and when it is ready.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

services=(intake router notifier metrics)
demo_services=(sink departments player)

# What a service may take from the machine before its supervisor begins anew.
service_memory_bytes=536870912

# The programs run from .run/bin, where their users can reach them and a build changes nothing
# under a running process.
programs_install()
{
	local name changed=""
	for name in turunc-intake turunc-router turunc-notifier turunc-metrics masa; do
		if ! cmp -s "$BUILD/bin/$name" "$RUN/bin/$name"; then
			install -m 755 "$BUILD/bin/$name" "$RUN/bin/$name.new"
			mv "$RUN/bin/$name.new" "$RUN/bin/$name"
			changed+=" $name"
		fi
	done
	detail "${changed:-nothing new}"
}

# common_env NAME - the settings every service has, one KEY=VALUE a line.
common_env()
{
	cat <<-END
		TURUNC_DATABASE=$(pg_conninfo "turunc_$1")
		TURUNC_REDIS=$REAL/redis/redis.sock
		TURUNC_REDIS_PASSWORD_FILE=$REAL/secrets/redis.password
		TURUNC_HTTP_LISTEN=127.0.0.1:${PORT[$1_http]}
		TURUNC_KEYS_DIR=$REAL/keys
		TURUNC_STATE_DIR=$REAL/state/$1
		TURUNC_LOG_LEVEL=${TURUNC_LOG_LEVEL:-info}
		LC_ALL=C.UTF-8
	END
}

# own_env NAME - what only that service is told: which doors it opens and which it goes through.
own_env()
{
	local publish=tcp://127.0.0.1:${PORT[publish]} stream=tcp://127.0.0.1:${PORT[stream]}
	local doorbell=tcp://127.0.0.1:${PORT[doorbell]}
	case $1 in
	intake)
		echo "TURUNC_BUS_PUBLISH_LISTEN=$publish"
		echo "TURUNC_DOORBELL=$doorbell"
		echo "TURUNC_LMTP_LISTEN=127.0.0.1:${PORT[lmtp]}"
		echo "TURUNC_IDENTITY_SECRET_FILE=$REAL/secrets/identity.secret"
		echo "TURUNC_MAIL_SECRET_FILE=$REAL/secrets/mail.secret"
		people_env
		echo "TURUNC_ATTACHMENTS_DIR=$REAL/state/attachments"
		echo "TURUNC_RECORD_DIR=$REAL/postgres"
		echo "TURUNC_CIMER_DIR=$REAL/cimer"
		;;
	router)
		echo "TURUNC_BUS_STREAM_LISTEN=$stream"
		echo "TURUNC_DOORBELL=$doorbell"
		people_env
		echo "TURUNC_ATTACHMENTS_DIR=$REAL/state/attachments"
		;;
	notifier)
		echo "TURUNC_BUS_PUBLISH=$publish"
		echo "TURUNC_BUS_STREAM=$stream"
		echo "TURUNC_DOORBELL=$doorbell"
		echo "TURUNC_MAIL_SECRET_FILE=$REAL/secrets/mail.secret"
		echo "TURUNC_SMS_STORE_DIR=$REAL/state/notifier/texts"
		outlet_env
		;;
	metrics)
		echo "TURUNC_BUS_STREAM=$stream"
		;;
	esac
}

# Without a certificate the edge speaks plain HTTP, on the loopback interface alone.
people_env()
{
	local secure=no
	[ "$(origin_scheme)" = http ] || secure=yes
	echo "TURUNC_PEOPLE_SECURE=${TURUNC_PEOPLE_SECURE:-$secure}"
}

# Where the citizens' messages go: a demo's into its sinks; else where the operator says, and
# until they say, nowhere (the notifier reports what waits).
outlet_env()
{
	if [ "$demo" = yes ]; then
		echo "TURUNC_SMTP_URL=smtp://127.0.0.1:${PORT[smtp_sink]}"
		echo "TURUNC_SMS_URL=http://127.0.0.1:${PORT[sms_sink]}/send"
		echo "TURUNC_NOTIFIER_FIRST_MAILS=0" # its citizens are all new, and a month takes a minute
	else
		[ -z "${TURUNC_SMTP_URL:-}" ] || echo "TURUNC_SMTP_URL=$TURUNC_SMTP_URL"
		[ -z "${TURUNC_SMS_URL:-}" ] || echo "TURUNC_SMS_URL=$TURUNC_SMS_URL"
	fi
}

# Settings an operator keeps in .run/settings (KEY=VALUE lines) go to every service, last.
extra_env()
{
	grep -E '^[A-Z][A-Z0-9_]*=' "$RUN/settings" 2>/dev/null |
		grep -vE "^($(IFS='|' && echo "${origin_settings[*]}"))=" || true
}

# A name that no service has would be a setting that is silently not in force.
settings_check()
{
	local name line known wrong=""
	[ -e "$RUN/settings" ] || { detail "none of your own" && return; }
	known=$(for name in "${services[@]}"; do
		env -i "$RUN/bin/turunc-$name" --check-config 2>/dev/null
	done | sed -n 's/^\(TURUNC_[A-Z0-9_]*\)=.*/\1/p')
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		"" | "#"*) continue ;;
		TURUNC_*=*)
			name=${line%%=*}
			grep -qxF -e "$name" -e "${name%_FILE}" <<<"$known" && continue
			[[ " ${origin_settings[*]} " == *" $name "* ]] && continue
			;;
		esac
		wrong+=" \"${line%%=*}\""
	done <"$RUN/settings"
	[ -z "$wrong" ] || die "$RUN/settings: no service knows$wrong; turunc-NAME --check-config lists them"
	detail "$(grep -c '^TURUNC_' "$RUN/settings") of your own"
}

# The photos' folder: intake and router write it.
attachments_place()
{
	mkdir -p "$RUN/state/attachments"
	chmod 750 "$RUN/state/attachments"
	! am_root || [ "$(stat -c %U "$RUN/state/attachments")" = "$user_service" ] ||
		chown -R "$user_service" "$RUN/state/attachments"
}

# Where files of CİMER's applications are put, which intake takes and moves.
cimer_place()
{
	mkdir -p "$RUN/cimer"
	chmod 2770 "$RUN/cimer"
	! am_root || [ "$(stat -c %U "$RUN/cimer")" = "$user_service" ] ||
		chown "$user_service" "$RUN/cimer"
}

program_define()
{
	local name=$1 env
	mkdir -p "$RUN/state/$name"
	chmod 750 "$RUN/state/$name"
	! am_root || chown "$user_service" "$RUN/state/$name"
	mapfile -t env < <(common_env "$name"; own_env "$name"; march_env "$name"; extra_env)
	service_env "$name" "${env[@]}"
	memory_bytes=$service_memory_bytes service_define "$name" "$user_service" \
		"$REAL/state/$name" "$REAL/bin/turunc-$name"
}

program_start()
{
	service_up "$1" "$RUN/bin/turunc-$1" "$RUN/keys"
	detail "$service_did; 127.0.0.1:${PORT[${1}_http]}"
}

# http_says PORT PATH - the status of a GET, 000 when nobody answers.
http_says()
{
	curl -s -o /dev/null -m 2 -w '%{http_code}' "http://127.0.0.1:$1$2" || true
}

is_ready()
{
	[ "$(http_says "${PORT[${1}_http]}" /readyz)" = 200 ] && sv_listens "$1" "${PORT[${1}_http]}"
}

# Every service answers for itself and for what it depends on.  All are asked; all that fail are named.
services_ready()
{
	local name late=() end
	end=$(($(now_ms) + 40000))
	for name in "${services[@]}"; do
		wait_until $(((end - $(now_ms)) / 1000 + 1)) is_ready "$name" || late+=("$name")
	done
	if [ ${#late[@]} -gt 0 ]; then
		for name in "${late[@]}"; do
			service_last_lines "$name" 8
			echo "$name: /readyz says: $(curl -s -m 2 "http://127.0.0.1:${PORT[${name}_http]}/readyz" |
				head -c 500 || true)"
		done
		echo "not ready after 40 s: ${late[*]}"
		return 1
	fi
	detail "all four answer 200"
}

# services_define - lays every folder out, so that one supervisor start finds them all.
services_define()
{
	local name
	pg_define
	redis_define
	attachments_place
	cimer_place
	for name in "${services[@]}"; do program_define "$name"; done
	edge_define
	if [ "$demo" = yes ]; then
		demo_install
		for name in "${demo_services[@]}"; do demo_define "$name"; done
	fi
}
