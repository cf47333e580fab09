/* Reads what a request's headers mean: type, language, entity tags, where it came from. */
#include "http_internal.h"

#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *
http_header(const struct http_request *req, const char *name)
{
	return evhttp_find_header(
	    req->ev != NULL ? evhttp_request_get_input_headers(req->ev) : &req->headers, name);
}

bool
http_content_type_is(const struct http_request *req, const char *media_type)
{
	const char *type = http_header(req, "Content-Type");

	if (type == NULL)
		return false;
	size_t len = strcspn(type, "; ");
	return len == strlen(media_type) && strncasecmp(type, media_type, len) == 0;
}

/* Values that came nearest to us count first: the last header, from its end. */
void
http_find_client(struct http_request *req)
{
	const struct http_peers *trusted = &req->http->trusted;
	struct evkeyvalq *headers = evhttp_request_get_input_headers(req->ev);
	struct http_address address = req->conn->peer;
	struct evkeyval *field;

	if (req->conn->trusted) {
		TAILQ_FOREACH_REVERSE(field, headers, evkeyvalq, next)
		{
			if (strcasecmp(field->key, "X-Forwarded-For") == 0
			    && !http_peers_follow(
				trusted, field->value, strlen(field->value), &address))
				break;
		}
	}
	http_address_format(&address, req->client);
	http_network_format(&address, req->network);
}

const char *
http_client_address(const struct http_request *req)
{
	return req->client;
}

const char *
http_client_network(const struct http_request *req)
{
	return req->network;
}

/* The weight of an Accept-Language item ";q=0.8" in thousandths; -1: not understood. */
static int
weight_of(const char *params, size_t len)
{
	int weight = 0, unit = 1000;

	while (len > 0 && (*params == ' ' || *params == ';')) {
		params++;
		len--;
	}
	if (len == 0)
		return 1000;
	if (len < 3 || (params[0] != 'q' && params[0] != 'Q') || params[1] != '=')
		return -1;
	for (size_t i = 2; i < len && params[i] != ' '; i++) {
		if (params[i] == '.' && i == 3)
			continue;
		if (params[i] < '0' || params[i] > '9' || unit == 0)
			return -1;
		weight += (params[i] - '0') * unit;
		unit /= 10;
	}
	return weight > 1000 ? -1 : weight;
}

static bool
is_language(const char *item, size_t len, const char *language)
{
	return len >= 2 && strncasecmp(item, language, 2) == 0 && (len == 2 || item[2] == '-');
}

/* The best weight the list gives to a language, "*" counting where it is not named. */
static int
language_weight(const char *list, const char *language)
{
	int named = -1, any = -1;

	while (*list != '\0') {
		list += strspn(list, ", ");
		size_t len = strcspn(list, ","), tag_len = strcspn(list, ",; ");
		int weight = weight_of(list + tag_len, len - tag_len);
		if (is_language(list, tag_len, language) && weight > named)
			named = weight;
		else if (tag_len == 1 && *list == '*' && weight > any)
			any = weight;
		list += len;
	}
	return named >= 0 ? named : any;
}

const char *
http_language(const struct http_request *req)
{
	const char *list = http_header(req, "Accept-Language");

	if (list == NULL)
		return "tr";
	int en = language_weight(list, "en");
	return en > 0 && en > language_weight(list, "tr") ? "en" : "tr";
}

bool
http_etag_matches(const struct http_request *req, const char *etag)
{
	const char *list = http_header(req, "If-None-Match");
	size_t etag_len = strlen(etag);

	if (list == NULL)
		return false;
	if (strcmp(list, "*") == 0)
		return true;
	/* Comparing is weak here: what W/ stands before does not matter. */
	if (strncmp(etag, "W/", 2) == 0) {
		etag += 2;
		etag_len -= 2;
	}
	while (*list != '\0') {
		list += strspn(list, ", ");
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		const char *closing = *list == '"' ? strchr(list + 1, '"') : NULL;
		size_t len = closing == NULL ? strcspn(list, ",") : (size_t)(closing + 1 - list);
		if (len == etag_len && memcmp(list, etag, len) == 0)
			return true;
		list += len;
	}
	return false;
}
