/* Reads addresses, and follows X-Forwarded-For back through trusted peers. */
#include "http_peer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

bool
http_address_parse(const char *text, size_t len, struct http_address *ret_address)
{
	char copy[INET6_ADDRSTRLEN];
	struct http_address address;

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	/* A link-local peer is printed with its interface, which is no part of the address. */
	const char *scope = memchr(text, '%', len);
	if (scope != NULL)
		len = (size_t)(scope - text);
	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';

	if (inet_pton(AF_INET, copy, address.bytes + sizeof(v4_prefix)) == 1)
		memcpy(address.bytes, v4_prefix, sizeof(v4_prefix));
	else if (inet_pton(AF_INET6, copy, address.bytes) != 1)
		return false;
	*ret_address = address;
	return true;
}

static bool
is_v4(const struct http_address *address)
{
	return memcmp(address->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

void
http_address_format(const struct http_address *address, char out[INET6_ADDRSTRLEN])
{
	if (is_v4(address))
		inet_ntop(AF_INET, address->bytes + sizeof(v4_prefix), out, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, address->bytes, out, INET6_ADDRSTRLEN);
}

bool
http_address_equal(const struct http_address *a, const struct http_address *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static struct http_address
network_of(const struct http_address *address)
{
	struct http_address network = *address;

	if (!is_v4(address))
		memset(network.bytes + 8, 0, 8);
	return network;
}

void
http_network_format(const struct http_address *address, char out[HTTP_NETWORK_SIZE])
{
	struct http_address network = network_of(address);

	http_address_format(&network, out);
	if (!is_v4(address))
		memcpy(out + strlen(out), "/64", sizeof("/64"));
}

bool
http_network_equal(const struct http_address *a, const struct http_address *b)
{
	struct http_address of_a = network_of(a), of_b = network_of(b);

	return http_address_equal(&of_a, &of_b);
}

/* The item that ends where *len says, without blanks; *len becomes what is left before it. */
static const char *
last_item(const char *list, size_t *len, size_t *ret_item_len)
{
	size_t end = *len, start;

	for (start = end; start > 0 && list[start - 1] != ',';)
		start--;
	*len = start > 0 ? start - 1 : 0;
	while (start < end && (list[start] == ' ' || list[start] == '\t'))
		start++;
	while (end > start && (list[end - 1] == ' ' || list[end - 1] == '\t'))
		end--;
	*ret_item_len = end - start;
	return list + start;
}

bool
http_peers_parse(const char *list, struct http_peers *ret_peers)
{
	size_t len = list == NULL ? 0 : strlen(list), most = 1;
	struct http_peers peers = { 0 };

	for (size_t i = 0; i < len; i++)
		most += list[i] == ',';
	peers.at = calloc(most, sizeof(*peers.at));
	if (peers.at == NULL)
		return false;
	while (len > 0) {
		size_t item_len;
		const char *item = last_item(list, &len, &item_len);
		if (!http_address_parse(item, item_len, &peers.at[peers.count++])) {
			http_peers_finish(&peers);
			return false;
		}
	}
	*ret_peers = peers;
	return true;
}

void
http_peers_finish(struct http_peers *peers)
{
	free(peers->at);
	*peers = (struct http_peers){ 0 };
}

bool
http_peers_trust(const struct http_peers *peers, const struct http_address *address)
{
	static const struct http_address v6_loopback = { { [15] = 1 } };

	if (!peers->not_loopback
	    && ((is_v4(address) && address->bytes[12] == 127)
		|| http_address_equal(address, &v6_loopback)))
		return true;
	for (size_t i = 0; i < peers->count; i++)
		if (http_address_equal(&peers->at[i], address))
			return true;
	return false;
}

bool
http_peers_follow(
    const struct http_peers *peers, const char *value, size_t len, struct http_address *address)
{
	if (!http_peers_trust(peers, address))
		return true;
	/* An empty value has one item, which is empty. */
	do {
		size_t item_len;
		const char *item = last_item(value, &len, &item_len);
		if (!http_address_parse(item, item_len, address)) {
			*address = (struct http_address){ { 0 } };
			return false;
		}
	} while (len > 0 && http_peers_trust(peers, address));
	return true;
}
