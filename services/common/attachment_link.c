/* Makes and checks the links of photos, and answers them. */
#include <event2/buffer.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attachment_internal.h"
#include "http.h"

enum { MAC_BYTES = 16, HEAD_BYTES = 12 };

struct token {
	int64_t until_us;
	uint8_t digest[DIGEST_BYTES];
	uint8_t mac[MAC_BYTES];
};
enum { TOKEN_BYTES = 8 + DIGEST_BYTES + MAC_BYTES };
_Static_assert(sizeof(struct token) == TOKEN_BYTES, "no holes");
enum {
	TOKEN_SIZE = sodium_base64_ENCODED_LEN(
	    TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)
};
_Static_assert(sizeof("/photo/") - 1 + TOKEN_SIZE <= ATTACHMENT_LINK_SIZE, "a link's text");

static void
sign(const struct attachments *a, const struct token *t, uint8_t ret_mac[MAC_BYTES])
{
	static const char purpose[] = "turunc photo link 1";
	struct digest_keyed d;
	struct digest digest;

	digest_keyed_init(&d, a->key, sizeof(a->key));
	digest_keyed_add_part(&d, purpose, sizeof(purpose) - 1);
	digest_keyed_add_part(&d, t, TOKEN_BYTES - MAC_BYTES);
	digest_keyed_finish(&d, &digest);
	memcpy(ret_mac, digest.bytes, MAC_BYTES);
}

bool
attachments_link(struct attachments *a, const struct digest *digest, int64_t until_us,
    char ret_link[ATTACHMENT_LINK_SIZE])
{
	struct token t = { .until_us = until_us };
	char text[TOKEN_SIZE];

	if (!attachments_read_key(a))
		return false;
	memcpy(t.digest, digest->bytes, DIGEST_BYTES);
	sign(a, &t, t.mac);
	(void)sodium_bin2base64(text, sizeof(text), (const unsigned char *)&t, sizeof(t),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	(void)snprintf(ret_link, ATTACHMENT_LINK_SIZE, "/photo/%s", text);
	return true;
}

bool
attachments_link_read(
    struct attachments *a, const char *token, int64_t now_us, struct digest *ret_digest)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t text_len = strlen(token), len = 0;
	struct token t;
	uint8_t mac[MAC_BYTES];

	/* libsodium takes some bytes beyond ASCII for letters: a token has one spelling. */
	if (text_len != TOKEN_SIZE - 1 || strspn(token, alphabet) != text_len
	    || sodium_base642bin((unsigned char *)&t, sizeof(t), token, text_len, NULL, &len, NULL,
		   sodium_base64_VARIANT_URLSAFE_NO_PADDING)
		   != 0
	    || len != sizeof(t) || !attachments_read_key(a))
		return false;
	sign(a, &t, mac);
	if (sodium_memcmp(mac, t.mac, sizeof(mac)) != 0 || t.until_us <= now_us)
		return false;
	memcpy(ret_digest->bytes, t.digest, DIGEST_BYTES);
	return true;
}

/* The open file becomes the answer's body, read by the kernel as it leaves. */
static void
reply_file(
    struct http_request *req, int fd, const char *media_type, const char *disposition, off_t size)
{
	/* Whatever a browser would make of the bytes otherwise, it may not. */
	const struct http_field fields[] = {
		{ "Content-Security-Policy", "default-src 'none'; sandbox" },
		{ "Content-Disposition", disposition },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
	};
	struct evbuffer *body = evbuffer_new();

	if (body == NULL || evbuffer_add_file(body, fd, 0, size) != 0) {
		close(fd);
		http_reply_error(req, 503, "Out of memory.");
	} else {
		const struct http_response response = { .status = 200,
			.content_type = media_type,
			.body = body,
			.cache_control = "private, max-age=300",
			.fields = fields,
			.field_count = ARRAY_LEN(fields) };
		http_reply(req, &response);
	}
	if (body != NULL)
		evbuffer_free(body);
}

void
attachments_serve(
    struct attachments *a, struct http_request *req, const char *token, int64_t now_us)
{
	struct digest digest;
	uint8_t head[HEAD_BYTES] = { 0 };
	struct stat st;
	int fd = -1;

	if (attachments_link_read(a, token, now_us, &digest))
		fd = attachments_open_file(a, &digest);
	bool there = fd != -1 && fstat(fd, &st) == 0
		     && pread(fd, head, sizeof(head), 0) == HEAD_BYTES;
	enum photo_type type = there ? photo_type_of(head, sizeof(head)) : PHOTO_NO_TYPE;
	if (type != PHOTO_NO_TYPE) {
		reply_file(req, fd, photo_media_type(type), "inline", st.st_size);
		return;
	}
	/* Every raw mail begins so; it is saved, never shown. */
	if (there && memcmp(head, "Return-Path:", sizeof(head)) == 0) {
		reply_file(req, fd, "application/octet-stream",
		    "attachment; filename=\"e-posta.eml\"", st.st_size);
		return;
	}
	if (fd != -1)
		close(fd);
	http_reply_error(req, 404, "there is no such photo, or its link has expired");
}
