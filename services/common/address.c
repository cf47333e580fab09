/* Looks host names up, and takes host:port apart. */
#include "address.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
address_resolve(
    const char *host, struct addresses *ret_addresses, char *complaint, size_t complaint_size)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	struct addresses list = { 0 };

	int error = getaddrinfo(host, NULL, &hints, &found);
	if (error != 0) {
		snprintf(complaint, complaint_size, "host %s: %s", host, gai_strerror(error));
		return false;
	}
	for (struct addrinfo *i = found; i != NULL && list.count < ADDRESSES_MAX; i = i->ai_next)
		if (getnameinfo(i->ai_addr, i->ai_addrlen, list.numeric[list.count], ADDRESS_SIZE,
			NULL, 0, NI_NUMERICHOST)
		    == 0)
			list.count++;
	freeaddrinfo(found);
	if (list.count == 0) {
		snprintf(complaint, complaint_size, "host %s: no address", host);
		return false;
	}
	*ret_addresses = list;
	return true;
}

bool
address_split(const char *text, char host[ADDRESS_HOST_SIZE], int *ret_port)
{
	const char *colon = strrchr(text, ':');
	char *end;

	if (colon == NULL || colon == text || colon[1] < '0' || colon[1] > '9')
		return false;
	long port = strtol(colon + 1, &end, 10);
	size_t len = (size_t)(colon - text);
	if (*end != '\0' || port < 1 || port > 65535)
		return false;
	if (text[0] == '[') {
		if (text[len - 1] != ']' || len < 3)
			return false;
		text++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL) {
		return false; /* v6 without brackets: where would the port begin? */
	}
	if (len >= ADDRESS_HOST_SIZE)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	*ret_port = (int)port;
	return true;
}
