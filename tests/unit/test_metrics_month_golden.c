/* The same records give the same figures for ever, unless the version of the fold says otherwise:
 * kept figures are counted anew only when it is raised. */
#include "digest.h"
#include "month_world.h"

/* Both change together, or kept figures and counted ones would differ. */
static const struct {
	int version;
	const char *digest; /* of what the log below gives */
} golden = { 3, "601059e2d6742e8ea4b31e7709d17d9daa945f53749a39778edbd2dcf715a7b6" };

enum { TICKETS = 120, CALLS = 200 };

/* Thrown once a statement: compilers differ in the order of arguments. */
static uint32_t
dice(uint64_t *seed, uint32_t sides)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33) % sides;
}

/* --- a log ------------------------------------------------------------------------------------ */

static const char *const departments[] = { "fen", "temizlik", "zabita" };

static void
tell_calls(struct month_fold *f, uint64_t *seed, int64_t now_us)
{
	static const char *const said[] = { "", "ticket", "joined", "information", "transferred",
		"nuisance" };
	char id[16];

	(void)snprintf(id, sizeof(id), "%u", dice(seed, CALLS));
	call(f, id, "call.offered", "", now_us, now_us);
	if (dice(seed, 8) == 0) {
		call(f, id, "call.abandoned", "", now_us + US_PER_S, now_us + US_PER_S);
		return;
	}
	call(f, id, "call.answered", "", now_us + dice(seed, 9000) * 1000, now_us + US_PER_S);
	const char *word = said[dice(seed, 6)];
	if (dice(seed, 9) != 0)
		call(f, id, "call.ended", word, now_us + 60 * US_PER_S, now_us + 60 * US_PER_S);
}

/* What is asked and said after an end, which was the record before. */
static void
ask(struct month_fold *f, uint64_t *seed, char *number, int64_t now_us)
{
	static char late[] = "late";
	Turunc__V1__SurveyStep body = TURUNC__V1__SURVEY_STEP__INIT;
	static const char *const ways[] = { "sms", "email" };
	static const char *const became[] = { "notification.sent", "notification.delivered",
		"notification.failed", "notification.discarded" };

	body.ended_seq = f->state.seq;
	if (dice(seed, 4) == 0) {
		body.reason = late;
		survey(f, number, "survey.skipped", body, now_us);
		return;
	}
	survey(f, number, "survey.invited", body, now_us);
	uint64_t seq = f->state.seq;
	for (uint32_t i = dice(seed, 3); i > 0; i--) {
		const char *what = became[dice(seed, 4)];
		message(f, number, what, ways[dice(seed, 2)], seq, now_us + 1);
	}
	body.score = 1 + dice(seed, 5);
	body.not_solved = dice(seed, 5) == 0;
	for (uint32_t i = dice(seed, 3); i > 0; i--)
		survey(f, number, "survey.answered", body, now_us + 2);
}

/* As a ticket goes: given to departments, back, on; ended, asked about, opened again. */
static void
go_on(struct month_fold *f, uint64_t *seed, char *number, int64_t now_us)
{
	static const struct {
		const char *type;
		int status;
	} steps[] = { { "ticket.routed", ROUTED }, { "ticket.triaged", TRIAGE },
		{ "ticket.transferred", ROUTED }, { "ticket.accepted", ACCEPTED },
		{ "ticket.extended", ROUTED }, { "ticket.answered", IN_PROGRESS },
		{ "ticket.waiting", WAITING }, { "ticket.resolved", RESOLVED },
		{ "ticket.rejected", REJECTED }, { "ticket.forwarded", FORWARDED },
		{ "ticket.joined", DUPLICATE }, { "ticket.separated", TRIAGE },
		{ "ticket.withdrawn", WITHDRAWN }, { "ticket.reopened", ROUTED },
		{ "ticket.closed", CLOSED } };
	size_t i = dice(seed, ARRAY_LEN(steps));
	struct said said = { .type = steps[i].type, .status = steps[i].status };

	said.department = departments[dice(seed, 3)];
	said.legal_due_us = now_us + (int64_t)dice(seed, 9) * US_PER_DAY - US_PER_DAY;
	said.service_due_us = now_us + (int64_t)dice(seed, 5) * US_PER_DAY - US_PER_DAY;
	if (said.status == WAITING)
		said.service_due_us = 0;
	step(f, number, said, now_us);
	if (said.status >= RESOLVED && said.status <= FORWARDED)
		ask(f, seed, number, now_us + US_PER_DAY / 2);
}

static void
tell(struct month_fold *f)
{
	static const char *const kinds[] = { "sms", "machine", "follow_up" };
	uint64_t seed = 2026;
	int64_t now_us = noon(2, 20);
	char number[NUMBER_SIZE];

	for (int i = 0; i < 3000; i++) {
		now_us += (int64_t)dice(&seed, 3600) * US_PER_S;
		int64_t late_us = (int64_t)dice(&seed, 40) * US_PER_DAY;
		int channel = (int)dice(&seed, 9);
		const char *subject = dice(&seed, 2) ? "cop" : "";
		const char *place = dice(&seed, 2) ? "fener" : "";
		const char *kind = kinds[dice(&seed, 3)];
		bool good = number_format(number_make(26, 1 + dice(&seed, TICKETS)), number);
		CHECK(good);
		switch (dice(&seed, 5)) {
		case 0:
			open_ticket(f, number, channel, subject, place, now_us - late_us, now_us);
			break;
		case 1:
			tell_calls(f, &seed, now_us);
			break;
		case 2:
			contact(f, late_us > 0 ? number : "", channel, kind, now_us);
			break;
		default:
			go_on(f, &seed, number, now_us);
		}
	}
}

/* --- what it gives ---------------------------------------------------------------------------- */

static void
add_line(struct digest_sha256 *d, int32_t month, const char *name, int64_t was, int64_t is)
{
	char line[FIGURE_NAME_SIZE + 80];

	int len = snprintf(line, sizeof(line), "%d %s %lld %lld\n", (int)month, name,
	    (long long)was, (long long)is);
	digest_sha256_add(d, line, (size_t)len);
}

static void
add_figures(struct digest_sha256 *d, const struct month_fold *f, int32_t month)
{
	struct figures figures = { 0 };

	CHECK(month_cells_figures(&f->cells, month, &figures));
	for (size_t i = 0; i < figures.count; i++)
		add_line(d, month, figures.at[i].name, 0, figures.at[i].value);
	figures_finish(&figures);
}

static void
add_facts(struct digest_sha256 *d, const struct month_facts *facts)
{
	char key[32];

	for (int i = 1; i <= TICKETS; i++) {
		(void)snprintf(key, sizeof(key), "t%lld", (long long)number_make(26, i));
		const struct month_kept *kept = month_facts_get(facts, key);
		if (CHECK(kept != NULL))
			digest_sha256_add_part(d, kept->bytes, kept->len);
	}
	for (int i = 0; i < CALLS; i++) {
		(void)snprintf(key, sizeof(key), "c%d", i);
		const struct month_kept *kept = month_facts_get(facts, key);
		if (kept != NULL)
			digest_sha256_add_part(d, kept->bytes, kept->len);
	}
}

TEST(test_the_same_log_gives_the_same_figures_for_ever)
{
	struct month_fold f;
	struct digest_sha256 d;
	struct digest digest;
	char text[DIGEST_HEX_SIZE];

	month_fold_init(&f, MONTH_FOLD_WHOLE);
	tell(&f);
	check_counted_anew(&f);
	CHECK_TRUE("months are over", f.state.calendar.rolled >= 202603);
	CHECK_TRUE("and revised", f.revision_count > 5);
	CHECK_TRUE("citizens said something", of(&f, 202603, "ladder.answered") > 5);
	CHECK_TRUE("some ended as nobody's", of(&f, 202603, "d.-.ended") > 0);
	digest_sha256_init(&d);
	add_figures(&d, &f, 0);
	for (int32_t month = 202512; month <= 202612; month = month_add(month, 1))
		add_figures(&d, &f, month);
	for (size_t i = 0; i < f.revision_count; i++) {
		const struct month_revision *r = &f.revisions[i].revision;
		add_line(&d, f.revisions[i].month, "revision", r->number, (int64_t)r->seq);
		for (size_t c = 0; c < r->change_count; c++)
			add_line(&d, 0, r->changes[c].name, r->changes[c].was, r->changes[c].is);
	}
	add_facts(&d, &f.facts);
	digest_sha256_finish(&d, &digest);
	digest_format(&digest, text);
	/* Figures that changed with the version as it was: raise it, and write both here. */
	CHECK_I64("the version of these figures", MONTH_FOLD_VERSION, golden.version);
	CHECK_STR("the figures of this version", text, golden.digest);
	month_fold_finish(&f);
}
