/* Takes a mail's content out of the lines of DATA. */
#include "lmtp_data.h"

/* One byte of content, and where it leaves us. */
static enum lmtp_data_place
put(char c, enum lmtp_data_place place, char *out, size_t *len)
{
	out[(*len)++] = c;
	if (c == '\r')
		return LMTP_DATA_CR;
	return c == '\n' && place == LMTP_DATA_CR ? LMTP_DATA_LINE : LMTP_DATA_TEXT;
}

size_t
lmtp_data_take(struct lmtp_data *d, const char *bytes, size_t len, char *out, size_t *ret_out_len)
{
	size_t at = 0, out_len = 0;

	while (at < len && d->place != LMTP_DATA_ENDED) {
		char c = bytes[at++];
		switch (d->place) {
		case LMTP_DATA_LINE:
			d->place = c == '.' ? LMTP_DATA_DOT : put(c, d->place, out, &out_len);
			break;
		case LMTP_DATA_DOT:
			d->place = c == '\r' ? LMTP_DATA_DOT_CR : put(c, d->place, out, &out_len);
			break;
		case LMTP_DATA_DOT_CR:
			if (c == '\n') {
				d->place = LMTP_DATA_ENDED;
			} else {
				d->place = put('\r', d->place, out, &out_len);
				d->place = put(c, d->place, out, &out_len);
			}
			break;
		case LMTP_DATA_TEXT:
		case LMTP_DATA_CR:
		case LMTP_DATA_ENDED:
			d->place = put(c, d->place, out, &out_len);
			break;
		}
	}
	*ret_out_len = out_len;
	return at;
}
