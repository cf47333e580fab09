/* Reads the routing rules, and finds those that can never match and the subjects that never do. */
#include <stdlib.h>
#include <string.h>

#include "catalogue_parse.h"

enum { PATTERN_CODES_MAX = 200, RULE_ORDER_MAX = 1000000 };
static const char file[] = "rules.csv";

/* A rule with its line, for messages about pairs of rules. */
struct ruled {
	struct catalogue_rule rule;
	int line;
};

typedef bool known_fn(const struct catalogue *cat, const char *code);

static bool
subject_known(const struct catalogue *cat, const char *code)
{
	return catalogue_subject(cat, code) != NULL;
}

static bool
neighbourhood_known(const struct catalogue *cat, const char *code)
{
	return catalogue_neighbourhood(cat, code) != NULL;
}

static bool
channel_known(const struct catalogue *cat, const char *code)
{
	(void)cat;
	return catalogue_channel_known(code);
}

static struct catalogue_pattern
read_pattern(struct sheet *s, size_t column, const char *what, known_fn *known)
{
	struct catalogue_pattern pattern = { .any = strcmp(cell(s, column), "*") == 0 };
	const char *codes[PATTERN_CODES_MAX];
	char part[CODE_MAX + 2];

	for (const char *at = cell(s, column);
	     !pattern.any && next_part(&at, ';', part, sizeof(part));) {
		if (!known(s->p->cat, part)) {
			sheet_error(s, "unknown %s \"%.40s\"", what, part);
			continue;
		}
		if (pattern.count == PATTERN_CODES_MAX) {
			sheet_error(s, "more than %d codes in %s", PATTERN_CODES_MAX, what);
			break;
		}
		codes[pattern.count++] = parse_keep(s->p, part, strlen(part));
	}
	const char **kept = pattern.count == 0 ? NULL
					       : parse_take(s->p, pattern.count * sizeof(*kept));
	if (kept == NULL) {
		pattern.count = 0;
		return pattern;
	}
	memcpy(kept, codes, pattern.count * sizeof(*kept));
	pattern.codes = kept;
	return pattern;
}

struct catalogue_pattern
parse_subject_pattern(struct sheet *s, size_t column)
{
	return read_pattern(s, column, "subject", subject_known);
}

struct catalogue_pattern
parse_neighbourhood_pattern(struct sheet *s, size_t column)
{
	return read_pattern(s, column, "neighbourhood", neighbourhood_known);
}

/* Empty: the rule says that a person must decide. */
static const struct catalogue_department *
read_department(struct sheet *s, size_t column)
{
	const char *code = cell(s, column);

	if (code[0] == '\0')
		return NULL;
	const struct catalogue_department *d = catalogue_department(s->p->cat, code);
	if (d == NULL)
		sheet_error(s, "unknown department \"%.40s\"", code);
	else if (!d->active)
		sheet_error(s, "department \"%.40s\" is not active", code);
	return d;
}

static void
read_rule(struct parse *p, struct list *rules, struct sheet *s)
{
	enum { ORDER, SUBJECT, NEIGHBOURHOOD, CHANNEL, DEPARTMENT, PRIORITY };
	struct catalogue_rule rule = { .order = cell_int(s, ORDER, 1, RULE_ORDER_MAX),
		.subject = parse_subject_pattern(s, SUBJECT),
		.neighbourhood = parse_neighbourhood_pattern(s, NEIGHBOURHOOD),
		.channel = read_pattern(s, CHANNEL, "channel", channel_known),
		.department = read_department(s, DEPARTMENT) };

	rule.has_priority = cell(s, PRIORITY)[0] != '\0';
	if (rule.has_priority && !catalogue_priority_parse(cell(s, PRIORITY), &rule.priority))
		sheet_error(
		    s, "priority \"%.20s\" is not urgent, high, normal or low", cell(s, PRIORITY));
	for (size_t i = 0; i < rules->count; i++) {
		const struct ruled *other = list_at(rules, i);
		if (other->rule.order == rule.order)
			sheet_error(s, "order %d also in line %d", rule.order, other->line);
	}
	struct ruled *to = s->bad ? NULL : list_add(p, rules, s->file, sheet_line(s));
	if (to != NULL)
		*to = (struct ruled){ rule, sheet_line(s) };
}

static int
compare_orders(const void *a, const void *b)
{
	const struct ruled *left = a, *right = b;

	return left->rule.order - right->rule.order;
}

/* Whatever inner matches, outer matches too. */
static bool
covers(const struct catalogue_pattern *outer, const struct catalogue_pattern *inner)
{
	if (outer->any)
		return true;
	for (size_t i = 0; i < inner->count; i++) {
		if (!pattern_has(outer, inner->codes[i]))
			return false;
	}
	return !inner->any;
}

static void
warn_of_dead_rules(struct parse *p, const struct ruled *rules, size_t count)
{
	for (size_t later = 1; later < count; later++) {
		const struct catalogue_rule *b = &rules[later].rule;
		for (size_t earlier = 0; earlier < later; earlier++) {
			const struct catalogue_rule *a = &rules[earlier].rule;
			if (!covers(&a->subject, &b->subject)
			    || !covers(&a->neighbourhood, &b->neighbourhood)
			    || !covers(&a->channel, &b->channel))
				continue;
			parse_warning(p, file, rules[later].line,
			    "never reached: rule %d in line %d matches all of it", a->order,
			    rules[earlier].line);
			break;
		}
	}
}

static void
warn_of_forgotten_subjects(struct parse *p)
{
	const struct catalogue *cat = p->cat;

	for (size_t s = 0; s < cat->subject_count; s++) {
		bool matched = false;
		for (size_t r = 0; r < cat->rule_count; r++)
			matched = matched
				  || pattern_has(&cat->rules[r].subject, cat->subjects[s].code);
		if (!matched)
			parse_warning(p, file, 0,
			    "no rule for subject \"%s\": a person will have to route it",
			    cat->subjects[s].code);
	}
}

void
parse_rules(struct parse *p)
{
	static const char *const columns[] = { "order", "subject", "neighbourhood", "channel",
		"department", "priority?" };
	struct list all;
	struct sheet s;
	size_t count;

	list_init(&all, sizeof(struct ruled));
	if (!sheet_open(&s, p, file, columns, ARRAY_LEN(columns), false))
		return;
	while (sheet_next(&s))
		read_rule(p, &all, &s);
	const struct ruled *sorted = list_settle(p, &all, &count, compare_orders);
	struct catalogue_rule *rules = parse_take(p, (count + 1) * sizeof(*rules));
	if (rules == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		rules[i] = sorted[i].rule;
	p->cat->rules = rules;
	p->cat->rule_count = count;
	warn_of_dead_rules(p, sorted, count);
	/* After errors it would only repeat them. */
	if (p->report->errors == 0)
		warn_of_forgotten_subjects(p);
}
