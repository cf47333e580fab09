/* Reads neighbourhoods, and indexes the names by which people call them. */
#include <stdlib.h>
#include <string.h>

#include "catalogue_parse.h"
#include "fold.h"

enum { NAME_BYTES_MAX = 80, FOLDED_MAX = 128, POPULATION_MAX = 5000000 };

static const char tail[] = " mahallesi";

bool
place_fold(const char *text, char *out, size_t size)
{
	if (!fold_text(text, strlen(text), out, size))
		return false;
	size_t len = strlen(out), tail_len = sizeof(tail) - 1;
	if (len > tail_len && strcmp(out + len - tail_len, tail) == 0)
		out[len - tail_len] = '\0';
	return out[0] != '\0';
}

/* While reading: a name and the code of what it names (places move when they are sorted). */
struct naming {
	const char *folded;
	const char *code;
};

static void
add_name(struct parse *p, struct list *names, struct sheet *s, const char *code, const char *name)
{
	char folded[FOLDED_MAX];

	if (!place_fold(name, folded, sizeof(folded))) {
		sheet_error(s, "name \"%.60s\" has no letters, or too many", name);
		return;
	}
	for (size_t i = 0; i < names->count; i++) {
		const struct naming *n = list_at(names, i);
		if (strcmp(n->folded, folded) != 0)
			continue;
		if (strcmp(n->code, code) != 0)
			sheet_error(
			    s, "name \"%.60s\" also means neighbourhood \"%s\"", name, n->code);
		return;
	}
	struct naming *n = list_add(p, names, s->file, sheet_line(s));
	if (n != NULL) {
		n->folded = parse_keep(p, folded, strlen(folded));
		n->code = code;
	}
}

static void
read_neighbourhood(struct parse *p, struct list *all, struct list *names, struct sheet *s)
{
	enum { CODE_, NAME, POPULATION, LATITUDE, LONGITUDE, ALIASES };
	const struct catalogue_municipality *m = &p->cat->municipality;
	char alias[NAME_BYTES_MAX];
	struct catalogue_neighbourhood n = { .code = cell_code(s, CODE_),
		.name = cell_required(s, NAME, NAME_BYTES_MAX),
		.population = cell_int(s, POPULATION, 0, POPULATION_MAX),
		.latitude = cell_number(s, LATITUDE, -90, 90),
		.longitude = cell_number(s, LONGITUDE, -180, 180) };

	if (!s->bad
	    && (n.latitude < m->min_lat || n.latitude > m->max_lat || n.longitude < m->min_long
		|| n.longitude > m->max_long))
		sheet_error(s, "its centre lies outside the municipality's bounds");
	if (list_has_code(all, n.code))
		sheet_error(s, "neighbourhood \"%s\" twice", n.code);
	if (!s->bad)
		add_name(p, names, s, n.code, n.name);
	for (const char *at = cell(s, ALIASES);
	     !s->bad && next_part(&at, ';', alias, sizeof(alias));) {
		if (alias[0] != '\0')
			add_name(p, names, s, n.code, alias);
	}
	struct catalogue_neighbourhood *to = s->bad ? NULL
						    : list_add(p, all, s->file, sheet_line(s));
	if (to != NULL)
		*to = n;
}

static void
settle_names(struct parse *p, struct list *names)
{
	struct catalogue *cat = p->cat;
	size_t count;
	const struct naming *sorted = list_settle(p, names, &count, compare_codes);
	struct place_name *kept = parse_take(p, (count + 1) * sizeof(*kept));

	if (kept == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct catalogue_neighbourhood *n = catalogue_neighbourhood(
		    cat, sorted[i].code);
		if (n == NULL)
			continue; /* its row had a problem */
		kept[cat->hidden->name_count++] = (struct place_name){ sorted[i].folded,
			(size_t)(n - cat->neighbourhoods) };
	}
	cat->hidden->names = kept;
}

void
parse_neighbourhoods(struct parse *p)
{
	static const char *const columns[] = { "code", "name", "population", "latitude",
		"longitude", "aliases?" };
	struct list all, names;
	struct sheet s;

	list_init(&all, sizeof(struct catalogue_neighbourhood));
	list_init(&names, sizeof(struct naming));
	if (!sheet_open(&s, p, "neighbourhoods.csv", columns, ARRAY_LEN(columns), false))
		return;
	while (sheet_next(&s))
		read_neighbourhood(p, &all, &names, &s);
	if (all.count == 0)
		parse_error(p, s.file, 0, "there is no neighbourhood");
	p->cat->neighbourhoods = list_settle(p, &all, &p->cat->neighbourhood_count, compare_codes);
	settle_names(p, &names);
}
