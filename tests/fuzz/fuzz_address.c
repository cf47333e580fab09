/* Addresses: host and port, peers that are trusted, and whom they say they speak for. */
#include "address.h"
#include "fuzz.h"
#include "http_peer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	char *text = take_text(&in), *list = take_text(&in), host[ADDRESS_HOST_SIZE];
	struct http_address address, again;
	struct http_peers peers;
	int port;

	if (address_split(text, host, &port))
		HOLDS(port >= 1 && port <= 65535 && host[0] != '\0');
	if (http_address_parse(text, strlen(text), &address)) {
		char shown[INET6_ADDRSTRLEN];
		http_address_format(&address, shown);
		HOLDS(http_address_parse(shown, strlen(shown), &again));
		HOLDS(http_address_equal(&address, &again));
	}
	if (http_peers_parse(list, &peers)) {
		HOLDS(http_address_parse("127.0.0.1", 9, &address));
		(void)http_peers_follow(&peers, text, strlen(text), &address);
		peers.not_loopback = true;
		HOLDS(http_address_parse("127.0.0.1", 9, &again));
		bool named = http_peers_trust(&peers, &again);
		if (!named) {
			(void)http_peers_follow(&peers, text, strlen(text), &again);
			HOLDS(http_address_parse("127.0.0.1", 9, &address));
			HOLDS(http_address_equal(&address, &again));
		}
		http_peers_finish(&peers);
	}
	free(text);
	free(list);
	return 0;
}
