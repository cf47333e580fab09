/* Reads how applications from CİMER are to be read: columns, kinds, units. */
#include <string.h>

#include "catalogue_parse.h"
#include "fold.h"

enum { NAME_BYTES = 160, UNIT_DIGITS = 8, REMINDER_DAYS_MAX = 29 };
static const char file[] = "cimer.csv";
static const char any[] = "*";

static const char *const fields[CIMER_FIELDS] = {
	[CIMER_REFERENCE] = "reference",
	[CIMER_DATE] = "date",
	[CIMER_KIND] = "kind",
	[CIMER_UNIT] = "unit",
	[CIMER_TEXT] = "text",
	[CIMER_NAME] = "name",
	[CIMER_PHONE] = "phone",
	[CIMER_EMAIL] = "email",
	[CIMER_ADDRESS] = "address",
	[CIMER_NEIGHBOURHOOD] = "neighbourhood",
};

enum { WHAT, NAME, VALUE };

/* Rows while the file is read. */
struct lists {
	struct list columns, kinds, subjects, units;
};

/* Folded and kept; "" with a problem when nothing is left of it. */
static const char *
read_name(struct sheet *s, bool any_allowed)
{
	const char *text = cell(s, NAME);
	char folded[NAME_BYTES];

	if (any_allowed && strcmp(text, any) == 0)
		return any;
	if (!fold_text(text, strlen(text), folded, sizeof(folded)) || folded[0] == '\0') {
		sheet_error(s, "name \"%.60s\" is empty or too long", text);
		return "";
	}
	return parse_keep(s->p, folded, strlen(folded));
}

static void *
add_row(struct sheet *s, struct list *list, const char *name)
{
	if (!s->bad && list_has_code(list, name))
		sheet_error(s, "\"%.60s\" twice", name);
	return s->bad ? NULL : list_add(s->p, list, s->file, sheet_line(s));
}

static void
read_column(struct sheet *s, struct list *list)
{
	struct catalogue_cimer_column column = { .name = read_name(s, false) };
	size_t field = 0;

	while (field < CIMER_FIELDS && strcmp(fields[field], cell(s, VALUE)) != 0)
		field++;
	if (field == CIMER_FIELDS)
		sheet_error(s, "value \"%.40s\" is no field of an application", cell(s, VALUE));
	column.field = (enum cimer_field)field;
	struct catalogue_cimer_column *to = add_row(s, list, column.name);
	if (to != NULL)
		*to = column;
}

static void
read_kind(struct sheet *s, struct list *list)
{
	struct catalogue_cimer_kind kind = { .name = read_name(s, true) };

	if (!legal_basis_parse(cell(s, VALUE), &kind.basis))
		sheet_error(s, "value \"%.20s\" is not none, 3071, 4982 or kvkk", cell(s, VALUE));
	struct catalogue_cimer_kind *to = add_row(s, list, kind.name);
	if (to != NULL)
		*to = kind;
}

static void
read_subject(struct sheet *s, struct list *list)
{
	struct catalogue_cimer_subject subject = { .kind = read_name(s, true),
		.subject = catalogue_subject(s->p->cat, cell(s, VALUE)) };

	if (subject.subject == NULL)
		sheet_error(s, "unknown subject \"%.40s\"", cell(s, VALUE));
	struct catalogue_cimer_subject *to = add_row(s, list, subject.kind);
	if (to != NULL)
		*to = subject;
}

static void
read_unit(struct sheet *s, struct list *list)
{
	const char *code = cell(s, NAME);
	struct catalogue_cimer_unit unit = { .code = parse_keep(s->p, code, strlen(code)),
		.department = catalogue_department(s->p->cat, cell(s, VALUE)) };

	if (strlen(code) != UNIT_DIGITS || strspn(code, "0123456789") != UNIT_DIGITS)
		sheet_error(s, "name \"%.40s\" is not a unit code of eight digits", code);
	if (unit.department == NULL)
		sheet_error(s, "unknown department \"%.40s\"", cell(s, VALUE));
	else if (!unit.department->active)
		sheet_error(s, "department \"%.40s\" is not active", unit.department->code);
	struct catalogue_cimer_unit *to = add_row(s, list, unit.code);
	if (to != NULL)
		*to = unit;
}

static void
read_reminder(struct sheet *s, struct catalogue_cimer *cimer)
{
	int days = cell_int(s, NAME, 1, REMINDER_DAYS_MAX);
	const struct catalogue_department *department = catalogue_department(
	    s->p->cat, cell(s, VALUE));

	if (department == NULL)
		sheet_error(s, "unknown department \"%.40s\"", cell(s, VALUE));
	else if (department->remind_count == 0 || department->email[0] == '\0')
		sheet_error(s, "department \"%.40s\" has no email or remind_at", department->code);
	if (cimer->reminded != NULL)
		sheet_error(s, "a reminder twice");
	cimer->reminder_days = days;
	cimer->reminded = department;
}

static void
read_row(struct sheet *s, struct lists *lists)
{
	const char *what = cell(s, WHAT);

	if (strcmp(what, "column") == 0)
		read_column(s, &lists->columns);
	else if (strcmp(what, "kind") == 0)
		read_kind(s, &lists->kinds);
	else if (strcmp(what, "subject") == 0)
		read_subject(s, &lists->subjects);
	else if (strcmp(what, "unit") == 0)
		read_unit(s, &lists->units);
	else if (strcmp(what, "reminder") == 0)
		read_reminder(s, &s->p->cat->cimer);
	else
		sheet_error(
		    s, "what \"%.20s\" is not column, kind, subject, unit or reminder", what);
}

static bool
has_field(const struct catalogue_cimer *cimer, enum cimer_field field)
{
	for (size_t i = 0; i < cimer->column_count; i++) {
		if (cimer->columns[i].field == field)
			return true;
	}
	return false;
}

/* What an application cannot be without. */
static void
check_whole(struct parse *p, const struct catalogue_cimer *cimer)
{
	static const enum cimer_field needed[] = { CIMER_REFERENCE, CIMER_DATE, CIMER_TEXT };

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (!has_field(cimer, needed[i]))
			parse_error(p, file, 0, "no column is the %s", fields[needed[i]]);
	}
	if (find_code(cimer->kinds, cimer->kind_count, sizeof(*cimer->kinds), any) == NULL)
		parse_error(p, file, 0, "kind,*,... is missing: the basis of all other kinds");
	if (find_code(cimer->subjects, cimer->subject_count, sizeof(*cimer->subjects), any) == NULL)
		parse_error(p, file, 0, "subject,*,... is missing: the subject of all other kinds");
}

void
parse_cimer(struct parse *p)
{
	static const char *const columns[] = { "what", "name", "value" };
	struct catalogue_cimer *cimer = &p->cat->cimer;
	struct lists lists;
	struct sheet s;

	list_init(&lists.columns, sizeof(struct catalogue_cimer_column));
	list_init(&lists.kinds, sizeof(struct catalogue_cimer_kind));
	list_init(&lists.subjects, sizeof(struct catalogue_cimer_subject));
	list_init(&lists.units, sizeof(struct catalogue_cimer_unit));
	if (!sheet_open(&s, p, file, columns, ARRAY_LEN(columns), true))
		return;
	while (sheet_next(&s))
		read_row(&s, &lists);
	cimer->columns = list_settle(p, &lists.columns, &cimer->column_count, compare_codes);
	cimer->kinds = list_settle(p, &lists.kinds, &cimer->kind_count, compare_codes);
	cimer->subjects = list_settle(p, &lists.subjects, &cimer->subject_count, compare_codes);
	cimer->units = list_settle(p, &lists.units, &cimer->unit_count, compare_codes);
	/* After errors it would only repeat them. */
	if (p->report->errors == 0)
		check_whole(p, cimer);
}

/* --- look-ups --------------------------------------------------------------------------------- */

const struct catalogue_cimer_column *
catalogue_cimer_column(const struct catalogue *cat, const char *folded)
{
	const struct catalogue_cimer *cimer = &cat->cimer;

	return find_code(cimer->columns, cimer->column_count, sizeof(*cimer->columns), folded);
}

enum legal_basis
catalogue_cimer_basis(const struct catalogue *cat, const char *kind)
{
	const struct catalogue_cimer *cimer = &cat->cimer;
	const struct catalogue_cimer_kind *found = find_code(
	    cimer->kinds, cimer->kind_count, sizeof(*cimer->kinds), kind);

	if (found == NULL)
		found = find_code(cimer->kinds, cimer->kind_count, sizeof(*cimer->kinds), any);
	return found->basis;
}

const struct catalogue_subject *
catalogue_cimer_subject(const struct catalogue *cat, const char *kind)
{
	const struct catalogue_cimer *cimer = &cat->cimer;
	const struct catalogue_cimer_subject *found = find_code(
	    cimer->subjects, cimer->subject_count, sizeof(*cimer->subjects), kind);

	if (found == NULL)
		found = find_code(
		    cimer->subjects, cimer->subject_count, sizeof(*cimer->subjects), any);
	return found->subject;
}

const struct catalogue_department *
catalogue_cimer_unit(const struct catalogue *cat, const char *code)
{
	const struct catalogue_cimer *cimer = &cat->cimer;
	const struct catalogue_cimer_unit *found = find_code(
	    cimer->units, cimer->unit_count, sizeof(*cimer->units), code);

	return found == NULL ? NULL : found->department;
}

const char *
catalogue_cimer_field_name(enum cimer_field field)
{
	return fields[field];
}
