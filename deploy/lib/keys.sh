# The bus keys of our own services: NAME.key (secret, 0600) and NAME.pub in the keys folder, and
# their rights in the registry.  A service is known on the bus as turunc.NAME.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

# Rights of the internal clients: name, verbs, personal data (0 none, 2 full).
internal_clients=(
	'intake internal 0'
	'router internal 0'
	'notifier publish,subscribe,snapshot,internal 2'
	'metrics subscribe,snapshot,internal 0'
)

# curve_pair FILE - a new pair: the secret in FILE.key, the public one in FILE.pub.
curve_pair()
{
	(umask 077 && /usr/bin/python3 - "$1.pub.new" >"$1.key.new" <<-'END'
		import sys, zmq
		public, secret = zmq.curve_keypair()
		print(secret.decode())
		open(sys.argv[1], "w").write(public.decode() + "\n")
	END
	)
	chmod 644 "$1.pub.new"
	mv "$1.pub.new" "$1.pub"
	mv "$1.key.new" "$1.key"
}

keys_make()
{
	keys_pairs
	keys_register
}

keys_pairs()
{
	local entry name made=0 dir=$RUN/keys
	mkdir -p "$dir"
	chmod 755 "$dir"
	for entry in "${internal_clients[@]}"; do
		name=${entry%% *}
		if [ ! -s "$dir/$name.key" ] || [ ! -s "$dir/$name.pub" ]; then
			curve_pair "$dir/$name"
			made=$((made + 1))
		fi
		! am_root || chown "$user_service" "$dir/$name.key"
	done
	detail "$made new of ${#internal_clients[@]}"
}

# Rows that already say so are left alone.
keys_register()
{
	local entry name verbs personal
	for entry in "${internal_clients[@]}"; do
		read -r name verbs personal <<<"$entry"
		cat <<-END
			insert into turunc.client_grant as g
				(name, public_key, verbs, sources, types, departments, personal, max_events, created_us)
			values ('turunc.$name', '$(cat "$RUN/keys/$name.pub")', '{$verbs}', '{*}', '{*}', '{*}',
				$personal, 4096, (extract(epoch from clock_timestamp()) * 1e6)::bigint)
			on conflict (name) do update set public_key = excluded.public_key,
				verbs = excluded.verbs, personal = excluded.personal
			where (g.public_key, g.verbs, g.personal)
				is distinct from (excluded.public_key, excluded.verbs, excluded.personal);
		END
	done | owner_sql "$pg_database"
}
