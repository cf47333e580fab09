/* http_peer - numeric addresses of peers, which of them are trusted, and whom they speak for. */
#ifndef TURUNC_HTTP_PEER_H
#define TURUNC_HTTP_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

/* An IPv4 address is kept as IPv6's ::ffff:a.b.c.d, so that either spelling is the same. */
struct http_address {
	uint8_t bytes[16];
};

/* text of len bytes must be an address and nothing else; "[::1]" is taken too. */
MUST_CHECK bool http_address_parse(const char *text, size_t len, struct http_address *ret_address);
void http_address_format(const struct http_address *address, char out[INET6_ADDRSTRLEN]);
bool http_address_equal(const struct http_address *a, const struct http_address *b);

/* Whose limits count: an IPv4 address ("192.0.2.1"), or the /64 that an IPv6 address is of
 * ("2001:db8::/64"), for whoever has one of them has them all. */
enum { HTTP_NETWORK_SIZE = INET6_ADDRSTRLEN + 4 };
void http_network_format(const struct http_address *address, char out[HTTP_NETWORK_SIZE]);
bool http_network_equal(const struct http_address *a, const struct http_address *b);

struct http_peers {
	struct http_address *at;
	size_t count;
	bool not_loopback; /* which is trusted otherwise */
};

/* "10.0.0.1, 10.0.0.2"; NULL or "" is nobody.  False: not addresses, or no memory. */
MUST_CHECK bool http_peers_parse(const char *list, struct http_peers *ret_peers);
void http_peers_finish(struct http_peers *peers);

/* Loopback (but see not_loopback), or in the list. */
bool http_peers_trust(const struct http_peers *peers, const struct http_address *address);

/* One X-Forwarded-For value, read from its end for as long as *address (the nearest speaker known)
 * is trusted.  False: it held something that is no address, further values do not count, and
 * *address is "::", which is nobody's: whom a proxy cannot name must not pass for the proxy. */
bool http_peers_follow(
    const struct http_peers *peers, const char *value, size_t len, struct http_address *address);

#endif
