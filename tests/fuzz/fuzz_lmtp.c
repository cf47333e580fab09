/* What a mail server says: a line, and a mail in pieces.  The input is the size of the pieces and
 * the bytes. */
#include "fuzz.h"
#include "lmtp_command.h"
#include "lmtp_data.h"
#include "mail_identity.h"
#include "utf8.h"

static void
say_line(const char *line, size_t len)
{
	struct lmtp_command c;

	lmtp_command_parse(line, len, &c);
	size_t path = strnlen(c.path, sizeof(c.path));
	HOLDS(path < sizeof(c.path) && utf8_valid(c.path, path));
	HOLDS(!utf8_has_control(c.path, false));
	HOLDS(c.fault != LMTP_FINE || c.verb != LMTP_RCPT || path > 0);
}

/* The content of all at once; what it ends with is the end of a line or nothing. */
static size_t
take_whole(const char *bytes, size_t len, char *out, size_t *ret_taken)
{
	struct lmtp_data d = { .place = LMTP_DATA_LINE };
	size_t out_len;

	*ret_taken = lmtp_data_take(&d, bytes, len, out, &out_len);
	HOLDS(out_len <= len + 2);
	if (d.place == LMTP_DATA_ENDED) {
		HOLDS(*ret_taken >= 3 && memcmp(bytes + *ret_taken - 3, ".\r\n", 3) == 0);
		HOLDS(out_len == 0 || (out_len >= 2 && memcmp(out + out_len - 2, "\r\n", 2) == 0));
	} else {
		HOLDS(*ret_taken == len);
	}
	return out_len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	size_t piece = take_byte(&in) + 1u, at = 0, len = 0, out_len, taken, whole_len;
	char *bytes = copy_text(in.at, in.left), *out = malloc(in.left + 2 + 512),
	     *whole = malloc(in.left + 2);
	struct lmtp_data d = { .place = LMTP_DATA_LINE };
	struct mail_identity by_piece, at_once;
	struct digest first, second;

	HOLDS(out != NULL && whole != NULL);
	say_line(bytes, in.left);
	whole_len = take_whole(bytes, in.left, whole, &taken);
	while (at < in.left && d.place != LMTP_DATA_ENDED) {
		size_t n = in.left - at < piece ? in.left - at : piece;
		at += lmtp_data_take(&d, bytes + at, n, out + len, &out_len);
		len += out_len;
		HOLDS(len <= in.left + 2);
	}
	HOLDS(at == taken && len == whole_len && memcmp(out, whole, len) == 0);

	mail_identity_begin(&by_piece);
	mail_identity_begin(&at_once);
	for (at = 0; at < len; at += piece)
		mail_identity_add(&by_piece, out + at, len - at < piece ? len - at : piece);
	mail_identity_add(&at_once, out, len);
	mail_identity_finish(&by_piece, &first);
	mail_identity_finish(&at_once, &second);
	HOLDS(digest_equal(&first, &second));
	free(bytes);
	free(out);
	free(whole);
	return 0;
}
