# Passwords, made at random at the first start, one 0600 file each, never printed.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

db_roles=(turunc_intake turunc_router turunc_notifier turunc_metrics turunc_admin)

random_word()
{
	head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'
}

# secret NAME OWNER - makes .run/secrets/NAME unless it is there.
secret()
{
	local file=$RUN/secrets/$1
	[ -s "$file" ] || (umask 077 && random_word >"$file")
	! am_root || chown "$2" "$file"
}

# The administrator's password is its own: the services' user cannot read it.
secret_owner()
{
	if [ "$1" = turunc_admin ]; then id -un; else echo "$user_service"; fi
}

secrets_make()
{
	local role owner count
	mkdir -p "$RUN/secrets"
	chmod 711 "$RUN/secrets"
	for role in "${db_roles[@]}"; do
		owner=$(secret_owner "$role")
		secret "$role.password" "$owner"
		[ -s "$RUN/secrets/$role.pgpass" ] ||
			(umask 077 && printf '*:*:*:%s:%s\n' "$role" \
				"$(cat "$RUN/secrets/$role.password")" >"$RUN/secrets/$role.pgpass")
		! am_root || chown "$owner" "$RUN/secrets/$role.pgpass"
	done
	secret redis.password "$user_service"
	secret identity.secret "$user_service"
	secret mail.secret "$user_service"
	count=$(find "$RUN/secrets" -type f | wc -l)
	detail "$count files under .run/secrets, readable by their user only"
}
