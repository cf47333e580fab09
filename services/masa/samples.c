/* Prometheus text: lines of a name, labels and a number. */
#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BOUNDS_MAX = 64 };

/* Into the copy of the text; labels are what is between the braces, "" without. */
struct sample {
	const char *name;
	const char *labels;
	double value;
};

struct samples {
	char *text;
	struct sample *rows;
	size_t count;
};

/* Where the labels end: the brace that is in no value.  NULL: nowhere. */
static char *
end_of_labels(char *from)
{
	bool quoted = false;

	for (; *from != '\0'; from++) {
		if (*from == '\\' && quoted && from[1] != '\0')
			from++;
		else if (*from == '"')
			quoted = !quoted;
		else if (*from == '}' && !quoted)
			return from;
	}
	return NULL;
}

/* Takes a line apart where it stands.  False: it is no sample. */
static bool
parse_line(char *line, struct sample *ret)
{
	char *end = line + strcspn(line, "{ ");

	if (line[0] == '#' || end == line || *end == '\0')
		return false;
	ret->name = line;
	ret->labels = "";
	if (*end == '{') {
		*end++ = '\0';
		ret->labels = end;
		end = end_of_labels(end);
		if (end == NULL || end[1] != ' ')
			return false;
	}
	*end++ = '\0';
	end += *end == ' ';
	char *after;
	ret->value = strtod(end, &after);
	return after != end && (*after == '\0' || *after == ' ');
}

struct samples *
samples_parse(const char *text, size_t len)
{
	struct samples *s = calloc(1, sizeof(*s));
	size_t lines = 0;

	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	if (lines > SAMPLES_MAX)
		lines = SAMPLES_MAX;
	s->text = malloc(len + 1);
	s->rows = calloc(lines + 1, sizeof(s->rows[0]));
	if (s->text == NULL || s->rows == NULL) {
		samples_destroy(s);
		return NULL;
	}
	/* What is no text reads as its first part. */
	memcpy(s->text, text, len);
	s->text[len] = '\0';
	char *line = s->text;
	for (size_t n = 0; n < lines; n++) {
		char *next = memchr(line, '\n', len - (size_t)(line - s->text));
		*next = '\0';
		if (parse_line(line, &s->rows[s->count]))
			s->count++;
		line = next + 1;
	}
	return s;
}

void
samples_destroy(struct samples *s)
{
	if (s == NULL)
		return;
	free(s->rows);
	free(s->text);
	free(s);
}

size_t
samples_count(const struct samples *s)
{
	return s->count;
}

/* `labels` holds that label, from its name on. */
static const char *
find_label(const char *labels, const char *label)
{
	for (const char *at = strstr(labels, label); at != NULL; at = strstr(at + 1, label))
		if (at == labels || at[-1] == ',')
			return at;
	return NULL;
}

bool
samples_sum(const struct samples *s, const char *name, const char *label, double *ret_sum)
{
	double sum = 0;
	bool found = false;

	for (size_t i = 0; s != NULL && i < s->count; i++) {
		if (strcmp(s->rows[i].name, name) != 0
		    || (label != NULL && find_label(s->rows[i].labels, label) == NULL))
			continue;
		sum += s->rows[i].value;
		found = true;
	}
	if (found)
		*ret_sum = sum;
	return found;
}

/* --- histograms ---------------------------------------------------------------------- */

struct buckets {
	double bounds[BOUNDS_MAX]; /* rising */
	double counts[BOUNDS_MAX]; /* at most the bound, over all labels */
	size_t count;
};

static bool
is_bucket_of(const char *sample, const char *name)
{
	size_t len = strlen(name);

	return strncmp(sample, name, len) == 0 && strcmp(sample + len, "_bucket") == 0;
}

/* False: there is no room for another bound. */
static bool
add_to_bucket(struct buckets *b, double bound, double count)
{
	size_t at = 0;

	while (at < b->count && b->bounds[at] < bound)
		at++;
	if (at == b->count || b->bounds[at] > bound) {
		if (b->count == BOUNDS_MAX)
			return false;
		memmove(b->bounds + at + 1, b->bounds + at, (b->count - at) * sizeof(b->bounds[0]));
		memmove(b->counts + at + 1, b->counts + at, (b->count - at) * sizeof(b->counts[0]));
		b->bounds[at] = bound;
		b->counts[at] = 0;
		b->count++;
	}
	b->counts[at] += count;
	return true;
}

static bool
read_buckets(
    const struct samples *s, const char *name, const char *label, double sign, struct buckets *b)
{
	for (size_t i = 0; s != NULL && i < s->count; i++) {
		const char *le;
		if (!is_bucket_of(s->rows[i].name, name)
		    || (label != NULL && find_label(s->rows[i].labels, label) == NULL)
		    || (le = find_label(s->rows[i].labels, "le=\"")) == NULL)
			continue;
		double bound = strtod(le + 4, NULL); /* takes "+Inf" */
		if (isnan(bound) || !add_to_bucket(b, bound, sign * s->rows[i].value))
			return false;
	}
	return true;
}

bool
samples_quantile(const struct samples *later, const struct samples *earlier, const char *name,
    const char *label, double quantile, double *ret_value)
{
	struct buckets b = { .count = 0 };

	if (!read_buckets(later, name, label, 1, &b) || !read_buckets(earlier, name, label, -1, &b)
	    || b.count == 0 || !isinf(b.bounds[b.count - 1]))
		return false;
	double all = b.counts[b.count - 1];
	/* Counters that fell are those of a process that began anew. */
	if (!(all > 0) || b.counts[0] < 0)
		return false;
	for (size_t i = 0; i < b.count; i++) {
		if (b.counts[i] < quantile * all)
			continue;
		*ret_value = b.bounds[i];
		return true;
	}
	return false;
}
