/* Finds the key of a screen, and whose it is. */
#include "board_wall.h"

#include <stdio.h>
#include <string.h>

#include "acl.h"
#include "http.h"

#define COOKIE "turunc_wall"
#define COOKIE_AGE_S "34560000" /* 400 days, the longest that browsers take */

static bool
copy_key(const char *from, size_t len, char out[WALL_KEY_BYTES_MAX + 1])
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

	if (len == 0 || len > WALL_KEY_BYTES_MAX || strspn(from, alphabet) < len)
		return false;
	memcpy(out, from, len);
	out[len] = '\0';
	return true;
}

bool
wall_key_find(const char *cookie, const char *authorization, char out[WALL_KEY_BYTES_MAX + 1])
{
	static const char name[] = COOKIE "=", bearer[] = "Bearer ";

	if (authorization != NULL && strncmp(authorization, bearer, sizeof(bearer) - 1) == 0)
		return copy_key(authorization + sizeof(bearer) - 1,
		    strlen(authorization + sizeof(bearer) - 1), out);
	while (cookie != NULL && *cookie != '\0') {
		cookie += strspn(cookie, " ;\t");
		size_t len = strcspn(cookie, "; \t");
		if (len >= sizeof(name) - 1 && strncmp(cookie, name, sizeof(name) - 1) == 0)
			return copy_key(cookie + sizeof(name) - 1, len - (sizeof(name) - 1), out);
		cookie += len;
	}
	return false;
}

const struct acl_client *
wall_client_of(const struct acl *acl, const char *key, int64_t now_us)
{
	const struct acl_client *c = acl_find_api_key(acl, key, strlen(key));

	return c != NULL && acl_in_force(c, now_us) && acl_allows_verb(c, ACL_BOARD) ? c : NULL;
}

const struct acl_client *
wall_client(const struct acl *acl, const struct http_request *req, int64_t now_us)
{
	char key[WALL_KEY_BYTES_MAX + 1];

	if (!wall_key_find(http_header(req, "Cookie"), http_header(req, "Authorization"), key))
		return NULL;
	return wall_client_of(acl, key, now_us);
}

bool
wall_still(const struct acl *acl, const char *name, int64_t now_us)
{
	const struct acl_client *c = acl_find_name(acl, name);

	return c != NULL && acl_in_force(c, now_us) && acl_allows_verb(c, ACL_BOARD);
}

void
wall_welcome(struct http_request *req, const char *key, bool secure)
{
	char cookie[WALL_COOKIE_SIZE];

	(void)snprintf(cookie, sizeof(cookie),
	    COOKIE "=%.*s; Path=/live/; Max-Age=" COOKIE_AGE_S "; HttpOnly; SameSite=Lax%s",
	    WALL_KEY_BYTES_MAX, key, secure ? "; Secure" : "");
	const struct http_field fields[] = { { "Location", "/live/?wall" },
		{ "Set-Cookie", cookie }, { "Cache-Control", "no-store" },
		{ "Referrer-Policy", "no-referrer" } };
	http_reply(req, &(struct http_response){
			    .status = 303, .fields = fields, .field_count = ARRAY_LEN(fields) });
}
