/* Reads cookies, targets and origins as strictly as can be. */
#include "people_parse.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "digest.h"
#include "http_peer.h"

_Static_assert(
    sodium_base64_ENCODED_LEN(PEOPLE_TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)
	== PEOPLE_TOKEN_SIZE,
    "the token's text");

/* One spelling each: libsodium takes some bytes beyond ASCII for letters, and spare bits. */
static bool
token_read(const char *text, size_t len, uint8_t ret_token[PEOPLE_TOKEN_BYTES])
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char copy[PEOPLE_TOKEN_SIZE], again[PEOPLE_TOKEN_SIZE];
	uint8_t token[PEOPLE_TOKEN_BYTES];
	size_t token_len = 0;

	if (len != PEOPLE_TOKEN_SIZE - 1)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	bool read = strspn(copy, alphabet) == len
		    && sodium_base642bin(token, sizeof(token), copy, len, NULL, &token_len, NULL,
			   sodium_base64_VARIANT_URLSAFE_NO_PADDING)
			   == 0
		    && token_len == sizeof(token);
	if (read) {
		(void)sodium_bin2base64(again, sizeof(again), token, sizeof(token),
		    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
		read = memcmp(again, copy, sizeof(again)) == 0;
	}
	if (read)
		memcpy(ret_token, token, sizeof(token));
	sodium_memzero(token, sizeof(token));
	sodium_memzero(copy, sizeof(copy));
	sodium_memzero(again, sizeof(again));
	return read;
}

bool
people_cookie_find(const char *header, const char *name, uint8_t ret_token[PEOPLE_TOKEN_BYTES])
{
	size_t name_len = strlen(name), value_len = 0;
	const char *value = NULL;

	while (header != NULL && *header != '\0') {
		header += strspn(header, " ;\t");
		size_t len = strcspn(header, ";");
		if (len > name_len && strncmp(header, name, name_len) == 0
		    && header[name_len] == '=') {
			if (value != NULL)
				return false;
			value = header + name_len + 1;
			value_len = len - name_len - 1;
			while (value_len > 0
			       && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
				value_len--;
		}
		header += len;
	}
	return value != NULL && token_read(value, value_len, ret_token);
}

void
people_token_make(uint8_t ret_token[PEOPLE_TOKEN_BYTES], char ret_text[PEOPLE_TOKEN_SIZE])
{
	randombytes_buf(ret_token, PEOPLE_TOKEN_BYTES);
	(void)sodium_bin2base64(ret_text, PEOPLE_TOKEN_SIZE, ret_token, PEOPLE_TOKEN_BYTES,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static void
derive(const uint8_t token[PEOPLE_TOKEN_BYTES], const char *purpose, struct digest *ret_digest)
{
	struct digest_keyed d;

	digest_keyed_init(&d, token, PEOPLE_TOKEN_BYTES);
	digest_keyed_add_part(&d, purpose, strlen(purpose));
	digest_keyed_finish(&d, ret_digest);
}

void
people_token_digest(const uint8_t token[PEOPLE_TOKEN_BYTES], struct digest *ret_digest)
{
	derive(token, "turunc session 1", ret_digest);
}

void
people_form_token(const uint8_t token[PEOPLE_TOKEN_BYTES], char ret_text[PEOPLE_TOKEN_SIZE])
{
	struct digest digest;

	derive(token, "turunc session's forms 1", &digest);
	_Static_assert((int)PEOPLE_TOKEN_BYTES == (int)DIGEST_BYTES, "one size of text");
	(void)sodium_bin2base64(ret_text, PEOPLE_TOKEN_SIZE, digest.bytes, DIGEST_BYTES,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool
people_form_token_equal(const char *given, const char expected[PEOPLE_TOKEN_SIZE])
{
	return given != NULL && strlen(given) == PEOPLE_TOKEN_SIZE - 1
	       && sodium_memcmp(given, expected, PEOPLE_TOKEN_SIZE - 1) == 0;
}

/* A browser takes "\" for "/", drops tabs and line ends, and reads "//" as a host's beginning: so
 * none of them is let through, not even inside. */
bool
people_next_valid(const char *next, const char *prefix)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/?&=%+,:@";
	size_t len = strlen(next), prefix_len = strlen(prefix);
	const char *rest = next + prefix_len;

	if (len > PEOPLE_NEXT_BYTES || strspn(next, plain) != len
	    || strncmp(next, prefix, prefix_len) != 0 || next[0] != '/')
		return false;
	size_t path_len = strcspn(next, "?");
	for (size_t i = 0; i + 1 < path_len; i++)
		if (next[i] == '/' && (next[i + 1] == '/' || next[i + 1] == '.'))
			return false;
	/* Not back to where one signs in or out. */
	return strncmp(rest, "sign-", 5) != 0;
}

bool
people_same_origin(const char *origin, const char *fetch_site, const char *host, bool secure)
{
	const char *authority = NULL;

	if (origin != NULL && strncmp(origin, "https://", 8) == 0)
		authority = origin + 8;
	else if (origin != NULL && !secure && strncmp(origin, "http://", 7) == 0)
		authority = origin + 7;
	bool named = authority != NULL && host != NULL && strcasecmp(authority, host) == 0;
	if (fetch_site != NULL)
		return strcmp(fetch_site, "same-origin") == 0 && (origin == NULL || named);
	return named;
}

bool
people_escape(char *out, size_t size, const char *text, const char *keep)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	size_t used = strlen(out);

	for (; *text != '\0'; text++) {
		bool stays = strchr(plain, *text) != NULL || strchr(keep, *text) != NULL;
		if (used + (stays ? 1 : 3) >= size)
			return false;
		if (stays)
			out[used++] = *text;
		else
			used += (size_t)snprintf(
			    out + used, size - used, "%%%02X", (unsigned char)*text);
		out[used] = '\0';
	}
	return true;
}

void
people_address(const char *address, char ret_key[PEOPLE_ADDRESS_SIZE])
{
	_Static_assert((int)PEOPLE_ADDRESS_SIZE >= (int)HTTP_NETWORK_SIZE, "a network fits");
	struct http_address a;

	if (http_address_parse(address, strlen(address), &a))
		http_network_format(&a, ret_key);
	else
		(void)snprintf(ret_key, PEOPLE_ADDRESS_SIZE, "unknown");
}
