# The one origin: where citizens find the system, by which names, with which certificate.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

# What deploy/up itself reads, from its environment or else from .run/settings.
origin_settings=(TURUNC_BASE_URL TURUNC_EDGE_HOSTS TURUNC_EDGE_BIND TURUNC_EDGE_CERTIFICATE TURUNC_CONFIG)

# own_setting NAME [OTHERWISE]
own_setting()
{
	local value=${!1:-}
	[ -n "$value" ] || value=$(sed -n "s/^$1=//p" "$RUN/settings" 2>/dev/null | tail -n 1)
	echo "${value:-${2:-}}"
}

origin_scheme()
{
	[ -n "$(own_setting TURUNC_EDGE_CERTIFICATE)" ] && echo https || echo http
}

# What this machine calls it; the world may call it otherwise (TURUNC_BASE_URL).
origin_here()
{
	echo "$(origin_scheme)://127.0.0.1:${PORT[edge]}"
}

# Names that the edge answers to: those given, that of the address citizens use, and this machine's
# own, by which deploy/up and masa look.
origin_hosts()
{
	local host
	host=$(own_setting TURUNC_BASE_URL | sed -E 's#^https?://##; s#/.*##; s#:[0-9]+$##')
	echo "$(own_setting TURUNC_EDGE_HOSTS) $host 127.0.0.1 localhost" | xargs -n 1 | awk '!seen[$0]++' | xargs
}

# Everything that would leave the edge half open or shut is said before anything is touched.
origin_check()
{
	local certificate bind url
	certificate=$(own_setting TURUNC_EDGE_CERTIFICATE)
	bind=$(own_setting TURUNC_EDGE_BIND 127.0.0.1)
	url=$(own_setting TURUNC_BASE_URL)
	if [ -z "$certificate" ] && [[ $bind != 127.* ]]; then
		die "TURUNC_EDGE_BIND=$bind without TURUNC_EDGE_CERTIFICATE: passwords would leave this machine unencrypted"
	fi
	if [ -n "$certificate" ]; then
		if [ ! -r "$certificate/edge.pem" ] || [ ! -r "$certificate/edge.key" ]; then
			die "TURUNC_EDGE_CERTIFICATE=$certificate holds no edge.pem and edge.key that can be read"
		fi
		[ "$(openssl x509 -noout -pubkey -in "$certificate/edge.pem" 2>/dev/null)" = \
			"$(openssl pkey -pubout -in "$certificate/edge.key" 2>/dev/null)" ] ||
			die "$certificate: edge.key is not the key of edge.pem"
		openssl x509 -noout -checkend 0 -in "$certificate/edge.pem" >/dev/null ||
			die "$certificate/edge.pem has expired: $(openssl x509 -noout -enddate -in "$certificate/edge.pem")"
	fi
	detail "${url:-$(origin_scheme), on $bind}"
}

# Copies of our own: what the operator keeps elsewhere the edge's user may not read.
origin_certificate()
{
	local from=$1 name
	for name in edge.pem edge.key; do
		(umask 077 && cp "$from/$name" "$RUN/state/edge/$name.new")
		! am_root || chown "$user_edge" "$RUN/state/edge/$name.new"
		mv "$RUN/state/edge/$name.new" "$RUN/state/edge/$name"
	done
}

# origin_config FOLDER - applies it with the address that it is to have: the one set, or, where the files
# name this machine, where the edge is.
origin_config()
{
	local url
	url=$(own_setting TURUNC_BASE_URL)
	if [ -n "$url" ]; then
		masa_here config apply "$1" --base-url "$url"
	else
		masa_here config apply "$1" --local-url "$(origin_here)"
	fi
}

edge_define()
{
	local certificate tls=()
	certificate=$(own_setting TURUNC_EDGE_CERTIFICATE)
	mkdir -p "$RUN/state/edge"
	chmod 750 "$RUN/state/edge"
	! am_root || chown "$user_edge" "$RUN/state/edge"
	install -m 644 "$ROOT/deploy/edge/Caddyfile" "$RUN/state/Caddyfile"
	if [ -n "$certificate" ]; then
		origin_certificate "$certificate"
		tls=("TURUNC_EDGE_TLS=tls $REAL/state/edge/edge.pem $REAL/state/edge/edge.key")
	else
		rm -f "$RUN/state/edge/edge.pem" "$RUN/state/edge/edge.key"
	fi
	service_env edge LC_ALL=C.UTF-8 "HOME=$REAL/state/edge" \
		"XDG_CONFIG_HOME=$REAL/state/edge" "XDG_DATA_HOME=$REAL/state/edge" \
		"TURUNC_EDGE_PORT=${PORT[edge]}" "TURUNC_EDGE_BIND=$(own_setting TURUNC_EDGE_BIND 127.0.0.1)" \
		"TURUNC_EDGE_HOSTS=$(origin_hosts)" \
		"TURUNC_EDGE_INTAKE=127.0.0.1:${PORT[intake_http]}" \
		"TURUNC_EDGE_ROUTER=127.0.0.1:${PORT[router_http]}" \
		"TURUNC_EDGE_NOTIFIER=127.0.0.1:${PORT[notifier_http]}" \
		"TURUNC_EDGE_METRICS=127.0.0.1:${PORT[metrics_http]}" "${tls[@]}"
	memory_bytes=2147483648 service_define edge "$user_edge" "$REAL/state/edge" \
		"caddy run --config $REAL/state/Caddyfile --adapter caddyfile"
}

edge_start()
{
	local made_of=("$RUN/state/Caddyfile")
	[ ! -e "$RUN/state/edge/edge.pem" ] || made_of+=("$RUN/state/edge/edge.pem")
	service_up edge "${made_of[@]}"
	if ! wait_until 15 edge_answers; then
		service_last_lines edge
		return 1
	fi
	detail "$service_did; $(origin_here)/"
}

# The edge is up when it refuses what it must: its own answer, whatever the services say.  Whom the
# certificate names is not asked here.
edge_answers()
{
	[ "$(curl -ks -o /dev/null -m 2 -w '%{http_code}' "$(origin_here)/readyz")" = 404 ] &&
		sv_listens edge "${PORT[edge]}"
}
