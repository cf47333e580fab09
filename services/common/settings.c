/* Fills a config struct from the environment by a table, and prints and frees it by the same. */
#include "settings.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "setting_value.h"

enum { NAME_SIZE = 128 };

extern char **environ;

static void *
member_of(void *config, const struct setting *s)
{
	return (char *)config + s->offset;
}

/* NULL, with a reason, or the file's content, which the caller owns. */
static char *
read_secret(const char *path, size_t max_bytes, const char **ret_why)
{
	struct stat st;
	char *text = NULL;

	/* Not blocking: somebody might name a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, &st) == -1) {
		*ret_why = strerror(errno);
		goto out;
	}
	*ret_why = !S_ISREG(st.st_mode)                 ? "not a file"
		   : (st.st_mode & S_IWOTH)             ? "everybody may write to it"
		   : (size_t)st.st_size > max_bytes + 2 ? "too long"
							: NULL;
	if (*ret_why != NULL)
		goto out;
	size_t size = (size_t)st.st_size;
	text = calloc(1, size + 1);
	if (text == NULL || read(fd, text, size) != st.st_size || strlen(text) != size) {
		*ret_why = text == NULL ? "out of memory" : "cannot be read, or holds a NUL";
		free(text);
		text = NULL;
		goto out;
	}
	if (size > 0 && text[size - 1] == '\n')
		text[--size] = '\0';
	if (size > 0 && text[size - 1] == '\r')
		text[--size] = '\0';
out:
	if (fd != -1)
		close(fd);
	return text;
}

/* The setting's secret is in a file whose name is in NAME_FILE. */
static bool
load_secret(void *config, const struct setting *s, FILE *complaints)
{
	char file_name[NAME_SIZE], why[SETTING_WHY_SIZE];
	const char *reason = NULL;

	snprintf(file_name, sizeof(file_name), "%s_FILE", s->name);
	const char *path = getenv(file_name);
	if (getenv(s->name) != NULL) {
		fprintf(complaints,
		    "%s: a secret is not taken from the environment: put it in a file"
		    " and name that by %s\n",
		    s->name, file_name);
		return false;
	}
	if (path == NULL && s->standard == NULL) {
		fprintf(complaints, "%s: must be given (%s)\n", file_name, s->help);
		return false;
	}
	if (path == NULL)
		return setting_parse(s, s->standard, member_of(config, s), why);

	size_t max = s->max > 0 ? (size_t)s->max : SETTING_TEXT_MAX;
	char *secret = read_secret(path, max, &reason);
	if (secret == NULL) {
		fprintf(complaints, "%s: %s: %s\n", file_name, log_quoted(path), reason);
		return false;
	}
	bool fits = secret[0] != '\0' && setting_parse(s, secret, member_of(config, s), why);
	if (!fits)
		fprintf(complaints, "%s: %s is %s: want a %s\n", file_name, log_quoted(path),
		    secret[0] == '\0' ? "empty" : "not as it should be",
		    secret[0] == '\0' ? "secret" : why);
	explicit_bzero(secret, strlen(secret));
	free(secret);
	return fits;
}

static bool
load_one(void *config, const struct setting *s, FILE *complaints)
{
	char why[SETTING_WHY_SIZE];
	const char *text = getenv(s->name);

	if (s->type == SETTING_SECRET)
		return load_secret(config, s, complaints);
	if (text == NULL && s->standard == NULL) {
		fprintf(complaints, "%s: must be given (%s)\n", s->name, s->help);
		return false;
	}
	if (setting_parse(s, text != NULL ? text : s->standard, member_of(config, s), why))
		return true;
	fprintf(complaints, "%s: %s: want %s\n", s->name,
	    log_quoted(text != NULL ? text : s->standard), why);
	return false;
}

static bool
name_known(const struct setting *table, size_t count, const char *name, size_t len)
{
	static const char suffix[] = "_FILE";

	for (size_t i = 0; i < count; i++) {
		size_t own = strlen(table[i].name);
		const char *rest = table[i].type == SETTING_SECRET ? suffix : "";
		if (len >= own && memcmp(name, table[i].name, own) == 0
		    && (len == own
			|| (len == own + strlen(rest)
			    && memcmp(name + own, rest, strlen(rest)) == 0)))
			return true;
	}
	return false;
}

/* Whatever begins like our own names must be one of them. */
static bool
find_unknown(const struct setting *table, size_t count, const char *service, FILE *complaints)
{
	char prefix[NAME_SIZE];
	bool all_known = true;

	int len = snprintf(prefix, sizeof(prefix), "TURUNC_%s_", service);
	assert(len > 0 && len < (int)sizeof(prefix));
	for (char *p = prefix; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');

	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		const char *equals = strchr(*entry, '=');
		if (equals == NULL || strncmp(*entry, prefix, (size_t)len) != 0)
			continue;
		size_t name_len = (size_t)(equals - *entry);
		if (name_known(table, count, *entry, name_len))
			continue;
		all_known = false;
		fprintf(complaints, "%.*s: there is no such setting\n", (int)name_len, *entry);
	}
	return all_known;
}

bool
settings_load(
    void *config, const struct setting *table, size_t count, const char *service, FILE *complaints)
{
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		assert(strncmp(table[i].name, "TURUNC_", 7) == 0 && table[i].help != NULL);
		if (!load_one(config, &table[i], complaints))
			good = false;
	}
	if (!find_unknown(table, count, service, complaints))
		good = false;
	return good;
}

static const char *
origin_of(const struct setting *s)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s%s", s->name, s->type == SETTING_SECRET ? "_FILE" : "");
	return getenv(name) != NULL ? "set" : "default";
}

void
settings_print(const void *config, const struct setting *table, size_t count, FILE *out)
{
	char shown[SETTING_SHOWN_SIZE];

	for (size_t i = 0; i < count; i++) {
		setting_format(&table[i], (const char *)config + table[i].offset, shown);
		fprintf(out, "%s=%s  # %s\n", table[i].name, shown, origin_of(&table[i]));
	}
}

void
settings_describe(const struct setting *table, size_t count, FILE *out)
{
	char expected[SETTING_WHY_SIZE];

	for (size_t i = 0; i < count; i++) {
		const struct setting *s = &table[i];
		setting_expected(s, expected, sizeof(expected));
		fprintf(out, "  %s%s\n      %s\n      %s; %s%s\n", s->name,
		    s->type == SETTING_SECRET ? "_FILE" : "", s->help, expected,
		    s->standard == NULL      ? "must be given"
		    : s->standard[0] == '\0' ? "none by default"
					     : "default ",
		    s->standard == NULL ? "" : s->standard);
	}
}

void
settings_free(void *config, const struct setting *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!setting_is_string(&table[i]))
			continue;
		char **text = member_of(config, &table[i]);
		if (*text != NULL && table[i].type == SETTING_SECRET)
			explicit_bzero(*text, strlen(*text));
		free(*text);
		*text = NULL;
	}
}
