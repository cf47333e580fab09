/* Seals and opens the tokens of forms. */
#include "form_token.h"

#include <sodium.h>
#include <string.h>

#include "digest.h"

enum { NONCE_BYTES = 16, MAC_BYTES = 16, TOKEN_BYTES = 8 + 8 + NONCE_BYTES + MAC_BYTES };
_Static_assert(sodium_base64_ENCODED_LEN(TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)
		   == FORM_TOKEN_SIZE,
    "the token's text");

struct token {
	int64_t ticket_id, expires_us;
	uint8_t nonce[NONCE_BYTES];
	uint8_t mac[MAC_BYTES];
};
_Static_assert(sizeof(struct token) == TOKEN_BYTES, "no holes");

static void
sign(const uint8_t *secret, size_t secret_len, const struct token *t, uint8_t ret_mac[MAC_BYTES])
{
	static const char purpose[] = "turunc form token 1";
	struct digest_keyed d;
	struct digest digest;

	digest_keyed_init(&d, secret, secret_len);
	digest_keyed_add_part(&d, purpose, sizeof(purpose) - 1);
	digest_keyed_add_part(&d, t, TOKEN_BYTES - MAC_BYTES);
	digest_keyed_finish(&d, &digest);
	memcpy(ret_mac, digest.bytes, MAC_BYTES);
}

void
form_token_make(const uint8_t *secret, size_t secret_len, int64_t ticket_id, int64_t expires_us,
    char ret_token[FORM_TOKEN_SIZE])
{
	struct token t = { .ticket_id = ticket_id, .expires_us = expires_us };

	randombytes_buf(t.nonce, sizeof(t.nonce));
	sign(secret, secret_len, &t, t.mac);
	(void)sodium_bin2base64(ret_token, FORM_TOKEN_SIZE, (const unsigned char *)&t, sizeof(t),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool
form_token_read(const uint8_t *secret, size_t secret_len, const char *token, int64_t now_us,
    int64_t *ret_ticket_id, char ret_form_id[FORM_ID_SIZE])
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct token t;
	uint8_t mac[MAC_BYTES];
	size_t len = 0;
	size_t text_len = strlen(token);

	/* libsodium takes some bytes beyond ASCII for letters: a token has one spelling. */
	if (text_len != FORM_TOKEN_SIZE - 1 || strspn(token, alphabet) != text_len
	    || sodium_base642bin((unsigned char *)&t, sizeof(t), token, text_len, NULL, &len, NULL,
		   sodium_base64_VARIANT_URLSAFE_NO_PADDING)
		   != 0
	    || len != sizeof(t))
		return false;
	sign(secret, secret_len, &t, mac);
	if (sodium_memcmp(mac, t.mac, sizeof(mac)) != 0 || t.expires_us <= now_us)
		return false;
	*ret_ticket_id = t.ticket_id;
	(void)sodium_bin2hex(ret_form_id, FORM_ID_SIZE, t.nonce, sizeof(t.nonce));
	return true;
}
