# A demonstration into which a month is played: all of it lives on one clock that stands until
# masa demo moves it.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

march_month=2026-03

# What was begun as one stays one until it is wiped; what lives in real time does not become one.
march_check()
{
	[ ! -e "$RUN/clock" ] || march=yes
	if [ "$march" = yes ]; then
		[ -e "$RUN/clock" ] || [ ! -e "$RUN/postgres" ] ||
			die "there is a system in $RUN, and it lives in real time: deploy/march --fresh forgets it"
		demo_services=(sink)
	fi
}

# Before anything reads the time.
march_clock()
{
	if [ ! -e "$RUN/clock" ]; then
		"$BUILD/bin/masa" demo clock "$REAL/clock" --month "$march_month"
	fi
	export TURUNC_CLOCK_FILE=$REAL/clock
	detail "stands before $march_month"
}

# march_env SERVICE - at full speed nobody waits for the real clock.
march_env()
{
	[ "$march" = yes ] || return 0
	echo "TURUNC_CLOCK_FILE=$REAL/clock"
	case $1 in
	intake)
		echo "TURUNC_INTAKE_ADDRESS_PER_MINUTE=0"
		echo "TURUNC_MAIL_PER_MINUTE=0"
		echo "TURUNC_CIMER_LOOK=20ms"
		echo "TURUNC_CIMER_SETTLE=0"
		;;
	notifier)
		echo "TURUNC_NOTIFIER_RATE=1000000"
		echo "TURUNC_SMS_RATE=1000000"
		echo "TURUNC_NOTIFIER_IN_FLIGHT=64"
		echo "TURUNC_REMINDERS_LOOK=100ms"
		;;
	esac
}

# For masa demo: the doors and keys of its citizens, call-takers and departments.
march_masa_env()
{
	[ "$march" = yes ] || return 0
	cat <<-END
		TURUNC_CLOCK_FILE=$REAL/clock
		TURUNC_DEMO_KEYS=$REAL/demo-keys
		TURUNC_DEMO_SINK=http://127.0.0.1:${PORT[sms_sink]}
		TURUNC_DEMO_LMTP=127.0.0.1:${PORT[lmtp]}
		TURUNC_CIMER_DIR=$REAL/cimer
	END
}

# A demonstration's configuration: its SMS are answered to a number.
march_config()
{
	local folder=$1 copy=$REAL/demo-config
	rm -rf "$copy"
	cp -R "$folder" "$copy"
	sed -i 's/^sms_reply_to,.*/sms_reply_to,3346/' "$copy/municipality.csv"
	chmod -R a+rX "$copy"
	echo "$copy"
}

# Whoever keys in what no rule knows.  The player reads the keys itself.
march_keys()
{
	demo_client demo.operator "$RUN/demo-keys/operator" --verbs subscribe,command --types '*' \
		--departments '*' --personal full
}
