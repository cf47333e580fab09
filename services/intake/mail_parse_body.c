/* Reads what a mail is made of: texts, photos, other files, and the report of a mail server. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base.h"
#include "mail_charset.h"
#include "mail_plain.h"
#include "mail_parse_internal.h"
#include "mail_words.h"
#include "photo.h"

enum {
	TEXT_READ_BYTES = 4 * MAIL_LETTER_TEXT_BYTES,
	REPORT_READ_BYTES = 64 * 1024,
	/* Smaller pictures are logos and smileys below a signature. */
	PHOTO_SIDE_MIN = 100,
	PHOTO_PIXELS_MAX = 268435456,
	FILES_NAMED_MAX = 30
};

char *
mail_parse_content(GMimePart *part, size_t max, size_t *ret_len)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	char *copy = NULL;

	if (content == NULL)
		return NULL;
	GMimeStream *stream = g_mime_stream_mem_new();
	if (g_mime_data_wrapper_write_to_stream(content, stream) != -1) {
		GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
		size_t len = bytes->len > max ? max : bytes->len;
		copy = malloc(len + 1);
		if (copy != NULL) {
			if (len > 0)
				memcpy(copy, bytes->data, len);
			copy[len] = '\0';
			*ret_len = len;
		}
	}
	g_object_unref(stream);
	return copy;
}

/* --- texts -------------------------------------------------------------------------------------
 */

/* As UTF-8, out of HTML where it is; to be freed. */
static char *
text_of(struct mail_parse *p, GMimePart *part)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
	bool html = g_mime_content_type_is_type(type, "text", "html");
	size_t len = 0;
	char *bytes = mail_parse_content(part, TEXT_READ_BYTES, &len);
	char *text = bytes == NULL ? strdup("")
				   : mail_charset_decode(bytes, len,
				       g_mime_content_type_get_parameter(type, "charset"));

	p->letter->cut = p->letter->cut || len == TEXT_READ_BYTES;
	free(bytes);
	if (html && text != NULL) {
		char *plain = mail_plain_text(text, strlen(text));
		free(text);
		text = plain;
	}
	p->failed = p->failed || text == NULL;
	return text;
}

static bool
has_words(const char *text)
{
	return text[strspn(text, " \n\t")] != '\0';
}

static void
add_text(struct mail_parse *p, GMimePart *part)
{
	char *text = text_of(p, part);

	if (text != NULL && has_words(text)) {
		if (p->has_text)
			fputs("\n\n", p->text);
		fputs(text, p->text);
		p->has_text = true;
	}
	free(text);
}

/* --- files -------------------------------------------------------------------------------------
 */

static void
name_file(struct mail_parse *p, GMimePart *part)
{
	if (p->files_count++ >= FILES_NAMED_MAX)
		return;
	const char *raw = g_mime_part_get_filename(part);
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
	char *mime = g_mime_content_type_get_mime_type(type);
	char *name = raw == NULL ? NULL : mail_words_decode(raw, strlen(raw));

	fprintf(p->files, "%s%s", p->files_count == 1 ? "" : ", ",
	    name != NULL && name[0] != '\0' ? name : mime);
	free(name);
	g_free(mime);
}

/* True: it is kept as a photo, or too small to be one. */
static bool
take_photo(struct mail_parse *p, GMimePart *part)
{
	struct mail_letter *letter = p->letter;
	struct photo clean;
	size_t len = 0;
	char *bytes = mail_parse_content(part, PHOTOS_EACH_BYTES_MAX + 1, &len);
	bool taken = false;

	if (bytes != NULL && len <= PHOTOS_EACH_BYTES_MAX
	    && photo_clean((const uint8_t *)bytes, len, PHOTO_PIXELS_MAX, &clean) == PHOTO_OK) {
		bool small = clean.width < PHOTO_SIDE_MIN || clean.height < PHOTO_SIDE_MIN;
		photo_finish(&clean);
		if (!small && letter->photo_count < PHOTOS_MAX) {
			letter->photos[letter->photo_count++] =
			    (struct mail_photo){ (uint8_t *)bytes, len };
			return true;
		}
		taken = small;
	}
	free(bytes);
	return taken;
}

/* --- what a mail server reports ------------------------------------------------------------------
 */

/* The value of the first such field; NULL: none. */
static const char *
report_field(const char *report, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = report; line != NULL;) {
		if (strncasecmp(line, name, len) == 0)
			return line + len + strspn(line + len, " \t");
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return NULL;
}

/* "5.1.1" where it stands. */
static size_t
status_len(const char *at)
{
	size_t len = strspn(at, "0123456789.");
	bool formed = len >= 5 && (at[0] == '4' || at[0] == '5') && at[1] == '.'
		      && at[len - 1] != '.' && len < MAIL_LETTER_STATUS_SIZE;

	return formed ? len : 0;
}

static void
set_status(struct mail_letter *letter, const char *at)
{
	size_t len = status_len(at);

	if (len > 0) {
		memcpy(letter->status, at, len);
		letter->status[len] = '\0';
	}
}

static void
read_report(struct mail_parse *p, GMimePart *part)
{
	size_t len = 0;
	char *report = mail_parse_content(part, REPORT_READ_BYTES, &len);
	const char *action = report == NULL ? NULL : report_field(report, "Action:");
	const char *status = report == NULL ? NULL : report_field(report, "Status:");

	if (action != NULL && strncasecmp(action, "failed", 6) == 0) {
		p->letter->failed = true;
		if (status != NULL)
			set_status(p->letter, status);
	} else if (action != NULL && strncasecmp(action, "delayed", 7) != 0) {
		p->letter->kind = MAIL_OF_MACHINE; /* it arrived, or went on */
	} else if (status != NULL) {
		set_status(p->letter, status);
	}
	free(report);
}

/* Of a report in words alone: the first code that says a class of failure. */
static void
guess_status(struct mail_letter *letter, const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		bool begins = at == text || strchr(" (#[\n\t", at[-1]) != NULL;
		if (begins && status_len(at) > 0) {
			set_status(letter, at);
			letter->failed = at[0] == '5';
			return;
		}
	}
}

/* --- parts -------------------------------------------------------------------------------------
 */

static bool
is(GMimeObject *part, const char *type, const char *subtype)
{
	return g_mime_content_type_is_type(g_mime_object_get_content_type(part), type, subtype);
}

/* Of what says the same in several ways, the plain text, or else the last: it is the richest. */
static void
take_alternative(struct mail_parse *p, GMimeMultipart *parts, unsigned depth)
{
	int count = g_mime_multipart_get_count(parts), chosen = count - 1;

	for (int i = 0; i < count && i < PARSE_PARTS_MAX; i++)
		if (is(g_mime_multipart_get_part(parts, i), "text", "plain")) {
			char *text = text_of(p, GMIME_PART(g_mime_multipart_get_part(parts, i)));
			bool words = text != NULL && has_words(text);
			free(text);
			if (words) {
				chosen = i;
				break;
			}
		}
	for (int i = 0; i < count && i < PARSE_PARTS_MAX; i++) {
		GMimeObject *part = g_mime_multipart_get_part(parts, i);
		/* Beside the text: photos that only the HTML shows, an invitation. */
		if (i == chosen || !is(part, "text", "*"))
			mail_parse_body(p, part, depth + 1);
	}
}

static void
take_leaf(struct mail_parse *p, GMimePart *part)
{
	GMimeObject *object = GMIME_OBJECT(part);
	GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(object);
	bool attached = disposition != NULL
			&& g_mime_content_disposition_is_attachment(disposition);

	if (is(object, "message", "delivery-status")
	    || is(object, "message", "global-delivery-status"))
		read_report(p, part);
	else if (!attached && (is(object, "text", "plain") || is(object, "text", "html")))
		add_text(p, part);
	else if (is(object, "text", "rfc822-headers") || !is(object, "image", "*")
		 || !take_photo(p, part))
		name_file(p, part);
}

void
mail_parse_body(struct mail_parse *p, GMimeObject *part, unsigned depth)
{
	if (p->failed || depth > PARSE_DEPTH_MAX || p->parts >= PARSE_PARTS_MAX) {
		p->letter->cut = true;
		return;
	}
	p->parts++;
	if (GMIME_IS_MESSAGE_PART(part)) {
		GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
		GMimeObject *body = inner == NULL ? NULL : g_mime_message_get_mime_part(inner);
		/* What a server sends back is what we wrote; what a person sends on is theirs. */
		if (body != NULL && p->letter->kind == MAIL_OF_PERSON)
			mail_parse_body(p, body, depth + 1);
	} else if (GMIME_IS_MULTIPART(part)) {
		GMimeMultipart *parts = GMIME_MULTIPART(part);
		if (is(part, "multipart", "alternative")) {
			take_alternative(p, parts, depth);
		} else {
			int count = g_mime_multipart_get_count(parts);
			for (int i = 0; i < count && p->parts < PARSE_PARTS_MAX; i++)
				mail_parse_body(p, g_mime_multipart_get_part(parts, i), depth + 1);
			p->letter->cut = p->letter->cut || p->parts >= PARSE_PARTS_MAX;
		}
	} else if (GMIME_IS_PART(part)) {
		take_leaf(p, GMIME_PART(part));
	}
	if (depth == 0 && p->letter->kind == MAIL_OF_POSTMASTER && p->letter->status[0] == '\0'
	    && fflush(p->text) == 0 && p->letter->texts[MAIL_TEXT] != NULL)
		guess_status(p->letter, p->letter->texts[MAIL_TEXT]);
}
