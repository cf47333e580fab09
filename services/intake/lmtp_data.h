/*
 * lmtp_data - what stands between DATA's 354 and the line with a dot alone, which ends it.
 *
 * Only CR LF "." CR LF ends a mail: a bare LF or CR is content, so nothing in a mail can be taken
 * for its end and for commands behind it.  The dot that a sender doubled is taken away again. Pure.
 */
#ifndef INTAKE_LMTP_DATA_H
#define INTAKE_LMTP_DATA_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

enum lmtp_data_place {
	LMTP_DATA_LINE, /* a line begins */
	LMTP_DATA_TEXT,
	LMTP_DATA_CR, /* behind a CR */
	LMTP_DATA_DOT, /* behind a dot that begins a line */
	LMTP_DATA_DOT_CR,
	LMTP_DATA_ENDED
};

/* Zeroed is the beginning. */
struct lmtp_data {
	enum lmtp_data_place place;
};

/* Takes bytes up to the end of the mail or of the input; content comes out in out, which has room
 * for len + 2.  Returns how many were taken. */
size_t lmtp_data_take(
    struct lmtp_data *d, const char *bytes, size_t len, char *out, size_t *ret_out_len);

#endif
