# A Redis of our own under .run/redis, reached through its socket with a password.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

redis_define()
{
	local real
	real=$(readlink -f "$RUN")
	mkdir -p "$real/redis"
	chmod 755 "$real/redis"
	mkdir -p "$real/redis/data"
	chmod 700 "$real/redis/data"
	(
		umask 077
		echo "port 0"
		echo "unixsocket $real/redis/redis.sock"
		echo "unixsocketperm 777"
		echo "requirepass $(cat "$RUN/secrets/redis.password")"
		echo "dir $real/redis/data"
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
	! am_root || chown -R "$user_redis" "$real/redis"
	service_env redis LC_ALL=C.UTF-8
	memory_bytes=2147483648 service_define redis "$user_redis" "$real/redis" \
		"redis-server $real/redis/redis.conf"
}

redis_answers()
{
	REDISCLI_AUTH=$(cat "$RUN/secrets/redis.password") \
		redis-cli -s "$(readlink -f "$RUN")/redis/redis.sock" ping | grep -q PONG
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
