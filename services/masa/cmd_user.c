/* masa user: who works with the system, with which rights; their passwords. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "catalogue.h"
#include "clock.h"
#include "masa.h"
#include "passwords.h"
#include "people.h"
#include "people_parse.h"
#include "typed.h"
#include "utf8.h"

static enum exit_code user_add(struct masa *m, int argc, char **argv);
static enum exit_code user_list(struct masa *m, int argc, char **argv);
static enum exit_code user_set(struct masa *m, int argc, char **argv);
static enum exit_code user_disable(struct masa *m, int argc, char **argv);
static enum exit_code user_password(struct masa *m, int argc, char **argv);
static enum exit_code user_unlock(struct masa *m, int argc, char **argv);

const struct command user_commands[] = {
	{ "user", "add",
	    "NAME --shown-as TEXT --roles R,.. [--departments D,..] [--generate | --stdin]",
	    "somebody who signs in; roles: viewer call-taker clerk operator administrator; the "
	    "password is asked for, made and shown once, or read from standard input",
	    user_add },
	{ "user", "list", "", "everybody who signs in, with their rights", user_list },
	{ "user", "set", "NAME [--shown-as TEXT] [--roles R,..] [--departments D,..] [--enable]",
	    "change how they are shown and what they may do; --enable lets a disabled one in again",
	    user_set },
	{ "user", "disable", "NAME", "end their sessions and let them in no more", user_disable },
	{ "user", "password", "NAME [--generate | --stdin]",
	    "give them a new password and end their sessions", user_password },
	{ "user", "unlock", "NAME | --address A",
	    "forget the wrong passwords that were tried of them, or from there", user_unlock },
	{ 0 },
};

/* --- what was typed ----------------------------------------------------------------------------
 */

/* "a,b" -> bits; 0: not roles. */
static unsigned
roles_of(const char *list)
{
	unsigned roles = 0;

	while (*list != '\0') {
		size_t len = strcspn(list, ","), i = 0;
		while (i < PEOPLE_ROLES
		       && (strlen(people_role_names[i]) != len
			   || strncmp(people_role_names[i], list, len) != 0))
			i++;
		if (i == PEOPLE_ROLES)
			return 0;
		roles |= 1U << i;
		list += len + (list[len] == ',' && list[len + 1] != '\0');
	}
	return roles;
}

static enum exit_code
check_shown(const char *shown)
{
	size_t len = strlen(shown);

	if (len == 0 || len > PEOPLE_SHOWN_BYTES || !utf8_valid(shown, len)
	    || utf8_has_control(shown, false))
		return masa_fail(MASA_USAGE,
		    "--shown-as is a name as people read it, 1 to %d bytes", PEOPLE_SHOWN_BYTES);
	return MASA_OK;
}

static enum exit_code
check_roles(const char *roles)
{
	if (roles_of(roles) == 0)
		return masa_fail(MASA_USAGE,
		    "--roles is a list of viewer, call-taker, clerk, operator, administrator");
	return MASA_OK;
}

static enum exit_code
check_each_department(const struct catalogue *catalogue, const char *list)
{
	char code[128];
	size_t count = 0;

	for (; *list != '\0'; count++) {
		size_t len = strcspn(list, ",");
		if (snprintf(code, sizeof(code), "%.*s", (int)len, list) >= (int)sizeof(code)
		    || (catalogue != NULL && catalogue_department(catalogue, code) == NULL)
		    || len == 0)
			return masa_fail(MASA_NOT_FOUND, "there is no department %s", code);
		if (list[len] == ',' && list[len + 1] == '\0')
			return masa_fail(MASA_USAGE, "--departments ends with a comma");
		list += len + (list[len] == ',');
	}
	if (count > PEOPLE_DEPARTMENTS_MAX)
		return masa_fail(
		    MASA_USAGE, "--departments are at most %d", PEOPLE_DEPARTMENTS_MAX);
	return MASA_OK;
}

/* They must be in the configuration in force, when there is one. */
static enum exit_code
check_departments(struct masa *m, const char *list)
{
	struct bundle bundle;
	char version[24];
	struct catalogue *catalogue = NULL;
	struct catalogue_report *report = calloc(1, sizeof(*report));

	bundle_init(&bundle);
	enum exit_code code = report == NULL
				  ? masa_fail(MASA_FAILED, "out of memory")
				  : masa_load_active(m, &bundle, version, sizeof(version));
	if (code == MASA_OK && version[0] != '\0')
		catalogue = catalogue_parse(&bundle, report);
	if (code == MASA_OK)
		code = check_each_department(catalogue, list);
	catalogue_destroy(catalogue);
	bundle_finish(&bundle);
	free(report);
	return code;
}

static enum exit_code
check_name(const char *name)
{
	if (!people_name_valid(name))
		return masa_fail(MASA_USAGE,
		    "%s: a name is 1 to %d of a-z 0-9 . _ - and begins with a letter or digit",
		    name, PEOPLE_NAME_BYTES);
	return MASA_OK;
}

/* --- the transaction ---------------------------------------------------------------------------
 */

/* The change's row in turunc.person_act, added to what is printed. */
static enum exit_code
note_act(struct masa *m, json_t *said, const char *kind, const char *name, const char *detail)
{
	char now_text[24];
	PGresult *result;

	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_real_us());
	const char *values[] = { now_text, kind, name, m->actor, detail };
	enum exit_code code = masa_query(m,
	    "INSERT INTO turunc.person_act (at_us, kind, name, actor, detail) VALUES ($1::bigint, "
	    "$2, $3, $4, $5) RETURNING act_no",
	    (int)ARRAY_LEN(values), values, &result);
	if (code != MASA_OK)
		return code;
	if (!m->dry_run)
		json_object_set_new(
		    said, "audit", json_integer(strtoll(PQgetvalue(result, 0, 0), NULL, 10)));
	PQclear(result);
	return MASA_OK;
}

static json_t *
said_of(const struct masa *m, const char *name)
{
	return json_pack("{s:s,s:b}", "name", name, "dry_run", m->dry_run);
}

/* Runs one statement that must concern the person of values[0]. */
static enum exit_code
change_person(struct masa *m, const char *sql, int count, const char *const *values)
{
	PGresult *result;
	enum exit_code code = masa_query(m, sql, count, values, &result);

	if (code != MASA_OK)
		return code;
	bool found = strcmp(PQcmdTuples(result), "0") != 0;
	PQclear(result);
	return found ? MASA_OK : masa_fail(MASA_NOT_FOUND, "there is no user %s", values[0]);
}

static enum exit_code
end_sessions(struct masa *m, const char *name, json_t *said)
{
	PGresult *result;
	const char *values[] = { name };
	enum exit_code code = masa_query(m,
	    "DELETE FROM turunc.person_session WHERE name = $1 AND until_us > 0", 1, values,
	    &result);

	if (code != MASA_OK)
		return code;
	json_object_set_new(
	    said, "sessions_ended", json_integer(strtoll(PQcmdTuples(result), NULL, 10)));
	PQclear(result);
	return MASA_OK;
}

/* --- add, password ------------------------------------------------------------------------------
 */

struct secret {
	bool generate, from_stdin;
	char password[PASSWORD_MAX + 2];
	char hash[PASSWORD_HASH_SIZE];
};

static enum exit_code
take_password(struct secret *s, const char *name)
{
	static const char *const faults[PASSWORD_FAULTS] = {
		[PASSWORD_NO_TEXT] = "it has control characters or is not UTF-8",
		[PASSWORD_SHORT] = "it has at least 12 characters",
		[PASSWORD_LONG] = "it has at most 256 bytes",
		[PASSWORD_LIKE_NAME] = "it is too much like the name",
		[PASSWORD_ONE_LETTER] = "it is one character many times",
	};
	enum exit_code code = MASA_OK;

	if (s->generate && s->from_stdin)
		return masa_fail(MASA_USAGE, "--generate or --stdin, not both");
	if (s->generate)
		password_make(s->password);
	else
		code = typed_secret(s->from_stdin, s->password, sizeof(s->password));
	if (code != MASA_OK)
		return code;
	enum password_fault fault = password_judge(name, s->password);
	if (fault != PASSWORD_FINE)
		return masa_fail(MASA_USAGE, "the password: %s", faults[fault]);
	return password_hash(s->password, s->hash) ? MASA_OK
						   : masa_fail(MASA_FAILED, "out of memory");
}

static enum exit_code
finish_with_password(struct masa *m, enum exit_code code, struct secret *s, json_t *said)
{
	if (code == MASA_OK && s->generate && !m->dry_run)
		json_object_set_new(said, "password", json_string(s->password));
	sodium_memzero(s, sizeof(*s));
	return masa_finish_change(m, code, said);
}

static enum exit_code
insert_person(struct masa *m, const char *name, const char *shown, const char *roles,
    const char *departments, const struct secret *s)
{
	char now_text[24], roles_text[8];
	const char *values[] = { name, shown, roles_text, departments, s->hash, now_text };
	PGresult *known;

	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_real_us());
	snprintf(roles_text, sizeof(roles_text), "%u", roles_of(roles));
	enum exit_code code = masa_query(
	    m, "SELECT FROM turunc.person WHERE name = $1", 1, values, &known);
	if (code != MASA_OK)
		return code;
	bool taken = PQntuples(known) > 0;
	PQclear(known);
	if (taken)
		return masa_fail(
		    MASA_CONFLICT, "there is a user %s already; names are not used twice", name);
	code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code == MASA_OK)
		code = masa_query(m,
		    "INSERT INTO turunc.person (name, shown_as, roles, departments, password_hash, "
		    "password_us, created_us) VALUES ($1, $2, $3::smallint, string_to_array($4, "
		    "','), $5, $6::bigint, $6::bigint)",
		    (int)ARRAY_LEN(values), values, NULL);
	return code;
}

static enum exit_code
user_add(struct masa *m, int argc, char **argv)
{
	const char *shown = NULL, *roles = NULL, *departments = "";
	struct secret s = { 0 };
	const struct option_spec specs[] = { { "shown-as", &shown, NULL },
		{ "roles", &roles, NULL }, { "departments", &departments, NULL },
		{ "generate", NULL, &s.generate }, { "stdin", NULL, &s.from_stdin } };
	int positional;
	char detail[256];

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code != MASA_OK)
		return code;
	if (shown == NULL || roles == NULL)
		return masa_fail(MASA_USAGE, "--shown-as and --roles say who it is");
	if ((roles_of(roles) & PEOPLE_CLERK) != 0 && departments[0] == '\0')
		return masa_fail(MASA_USAGE, "a clerk has --departments");
	if ((code = check_name(argv[0])) != MASA_OK || (code = check_shown(shown)) != MASA_OK
	    || (code = check_roles(roles)) != MASA_OK
	    || (code = check_departments(m, departments)) != MASA_OK
	    || (code = take_password(&s, argv[0])) != MASA_OK) {
		sodium_memzero(&s, sizeof(s));
		return code;
	}
	json_t *said = said_of(m, argv[0]);
	snprintf(detail, sizeof(detail), "roles=%s departments=%.150s", roles, departments);
	code = insert_person(m, argv[0], shown, roles, departments, &s);
	if (code == MASA_OK)
		code = note_act(m, said, "added", argv[0], detail);
	return finish_with_password(m, code, &s, said);
}

static enum exit_code
user_password(struct masa *m, int argc, char **argv)
{
	struct secret s = { 0 };
	const struct option_spec specs[] = { { "generate", NULL, &s.generate },
		{ "stdin", NULL, &s.from_stdin } };
	char now_text[24];
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code == MASA_OK)
		code = check_name(argv[0]);
	if (code == MASA_OK)
		code = take_password(&s, argv[0]);
	if (code != MASA_OK) {
		sodium_memzero(&s, sizeof(s));
		return code;
	}
	json_t *said = said_of(m, argv[0]);
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_real_us());
	const char *values[] = { argv[0], s.hash, now_text };
	code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code == MASA_OK)
		code = change_person(m,
		    "UPDATE turunc.person SET password_hash = $2, password_us = $3::bigint WHERE "
		    "name = $1",
		    (int)ARRAY_LEN(values), values);
	if (code == MASA_OK)
		code = end_sessions(m, argv[0], said);
	if (code == MASA_OK)
		code = note_act(m, said, "password-set", argv[0], "");
	return finish_with_password(m, code, &s, said);
}

/* --- list, set, disable, unlock -----------------------------------------------------------------
 */

static enum exit_code
user_list(struct masa *m, int argc, char **argv)
{
	int positional;
	char now_text[24];
	const char *values[] = { now_text };

	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_real_us());
	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 0, 0, &positional);
	if (code == MASA_OK)
		code = masa_show(m,
		    "SELECT p.name, p.shown_as, (SELECT string_agg(r.name, ',' ORDER BY r.bit) "
		    "FROM "
		    "unnest(ARRAY['viewer','call-taker','clerk','operator','administrator']) WITH "
		    "ORDINALITY AS r (name, bit) WHERE p.roles & (1 << (r.bit - 1)::integer) <> 0) "
		    "AS roles, array_to_string(p.departments, ',') AS departments, (SELECT "
		    "count(*) "
		    "FROM turunc.person_session s WHERE s.name = p.name AND s.until_us > "
		    "$1::bigint) AS sessions, (SELECT max(a.at_us) FROM turunc.person_act a WHERE "
		    "a.name = p.name AND a.kind = 'signed-in') AS last_sign_in_us, "
		    "(SELECT max(t.locked_until_us) FROM turunc.person_attempt t WHERE "
		    "t.kind = 2 AND t.key = p.name AND t.locked_until_us > $1::bigint) AS "
		    "locked_until_us, p.password_us, p.created_us, p.disabled_us "
		    "FROM turunc.person p ORDER BY p.name",
		    1, values);
	return code;
}

/* What was changed must make sense with what was not. */
static enum exit_code
check_clerk(struct masa *m, const char *name)
{
	PGresult *result;
	enum exit_code code = masa_query(m,
	    "SELECT FROM turunc.person WHERE name = $1 AND roles & 4 <> 0 "
	    "AND cardinality(departments) = 0",
	    1, &name, &result);

	if (code != MASA_OK)
		return code;
	bool homeless = PQntuples(result) > 0;
	PQclear(result);
	return homeless ? masa_fail(MASA_USAGE, "a clerk has --departments") : MASA_OK;
}

static enum exit_code
user_set(struct masa *m, int argc, char **argv)
{
	const char *shown = NULL, *roles = NULL, *departments = NULL;
	bool enable = false;
	const struct option_spec specs[] = { { "shown-as", &shown, NULL },
		{ "roles", &roles, NULL }, { "departments", &departments, NULL },
		{ "enable", NULL, &enable } };
	char roles_text[8] = "", detail[256];
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code != MASA_OK)
		return code;
	if (shown == NULL && roles == NULL && departments == NULL && !enable)
		return masa_fail(MASA_USAGE, "nothing to change; see masa --help");
	if ((code = check_name(argv[0])) != MASA_OK
	    || (shown != NULL && (code = check_shown(shown)) != MASA_OK)
	    || (roles != NULL && (code = check_roles(roles)) != MASA_OK)
	    || (departments != NULL && (code = check_departments(m, departments)) != MASA_OK))
		return code;
	if (roles != NULL)
		snprintf(roles_text, sizeof(roles_text), "%u", roles_of(roles));
	const char *values[] = { argv[0], shown, roles == NULL ? NULL : roles_text, departments,
		enable ? "true" : "false" };
	json_t *said = said_of(m, argv[0]);
	snprintf(detail, sizeof(detail), "%s%s%s%.150s%s%s",
	    roles == NULL ? "" : "roles=", roles == NULL ? "" : roles,
	    departments == NULL ? "" : " departments=", departments == NULL ? "" : departments,
	    shown == NULL ? "" : " shown_as", enable ? " enabled" : "");
	code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code == MASA_OK)
		code = change_person(m,
		    "UPDATE turunc.person SET shown_as = coalesce($2, shown_as), roles = "
		    "coalesce($3::smallint, roles), departments = coalesce(string_to_array($4, "
		    "','), "
		    "departments), disabled_us = CASE WHEN $5::boolean THEN NULL ELSE disabled_us "
		    "END WHERE name = $1",
		    (int)ARRAY_LEN(values), values);
	if (code == MASA_OK)
		code = check_clerk(m, argv[0]);
	if (code == MASA_OK)
		code = note_act(m, said, "changed", argv[0], detail);
	return masa_finish_change(m, code, said);
}

static enum exit_code
user_disable(struct masa *m, int argc, char **argv)
{
	char now_text[24];
	int positional;

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 1, 1, &positional);
	if (code == MASA_OK)
		code = check_name(argv[0]);
	if (code != MASA_OK)
		return code;
	json_t *said = said_of(m, argv[0]);
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_real_us());
	const char *values[] = { argv[0], now_text };
	code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code == MASA_OK)
		code = change_person(m,
		    "UPDATE turunc.person SET disabled_us = coalesce(disabled_us, $2::bigint) "
		    "WHERE "
		    "name = $1",
		    (int)ARRAY_LEN(values), values);
	if (code == MASA_OK)
		code = end_sessions(m, argv[0], said);
	if (code == MASA_OK)
		code = note_act(m, said, "disabled", argv[0], "");
	return masa_finish_change(m, code, said);
}

static enum exit_code
unlock_user(struct masa *m, const char *name, json_t *said)
{
	const char *values[] = { name };
	enum exit_code code = change_person(
	    m, "SELECT FROM turunc.person WHERE name = $1", 1, values);

	if (code == MASA_OK)
		code = masa_query(m,
		    "DELETE FROM turunc.person_attempt WHERE (kind = 2 AND key = $1) OR (kind = 3 "
		    "AND starts_with(key, $1 || ' '))",
		    1, values, NULL);
	if (code == MASA_OK)
		code = note_act(m, said, "unlocked", name, "");
	return code;
}

static enum exit_code
unlock_address(struct masa *m, const char *address, json_t *said)
{
	char key[PEOPLE_ADDRESS_SIZE], detail[PEOPLE_ADDRESS_SIZE + 16];
	const char *values[] = { key };
	PGresult *result;

	people_address(address, key);
	enum exit_code code = masa_query(
	    m, "DELETE FROM turunc.person_attempt WHERE kind = 1 AND key = $1", 1, values, &result);
	if (code != MASA_OK)
		return code;
	bool found = strcmp(PQcmdTuples(result), "0") != 0;
	PQclear(result);
	if (!found)
		return masa_fail(MASA_NOT_FOUND, "nothing was tried from %s", address);
	snprintf(detail, sizeof(detail), "address=%s", key);
	return note_act(m, said, "unlocked", NULL, detail);
}

static enum exit_code
user_unlock(struct masa *m, int argc, char **argv)
{
	const char *address = NULL;
	const struct option_spec specs[] = { { "address", &address, NULL } };
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 1, &positional);
	if (code == MASA_OK && (positional == 1) == (address != NULL))
		return masa_fail(MASA_USAGE, "a NAME or an --address");
	if (code == MASA_OK && address == NULL)
		code = check_name(argv[0]);
	if (code != MASA_OK)
		return code;
	json_t *said = address == NULL
			   ? said_of(m, argv[0])
			   : json_pack("{s:s,s:b}", "address", address, "dry_run", m->dry_run);
	code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code == MASA_OK)
		code = address == NULL ? unlock_user(m, argv[0], said)
				       : unlock_address(m, address, said);
	return masa_finish_change(m, code, said);
}
