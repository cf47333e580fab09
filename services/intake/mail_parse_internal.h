/* mail_parse_internal - what the files of the parser share; nobody else includes it. */
#ifndef INTAKE_MAIL_PARSE_INTERNAL_H
#define INTAKE_MAIL_PARSE_INTERNAL_H

#include <gmime/gmime.h>
#include <stdbool.h>
#include <stdio.h>

#include "mail_letter.h"

enum { PARSE_HEADERS_MAX = 1000, PARSE_PARTS_MAX = 200, PARSE_DEPTH_MAX = 30 };

struct mail_parse {
	struct mail_letter *letter;
	FILE *text;
	FILE *files;
	size_t files_count;
	size_t parts;
	bool has_text;
	bool failed; /* out of memory */
};

/* The first header of that name, as it stands; NULL: none. */
const char *mail_parse_header(GMimeObject *of, const char *name);

/* Sender, subject, what it answers, and whether a machine wrote it (mail_parse_head.c). */
void mail_parse_head(struct mail_parse *p, GMimeMessage *message);
/* Texts, photos and other files (mail_parse_body.c). */
void mail_parse_body(struct mail_parse *p, GMimeObject *part, unsigned depth);
/* Decoded content, at most max bytes; to be freed.  NULL: none, or out of memory. */
char *mail_parse_content(GMimePart *part, size_t max, size_t *ret_len);

#endif
