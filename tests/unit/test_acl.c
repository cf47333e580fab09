/* The access list: which rows are taken, who is found, what is allowed. */
#include "acl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define KEY_A "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"
#define KEY_B "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static const char *const all[] = { "*" };
static const char *const parks[] = { "park", "temizlik" };
static const char *const ticket_types[] = { "ticket.*", "survey.answered" };
static const char *const star_inside[] = { "tick*et" };
static const char *const half_department[] = { "par*" };

static const struct acl_row good = { .name = "park-sistemi",
	.public_key = KEY_A,
	.verbs = ACL_SUBSCRIBE | ACL_COMMAND,
	.sources = { parks, 1 },
	.types = { ticket_types, 2 },
	.departments = { parks, 2 },
	.personal = ACL_PERSONAL_MASKED,
	.expires_us = 1000,
	.max_events = 9 };

TEST(test_acl_words)
{
	enum acl_personal personal = ACL_PERSONAL_NONE;

	CHECK_U64("publish", acl_verb_parse("publish"), ACL_PUBLISH);
	CHECK_U64("internal", acl_verb_parse("internal"), ACL_INTERNAL);
	CHECK_U64("board", acl_verb_parse("board"), ACL_BOARD);
	CHECK_U64("unknown", acl_verb_parse("Publish"), 0);
	CHECK_TRUE("masked", acl_personal_parse("masked", &personal));
	CHECK_U64("masked", personal, ACL_PERSONAL_MASKED);
	CHECK_STR("and back", acl_personal_name(personal), "masked");
	CHECK_FALSE("unknown", acl_personal_parse("some", &personal));
}

TEST(test_acl_finds)
{
	struct acl_complaint complaint;
	struct digest digest;
	struct acl *acl = acl_create();
	struct acl_row rows[3] = { good, good, good };

	CHECK_TRUE("nobody at first", acl_find_key(acl, KEY_A) == NULL);
	acl_api_key_digest("anahtar-1", 9, &digest);
	rows[1] = (struct acl_row){ .name = "web", .api_key = &digest };
	rows[2] = (struct acl_row){ .name = "alo", .public_key = KEY_B };
	uint64_t generation = acl_generation(acl);
	CHECK(acl_replace(acl, rows, 3, &complaint));
	CHECK_U64("nothing left out", complaint.skipped, 0);
	CHECK_TRUE("a new generation", acl_generation(acl) > generation);
	const struct acl_client *park = acl_find_key(acl, KEY_A);
	if (CHECK(park != NULL)) {
		CHECK_STR("by key", park->name, "park-sistemi");
		CHECK_U64("credit", park->max_events, 9);
		CHECK_TRUE("and by name", acl_find_name(acl, "park-sistemi") == park);
	}
	CHECK_TRUE("another key", acl_find_key(acl, KEY_B) == acl_find_name(acl, "alo"));
	CHECK_TRUE("web has no bus key", acl_find_name(acl, "web")->public_key == NULL);
	CHECK_TRUE("API key", acl_find_api_key(acl, "anahtar-1", 9) == acl_find_name(acl, "web"));
	CHECK_TRUE("its prefix", acl_find_api_key(acl, "anahtar-1", 8) == NULL);
	CHECK_TRUE("nothing", acl_find_api_key(acl, "", 0) == NULL);

	CHECK(acl_replace(acl, rows, 1, &complaint));
	CHECK_TRUE("gone", acl_find_name(acl, "web") == NULL);
	CHECK_TRUE("gone", acl_find_api_key(acl, "anahtar-1", 9) == NULL);
	CHECK(acl_replace(acl, NULL, 0, &complaint));
	CHECK_TRUE("an empty table lets nobody in", acl_find_key(acl, KEY_A) == NULL);
	acl_destroy(acl);
}

static struct acl_row
with(const char *name, const char *key, unsigned verbs, struct acl_list types,
    struct acl_list departments)
{
	struct acl_row row = good;

	row.name = name;
	row.public_key = key;
	row.verbs = verbs;
	row.types = types;
	row.departments = departments;
	return row;
}

TEST(test_acl_leaves_out_what_is_not_fit)
{
	const struct acl_list some = { all, 1 }, inside = { star_inside, 1 },
			      half = { half_department, 1 };
	char long_name[ACL_NAME_BYTES + 2];
	memset(long_name, 'a', ACL_NAME_BYTES + 1);
	long_name[ACL_NAME_BYTES + 1] = '\0';
	const struct {
		const char *why;
		struct acl_row row;
	} bad[] = {
		{ "no name", with("", KEY_B, 1, some, some) },
		{ "NULL name", with(NULL, KEY_B, 1, some, some) },
		{ "capital", with("Park", KEY_B, 1, some, some) },
		{ "begins with a dot", with(".park", KEY_B, 1, some, some) },
		{ "name too long", with(long_name, KEY_B, 1, some, some) },
		{ "no key at all", with("b", NULL, 1, some, some) },
		{ "key too short", with("b", "abc", 1, some, some) },
		{ "key not z85",
		    with("b", "\"TKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6", 1, some, some) },
		{ "verb unknown", with("b", KEY_B, 64, some, some) },
		{ "star inside a type", with("b", KEY_B, 1, inside, some) },
		{ "half a department", with("b", KEY_B, 1, some, half) },
		{ "name used twice", with("park-sistemi", KEY_B, 1, some, some) },
		{ "key used twice", with("b", KEY_A, 1, some, some) },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct acl *acl = acl_create();
		struct acl_complaint complaint = { 0 };
		const struct acl_row rows[] = { good, bad[i].row };
		CHECK_TRUE(bad[i].why, acl_replace(acl, rows, 2, &complaint));
		CHECK_U64(bad[i].why, complaint.skipped, 1);
		CHECK_U64(bad[i].why, complaint.row, 1);
		CHECK_TRUE(bad[i].why, complaint.reason != NULL);
		CHECK_U64(bad[i].why, acl_count(acl), 1);
		CHECK_TRUE(bad[i].why, acl_find_key(acl, KEY_A) != NULL);
		acl_destroy(acl);
	}
}

TEST(test_acl_too_many_leaves_the_old_table)
{
	struct acl_complaint complaint;
	struct acl *acl = acl_create();
	struct acl_row *rows = calloc(ACL_CLIENTS_MAX + 1, sizeof(*rows));

	CHECK(acl_replace(acl, &good, 1, &complaint));
	CHECK_FALSE("refused", acl_replace(acl, rows, ACL_CLIENTS_MAX + 1, &complaint));
	CHECK_TRUE("still there", acl_find_key(acl, KEY_A) != NULL);
	free(rows);
	acl_destroy(acl);
}

TEST(test_acl_a_full_table)
{
	enum { CLIENTS = 10000, NAME = 16 };
	struct acl_complaint complaint;
	struct acl *acl = acl_create();
	struct acl_row *rows = calloc(CLIENTS, sizeof(*rows));
	struct digest *digests = calloc(CLIENTS, sizeof(*digests));
	char(*names)[NAME] = calloc(CLIENTS, NAME);

	for (unsigned i = 0; i < CLIENTS; i++) {
		snprintf(names[i], NAME, "c%u", (i * 7919u) % CLIENTS);
		acl_api_key_digest(names[i], strlen(names[i]), &digests[i]);
		rows[i] = (struct acl_row){ .name = names[i], .api_key = &digests[i] };
	}
	CHECK(acl_replace(acl, rows, CLIENTS, &complaint));
	CHECK_U64("all taken", acl_count(acl), CLIENTS);
	for (unsigned i = 0; i < CLIENTS; i += 97)
		CHECK_TRUE(names[i], acl_find_name(acl, names[i]) != NULL);
	CHECK_TRUE("by API key", acl_find_api_key(acl, "c4711", 5) == acl_find_name(acl, "c4711"));
	acl_destroy(acl);
	free(names);
	free(digests);
	free(rows);
}

TEST(test_acl_in_force)
{
	struct acl_complaint complaint;
	struct acl *acl = acl_create();
	struct acl_row row = good;

	CHECK(acl_replace(acl, &row, 1, &complaint));
	CHECK_TRUE("before", acl_in_force(acl_find_key(acl, KEY_A), 999));
	CHECK_FALSE("at", acl_in_force(acl_find_key(acl, KEY_A), 1000));
	row.expires_us = 0;
	CHECK(acl_replace(acl, &row, 1, &complaint));
	CHECK_TRUE("never expires", acl_in_force(acl_find_key(acl, KEY_A), INT64_MAX));
	row.revoked = true;
	CHECK(acl_replace(acl, &row, 1, &complaint));
	CHECK_FALSE("revoked", acl_in_force(acl_find_key(acl, KEY_A), 1));
	acl_destroy(acl);
}

static const struct {
	const char *pattern, *text;
	bool want;
} patterns[] = {
	{ "ticket.*", "ticket.routed", true },
	{ "ticket.*", "ticket.", true },
	{ "ticket.*", "ticket", false },
	{ "ticket.*", "tickets.routed", false },
	{ "*", "", true },
	{ "*", "anything", true },
	{ "ticket.routed", "ticket.routed", true },
	{ "ticket.routed", "ticket.routed2", false },
	{ "ticket.routed", "ticket.*", false },
	{ "ticket.*", "ticket.*", true },
	{ "t*", "ticket.*", true },
	{ "ticket.*", "t*", false },
	{ "ticket.*", "*", false },
	{ "", "", true },
};

TEST(test_acl_patterns)
{
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
		CHECK_U64(patterns[i].text,
		    acl_pattern_matches(patterns[i].pattern, patterns[i].text), patterns[i].want);
}

TEST(test_acl_rights)
{
	struct acl_complaint complaint;
	struct acl *acl = acl_create();
	struct acl_row rows[2] = { good, { .name = "hepsi",
					     .public_key = KEY_B,
					     .types = { all, 1 },
					     .departments = { all, 1 } } };

	CHECK(acl_replace(acl, rows, 2, &complaint));
	const struct acl_client *park = acl_find_key(acl, KEY_A);
	const struct acl_client *whole = acl_find_key(acl, KEY_B);
	CHECK_TRUE("command", acl_allows_verb(park, ACL_COMMAND));
	CHECK_FALSE("publish", acl_allows_verb(park, ACL_PUBLISH));
	CHECK_TRUE("source", acl_allows_source(park, "park"));
	CHECK_FALSE("no source at all", acl_allows_source(whole, "park"));
	CHECK_TRUE("type", acl_allows_type(park, "ticket.closed"));
	CHECK_TRUE("exact type", acl_allows_type(park, "survey.answered"));
	CHECK_FALSE("type", acl_allows_type(park, "survey.invited"));
	CHECK_FALSE("a wider filter", acl_allows_type(park, "*"));
	CHECK_TRUE("a narrower filter", acl_allows_type(park, "ticket.re*"));
	CHECK_TRUE("department", acl_allows_department(park, "temizlik"));
	CHECK_FALSE("department", acl_allows_department(park, "zabita"));
	CHECK_FALSE("not all", acl_allows_all_departments(park));
	CHECK_TRUE("all", acl_allows_all_departments(whole));
	CHECK_TRUE("any", acl_allows_department(whole, "zabita"));
	acl_destroy(acl);
}
