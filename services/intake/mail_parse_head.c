/* Reads what stands above a mail: who, about what, in answer to what, and whether a person wrote
 * it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base.h"
#include "mail_charset.h"
#include "mail_parse_internal.h"
#include "mail_words.h"

#define US_PER_S INT64_C(1000000)

const char *
mail_parse_header(GMimeObject *of, const char *name)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(of);
	int count = g_mime_header_list_get_count(headers);

	for (int i = 0; i < count && i < PARSE_HEADERS_MAX; i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(headers, i);
		const char *given = g_mime_header_get_name(header);
		const char *value = g_mime_header_get_raw_value(header);
		if (given != NULL && value != NULL && strcasecmp(given, name) == 0)
			return value;
	}
	return NULL;
}

static char *
decoded(struct mail_parse *p, const char *value)
{
	char *text = mail_words_decode(
	    value == NULL ? "" : value, value == NULL ? 0 : strlen(value));

	p->failed = p->failed || text == NULL;
	return text;
}

/* --- the sender --------------------------------------------------------------------------------
 */

/* The shown name in front of the first <: GMime has decoded it by the label, which may be wrong. */
static char *
shown_name(struct mail_parse *p, const char *from)
{
	const char *angle = strchr(from, '<');
	char *name = decoded(p, "");

	if (angle == NULL || name == NULL)
		return name;
	free(name);
	name = mail_words_decode(from, (size_t)(angle - from));
	p->failed = p->failed || name == NULL;
	if (name == NULL)
		return NULL;
	/* Quotes and backslashes are how it is written, not what it says. */
	char *to = name;
	for (const char *at = name; *at != '\0'; at++)
		if (*at != '"' && *at != '\\')
			*to++ = *at;
	while (to > name && to[-1] == ' ')
		to--;
	*to = '\0';
	return name;
}

/* Of the first person in the list, also where the list begins with a group. */
static const char *
first_address(InternetAddressList *list)
{
	for (int i = 0; list != NULL && i < internet_address_list_length(list); i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);
		if (INTERNET_ADDRESS_IS_MAILBOX(address))
			return internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
		InternetAddressList *members = internet_address_group_get_members(
		    INTERNET_ADDRESS_GROUP(address));
		if (members != NULL && internet_address_list_length(members) > 0) {
			address = internet_address_list_get_address(members, 0);
			if (INTERNET_ADDRESS_IS_MAILBOX(address))
				return internet_address_mailbox_get_addr(
				    INTERNET_ADDRESS_MAILBOX(address));
		}
	}
	return NULL;
}

static void
read_sender(struct mail_parse *p, GMimeObject *message)
{
	const char *from = mail_parse_header(message, "From");
	InternetAddressList *list = from == NULL ? NULL : internet_address_list_parse(NULL, from);
	const char *address = first_address(list);

	p->letter->texts[MAIL_NAME] = from == NULL ? decoded(p, "") : shown_name(p, from);
	p->letter->texts[MAIL_ADDRESS] = address == NULL
					     ? strdup("")
					     : mail_charset_decode(address, strlen(address), NULL);
	p->failed = p->failed || p->letter->texts[MAIL_ADDRESS] == NULL;
	if (list != NULL)
		g_object_unref(list);
}

/* --- threads -----------------------------------------------------------------------------------
 */

/* Our Message-IDs are a message's id and a domain. */
static void
read_answered(struct mail_letter *letter, const char *value)
{
	struct uuid id;

	for (const char *at = value; at != NULL && letter->answered_count < MAIL_LETTER_ANSWERED;) {
		at = strchr(at, '<');
		if (at == NULL)
			return;
		at++;
		if (strnlen(at, UUID_TEXT_LEN + 1) > UUID_TEXT_LEN && at[UUID_TEXT_LEN] == '@'
		    && uuid_parse(at, UUID_TEXT_LEN, &id))
			letter->answered[letter->answered_count++] = id;
	}
}

static bool
of_address(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
	       || (c != '\0' && strchr(".+-_", c) != NULL);
}

/* Every address with a + in it; what they are worth is for others to say. */
static void
read_to(struct mail_parse *p, const char *value)
{
	struct mail_letter *letter = p->letter;

	for (const char *at = value == NULL ? NULL : strchr(value, '@');
	     at != NULL && letter->to_count < MAIL_LETTER_TO; at = strchr(at + 1, '@')) {
		const char *from = at, *to = at + 1;
		while (from > value && of_address(from[-1]))
			from--;
		while (of_address(*to))
			to++;
		size_t len = (size_t)(to - from);
		if (memchr(from, '+', (size_t)(at - from)) == NULL
		    || len > MAIL_LETTER_ADDRESS_BYTES)
			continue;
		letter->to[letter->to_count] = strndup(from, len);
		if (letter->to[letter->to_count] == NULL)
			p->failed = true;
		else
			letter->to_count++;
	}
}

/* Our own server wrote the topmost one. */
static void
read_received(struct mail_letter *letter, GMimeObject *message)
{
	const char *received = mail_parse_header(message, "Received");
	const char *mark = received == NULL ? NULL : strrchr(received, ';');
	GDateTime *at = mark == NULL ? NULL : g_mime_utils_header_decode_date(mark + 1);

	if (at == NULL)
		return;
	letter->received_us = (int64_t)g_date_time_to_unix(at) * US_PER_S;
	g_date_time_unref(at);
}

/* --- machines ----------------------------------------------------------------------------------
 */

/* The header's first word, up to a parameter, is one of these; or, with but, anything else. */
static bool
says(GMimeObject *message, const char *header, const char *const *words, bool but)
{
	const char *value = mail_parse_header(message, header);

	if (value == NULL)
		return false;
	value += strspn(value, " \t\r\n");
	size_t len = strcspn(value, " \t\r\n;(");
	for (size_t i = 0; words[i] != NULL; i++)
		if (len == strlen(words[i]) && strncasecmp(value, words[i], len) == 0)
			return !but;
	return but && len > 0;
}

/* One of the words is among the header's, comma separated. */
static bool
lists(GMimeObject *message, const char *header, const char *const *words)
{
	const char *at = mail_parse_header(message, header);

	while (at != NULL && *at != '\0') {
		at += strspn(at, " \t\r\n,");
		size_t len = strcspn(at, " \t\r\n,");
		for (size_t i = 0; len > 0 && words[i] != NULL; i++)
			if (len == strlen(words[i]) && strncasecmp(at, words[i], len) == 0)
				return true;
		at += len;
	}
	return false;
}

/* A person may have written it, but nothing that is sent by itself should go back. */
static bool
wants_no_answers(GMimeObject *message)
{
	static const char *const list[] = { "list", NULL };
	static const char *const suppressed[] = { "all", "autoreply", NULL };

	return says(message, "Precedence", list, false)
	       || lists(message, "X-Auto-Response-Suppress", suppressed)
	       || mail_parse_header(message, "List-Id") != NULL
	       || mail_parse_header(message, "List-Unsubscribe") != NULL;
}

static bool
from_postmaster(const struct mail_letter *letter)
{
	static const char *const names[] = { "mailer-daemon@", "postmaster@", NULL };

	for (size_t i = 0; names[i] != NULL; i++)
		if (strncasecmp(letter->texts[MAIL_ADDRESS], names[i], strlen(names[i])) == 0)
			return true;
	return strcasecmp(letter->texts[MAIL_ADDRESS], "mailer-daemon") == 0;
}

static void
read_kind(struct mail_letter *letter, GMimeObject *message)
{
	static const char *const no[] = { "no", NULL };
	static const char *const bulk[] = { "bulk", "junk", "auto_reply", NULL };
	static const char *const yes[] = { "yes", "true", "1", NULL };
	const char *path = mail_parse_header(message, "Return-Path");
	bool no_sender = path != NULL && strncmp(path + strspn(path, " \t"), "<>", 2) == 0;
	GMimeContentType *type = g_mime_object_get_content_type(message);
	GMimeObject *body = g_mime_message_get_mime_part(GMIME_MESSAGE(message));

	if (body != NULL)
		type = g_mime_object_get_content_type(body);
	bool report = type != NULL && g_mime_content_type_is_type(type, "multipart", "report");
	const char *of = report ? g_mime_content_type_get_parameter(type, "report-type") : NULL;
	bool automatic = says(message, "Auto-Submitted", no, true)
			 || says(message, "Precedence", bulk, false)
			 || says(message, "X-Autoreply", yes, false)
			 || mail_parse_header(message, "X-Autorespond") != NULL
			 || mail_parse_header(message, "X-Turunc-Ticket") != NULL;

	if (report && (of == NULL || strcasecmp(of, "delivery-status") == 0))
		letter->kind = MAIL_OF_POSTMASTER;
	else if (report)
		letter->kind = MAIL_OF_MACHINE; /* "it was read", and complaints */
	else if (no_sender && from_postmaster(letter))
		letter->kind = MAIL_OF_POSTMASTER; /* of servers older than RFC 3464 */
	else if (no_sender || automatic || from_postmaster(letter))
		letter->kind = MAIL_OF_MACHINE;
}

void
mail_parse_head(struct mail_parse *p, GMimeMessage *message)
{
	GMimeObject *object = GMIME_OBJECT(message);

	p->letter->texts[MAIL_SUBJECT] = decoded(p, mail_parse_header(object, "Subject"));
	read_sender(p, object);
	if (p->failed)
		return;
	read_answered(p->letter, mail_parse_header(object, "In-Reply-To"));
	read_answered(p->letter, mail_parse_header(object, "References"));
	read_to(p, mail_parse_header(object, "To"));
	read_to(p, mail_parse_header(object, "Cc"));
	read_received(p->letter, object);
	read_kind(p->letter, object);
	p->letter->no_answers = wants_no_answers(object);
}
