# A PostgreSQL 15 cluster of our own under .run/postgres; the system's is never touched.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

pg_bin=/usr/lib/postgresql/15/bin
pg_database=turunc

# Sizes that suit the machine: an eighth of its memory up to 2 GB, an eighth of the disk for WAL
# up to 8 GB.
pg_sizes()
{
	local memory_mb disk_mb buffers wal
	memory_mb=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
	disk_mb=$(df -Pm "$RUN/postgres" | awk 'NR == 2 { print $4 }')
	buffers=$((memory_mb / 8)) wal=$((disk_mb / 8))
	[ $buffers -le 2048 ] || buffers=2048
	[ $buffers -ge 64 ] || buffers=64
	[ $wal -le 8192 ] || wal=8192
	[ $wal -ge 256 ] || wal=256
	echo "shared_buffers = ${buffers}MB"
	echo "max_wal_size = ${wal}MB"
}

# Root and the cluster's user are its owner; everybody else shows a password.
pg_configure()
{
	local data=$1 me
	me=$(id -un)
	{
		cat "$ROOT/deploy/postgres/turunc.conf"
		cat "$RUN/postgres/sizes"
		echo "listen_addresses = '127.0.0.1'"
		echo "port = ${PORT[postgres]}"
		echo "unix_socket_directories = '$REAL/postgres'"
		echo "unix_socket_permissions = 0777"
	} >"$data/postgresql.conf.new"
	{
		echo "local all,replication postgres peer map=owner"
		echo "local all all scram-sha-256"
		echo "host all all 127.0.0.1/32 scram-sha-256"
	} >"$data/pg_hba.conf.new"
	{
		echo "owner $me postgres"
		[ "$me" = "$user_postgres" ] || echo "owner $user_postgres postgres"
	} >"$data/pg_ident.conf.new"
	for file in postgresql.conf pg_hba.conf pg_ident.conf; do
		! am_root || chown "$user_postgres" "$data/$file.new"
		mv "$data/$file.new" "$data/$file"
	done
}

pg_define()
{
	local data
	data=$REAL/postgres/data
	mkdir -p "$REAL/postgres"
	chmod 755 "$REAL/postgres"
	! am_root || chown "$user_postgres" "$REAL/postgres"
	if [ ! -s "$data/PG_VERSION" ]; then
		rm -rf "$data.new"
		(cd / && run_as "$user_postgres" env -u LC_ALL LANG=C.UTF-8 "$pg_bin/initdb" -D "$data.new" \
			-U postgres -E UTF8 --locale-provider=libc --locale=C.UTF-8 --data-checksums \
			--auth-local=peer --auth-host=reject)
		mv "$data.new" "$data"
	fi
	[ -s "$REAL/postgres/sizes" ] || pg_sizes >"$REAL/postgres/sizes"
	pg_configure "$data"
	service_env postgres LC_ALL=C.UTF-8
	memory_bytes=17179869184 service_define postgres "$user_postgres" "$REAL/postgres" \
		"$pg_bin/postgres -D $data"
	# TERM would wait for every client to leave: the fast shutdown is INT.
	mkdir -p "$RUN/service/postgres/control"
	cat >"$RUN/service/postgres/control/t" <<-'END'
		#!/bin/sh
		exec kill -INT "$(cat supervise/pid)"
	END
	chmod 755 "$RUN/service/postgres/control/t"
}

# owner_sql [DATABASE] - runs the SQL of its input as the owner of the cluster.
owner_sql()
{
	PGOPTIONS='-c client_min_messages=warning' psql -XqAt -v ON_ERROR_STOP=1 \
		-h "$REAL/postgres" -p "${PORT[postgres]}" -U postgres -d "${1:-postgres}"
}

pg_answers()
{
	owner_sql <<<'select 1'
}

pg_start()
{
	service_up postgres "$RUN"/postgres/data/{postgresql,pg_hba,pg_ident}.conf
	if ! wait_until 60 pg_answers; then
		service_last_lines postgres
		return 1
	fi
	if [ -z "$(owner_sql <<<"select 1 from pg_database where datname = '$pg_database'")" ]; then
		owner_sql <<<"create database $pg_database"
		owner_sql <<<"revoke all on database $pg_database from public"
	fi
	detail "$service_did; 127.0.0.1:${PORT[postgres]}, $(paste -sd, "$RUN/postgres/sizes" | tr -d ' ')"
}

# The roles come with the migrations, unable to log in: here they get that, and their passwords.
pg_passwords()
{
	local role
	{
		echo "set log_min_error_statement = panic;"
		for role in "${db_roles[@]}"; do
			echo "alter role $role login password '$(cat "$RUN/secrets/$role.password")';"
			echo "grant connect on database $pg_database to $role;"
		done
	} | owner_sql "$pg_database"
	detail "${#db_roles[@]} roles may log in, each with a password of its own"
}

# pg_conninfo ROLE - how that role reaches the record; the password stays in its file.
pg_conninfo()
{
	echo "host=$REAL/postgres port=${PORT[postgres]} dbname=$pg_database user=$1" \
		"passfile=$REAL/secrets/$1.pgpass"
}
