/*
 * ami - the Asterisk Manager Interface as bytes come in: lines, and messages of "Name: value" lines
 * that an empty line ends.
 *
 * Everything is bounded.  A line or a message that is too long is passed over and counted, and
 * reading goes on with the next; so does a line that is no field (the greeting).  Pure.
 */
#ifndef ASTERISK_AMI_H
#define ASTERISK_AMI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum { AMI_LINE_BYTES = 4096, AMI_MESSAGE_BYTES = 16384, AMI_FIELDS_MAX = 96 };

struct ami_field {
	const char *name, *value;
};

/* Lent for the call. */
struct ami_message {
	size_t count;
	struct ami_field of[AMI_FIELDS_MAX];
};

/* The first value of that name, whatever its case; "" when there is none. */
const char *ami_value(const struct ami_message *m, const char *name);

typedef void ami_message_fn(void *arg, const struct ami_message *message);

struct ami_reader {
	ami_message_fn *on_message;
	void *arg;
	uint64_t messages, too_long; /* counted */
	char line[AMI_LINE_BYTES];
	size_t line_len;
	bool skip_line, skip_message;
	char text[AMI_MESSAGE_BYTES];
	size_t text_len;
	struct ami_message message;
};

/* Empty, as at the begin of a connection; what was counted stays. */
void ami_begin(struct ami_reader *r);
void ami_feed(struct ami_reader *r, const void *data, size_t len);

#endif
