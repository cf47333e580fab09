/* Checks of single fields: texts, addresses, numbers, places. */
#include "fields.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { STATUS_BAD = 400, EMAIL_LOCAL_BYTES = 64, LABEL_BYTES = 63, PLACE_BYTES = 160 };

bool
field_check_text(
    struct problems *p, const char *field, const char *text, enum field_kind kind, size_t max_chars)
{
	if (text == NULL)
		return true;
	if (strlen(text) > max_chars && utf8_count(text) > max_chars) {
		problems_add(p, STATUS_BAD, "%s: longer than %zu characters", field, max_chars);
		return false;
	}
	if (utf8_has_control(text, kind == FIELD_LINES)) {
		problems_add(p, STATUS_BAD, "%s: holds a control character", field);
		return false;
	}
	return true;
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Two labels or more; letters of other scripts may stand in them as UTF-8. */
static bool
domain_valid(const char *domain)
{
	size_t labels = 0;

	for (;;) {
		size_t len = strcspn(domain, ".");
		if (len == 0 || len > LABEL_BYTES || domain[0] == '-' || domain[len - 1] == '-')
			return false;
		for (size_t i = 0; i < len; i++)
			if (!is_alnum(domain[i]) && domain[i] != '-')
				return false;
		labels++;
		if (domain[len] == '\0')
			return labels >= 2;
		domain += len + 1;
	}
}

bool
field_email_valid(const char *text)
{
	static const char specials[] = "!#$%&'*+/=?^_`{|}~-.";
	const char *at = strrchr(text, '@');

	if (at == NULL || at == text || at - text > EMAIL_LOCAL_BYTES
	    || strlen(text) > FIELD_EMAIL_BYTES)
		return false;
	for (const char *c = text; c < at; c++) {
		bool dot_misplaced = *c == '.' && (c == text || c + 1 == at || c[1] == '.');
		bool fit = is_alnum(*c) || strchr(specials, *c) != NULL;
		if (!fit || dot_misplaced)
			return false;
	}
	return domain_valid(at + 1);
}

bool
field_check_email(struct problems *p, const char *field, const char *text)
{
	if (text == NULL || field_email_valid(text))
		return true;
	problems_add(p, STATUS_BAD, "%s: not an e-mail address", field);
	return false;
}

bool
field_check_phone(struct problems *p, const char *field, const char *text, struct phone *ret_phone)
{
	if (text == NULL)
		return true;
	enum phone_status status = phone_parse(text, ret_phone);
	if (status == PHONE_OK)
		return true;
	problems_add(p, STATUS_BAD, "%s: %s", field, phone_status_reason(status));
	return false;
}

bool
field_check_url(struct problems *p, const char *field, const char *text)
{
	if (text == NULL)
		return true;
	const char *rest = strncmp(text, "https://", 8) == 0  ? text + 8
			   : strncmp(text, "http://", 7) == 0 ? text + 7
							      : NULL;
	bool fit = rest != NULL && is_alnum(rest[0]) && strpbrk(rest, " \"<>\\^`{|}") == NULL;
	if (!fit)
		problems_add(p, STATUS_BAD, "%s: not an http or https address", field);
	return fit && field_check_text(p, field, text, FIELD_LINE, FIELD_URL_CHARS);
}

bool
field_check_number(struct problems *p, const char *field, const char *text, double min, double max,
    double *ret_value)
{
	char *end = NULL;

	errno = 0;
	bool decimal = text[0] != '\0' && strspn(text, "+-0123456789.eE") == strlen(text);
	double value = decimal ? strtod(text, &end) : 0;
	if (!decimal || *end != '\0' || errno != 0 || !isfinite(value)) {
		problems_add(p, STATUS_BAD, "%s: not a decimal number", field);
		return false;
	}
	if (value < min || value > max) {
		problems_add(p, STATUS_BAD, "%s: must be from %g to %g", field, min, max);
		return false;
	}
	*ret_value = value;
	return true;
}

bool
field_check_position(struct problems *p, double latitude, double longitude)
{
	bool fit = isfinite(latitude) && isfinite(longitude) && fabs(latitude) <= 90
		   && fabs(longitude) <= 180;
	if (!fit)
		problems_add(p, STATUS_BAD,
		    "position: latitude must be from -90 to 90, longitude from -180 to 180");
	return fit;
}

/* The words of part up to one that begins with "mah" or "mh", that is, a neighbourhood's name;
 * "" when there is none. */
static void
cut_after_mahalle(const char *part, size_t len, char out[PLACE_BYTES])
{
	out[0] = '\0';
	for (size_t i = 0; i < len; i++) {
		bool begins = i > 0 && part[i - 1] == ' ' && (part[i] == 'm' || part[i] == 'M');
		if (!begins)
			continue;
		bool mah = i + 2 < len && (part[i + 1] == 'a' || part[i + 1] == 'A')
			   && (part[i + 2] == 'h' || part[i + 2] == 'H');
		bool mh = i + 1 < len && (part[i + 1] == 'h' || part[i + 1] == 'H');
		if ((mah || mh) && i < PLACE_BYTES) {
			memcpy(out, part, i);
			out[i] = '\0';
			return;
		}
	}
}

const char *
field_neighbourhood_of_address(const struct catalogue *cat, const char *address)
{
	while (*address != '\0') {
		char name[PLACE_BYTES];
		const struct catalogue_neighbourhood *found = NULL;
		address += strspn(address, ", \t\r\n;/");
		size_t len = strcspn(address, ",;/\n");
		cut_after_mahalle(address, len, name);
		if (name[0] == '\0' && len > 0 && len < sizeof(name)) {
			memcpy(name, address, len);
			name[len] = '\0';
		}
		if (name[0] != '\0')
			found = catalogue_neighbourhood_named(cat, name);
		if (found != NULL)
			return found->code;
		address += len;
	}
	return "";
}

const char *
field_neighbourhood_of_position(const struct catalogue *cat, double latitude, double longitude)
{
	const struct catalogue_neighbourhood *found = catalogue_neighbourhood_nearest(
	    cat, latitude, longitude, NULL);
	return found == NULL ? "" : found->code;
}
