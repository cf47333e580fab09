# A Redis of our own under .run/redis, reached through its socket with a password.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

redis_define()
{
	mkdir -p "$REAL/redis"
	chmod 755 "$REAL/redis"
	mkdir -p "$REAL/redis/data"
	chmod 700 "$REAL/redis/data"
	(
		umask 077
		echo "port 0"
		echo "unixsocket $REAL/redis/redis.sock"
		echo "unixsocketperm 777"
		echo "requirepass $(cat "$RUN/secrets/redis.password")"
		echo "dir $REAL/redis/data"
		echo "appendonly yes"
		echo "appendfsync everysec"
		echo 'save ""'
		echo "maxmemory 256mb"
		echo "maxmemory-policy noeviction"
		echo "daemonize no"
		echo 'logfile ""'
		echo 'always-show-logo no'
	) >"$RUN/redis/redis.conf.new"
	mv "$RUN/redis/redis.conf.new" "$RUN/redis/redis.conf"
	! am_root || chown -R "$user_redis" "$REAL/redis"
	service_env redis LC_ALL=C.UTF-8
	memory_bytes=2147483648 service_define redis "$user_redis" "$REAL/redis" \
		"redis-server $REAL/redis/redis.conf"
}

redis_answers()
{
	REDISCLI_AUTH=$(cat "$RUN/secrets/redis.password") \
		redis-cli -s "$REAL/redis/redis.sock" ping | grep -q PONG
}

redis_start()
{
	service_up redis "$RUN/redis/redis.conf"
	if ! wait_until 30 redis_answers; then
		service_last_lines redis
		return 1
	fi
	detail "$service_did; by socket, 256 MB, noeviction, AOF every second"
}
