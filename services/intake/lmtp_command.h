/* lmtp_command - one line that a mail server says to the LMTP door (RFC 2033, 5321).  Pure. */
#ifndef INTAKE_LMTP_COMMAND_H
#define INTAKE_LMTP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum {
	LMTP_LINE_MAX = 2048, /* with its CR LF; RFC 5321 asks for 512 and the parameters' room */
	LMTP_PATH_SIZE = 256 + 2 /* RFC 5321's 256, without <>, terminated */
};

enum lmtp_verb {
	LMTP_UNKNOWN,
	LMTP_LHLO,
	LMTP_MAIL,
	LMTP_RCPT,
	LMTP_DATA,
	LMTP_RSET,
	LMTP_NOOP,
	LMTP_VRFY,
	LMTP_QUIT,
	LMTP_HELO, /* HELO or EHLO: who says that takes us for something else */
};

enum lmtp_fault {
	LMTP_FINE,
	LMTP_BAD_SYNTAX, /* 501 */
	LMTP_BAD_PARAMETER, /* 555: one that is not ours */
};

struct lmtp_command {
	enum lmtp_verb verb;
	enum lmtp_fault fault;
	char path[LMTP_PATH_SIZE]; /* MAIL and RCPT: without <>; "" for <> */
	uint64_t size_bytes; /* MAIL's SIZE, 0: not said */
};

/* line: len bytes without CR LF. */
void lmtp_command_parse(const char *line, size_t len, struct lmtp_command *ret_command);

#endif
