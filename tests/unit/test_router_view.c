/* Views: what each kind of reader sees of one ticket. */
#include "view.h"

#include <string.h>

#include "base.h"
#include "check.h"

static const char *const park[] = { "park" };
static const char *const all[] = { "*" };
static const char *const empty_code[] = { "" };

static const struct view_ticket ticket = { .ticket_id = 260000001,
	.primary_id = 260000002,
	.status = 3,
	.version = 5,
	.department = "park",
	.channel = 2,
	.subject_code = "agac",
	.priority = 2,
	.neighbourhood = "fener",
	.description = "ağaç devrildi",
	.address = "1. Sokak",
	.media_url = "https://example.org/a.jpg",
	.answers = "{\"Q1\": [\"evet\", \"hayır\"], \"Q2\": []}",
	.has_position = true,
	.latitude = 36.85,
	.longitude = 30.75,
	.arrived_us = 1,
	.recorded_us = 2,
	.legal_due_us = 3,
	.service_due_us = 4,
	.name = "Ayşe Yılmaz",
	.phone = "+905321234567",
	.email = "ayse@example.org" };

static const struct {
	const char *name;
	struct acl_list departments;
	enum acl_personal personal;
	bool special;
	enum view_cut cut;
	bool codes, story, citizen, masked;
} readers[] = {
	{ "own department, full", { park, 1 }, ACL_PERSONAL_FULL, false, VIEW_WHOLE, true, true,
	    true, false },
	{ "own department, masked", { park, 1 }, ACL_PERSONAL_MASKED, false, VIEW_WHOLE, true, true,
	    true, true },
	{ "own department, none", { park, 1 }, ACL_PERSONAL_NONE, false, VIEW_WHOLE, true, true,
	    false, false },
	{ "every department", { all, 1 }, ACL_PERSONAL_FULL, false, VIEW_WHOLE, true, true, true,
	    false },
	{ "no department", { NULL, 0 }, ACL_PERSONAL_FULL, false, VIEW_CUT_DEPARTMENT, false, false,
	    false, false },
	{ "another department", { empty_code, 1 }, ACL_PERSONAL_FULL, false, VIEW_CUT_DEPARTMENT,
	    false, false, false, false },
	{ "health, full", { park, 1 }, ACL_PERSONAL_FULL, true, VIEW_WHOLE, true, true, true,
	    false },
	{ "health, masked", { park, 1 }, ACL_PERSONAL_MASKED, true, VIEW_CUT_CATEGORY, true, false,
	    false, false },
	{ "health, none", { all, 1 }, ACL_PERSONAL_NONE, true, VIEW_CUT_CATEGORY, true, false,
	    false, false },
};

static void
check_view(const char *name, const struct view *v, size_t i)
{
	const Turunc__V1__TicketView *m = &v->message;

	CHECK_STR(name, m->number, "26-0000001-4");
	CHECK_U64(name, m->status, 3);
	CHECK_STR(name, m->department, "park");
	CHECK_U64(name, m->version, readers[i].codes ? 5 : 0);
	CHECK_STR(name, m->subject_code, readers[i].codes ? "agac" : "");
	CHECK_I64(name, m->legal_due_us, readers[i].codes ? 3 : 0);
	CHECK_STR(name, m->description, readers[i].story ? "ağaç devrildi" : "");
	CHECK_STR(name, m->address, readers[i].story ? "1. Sokak" : "");
	CHECK_TRUE(name, (m->position != NULL) == readers[i].story);
	CHECK_U64(name, m->n_attachments, readers[i].story);
	CHECK_U64(name, m->n_answers, readers[i].story ? 2 : 0);
	CHECK_TRUE(name, (m->citizen != NULL) == readers[i].citizen);
	if (m->citizen != NULL) {
		bool masked = readers[i].masked;
		CHECK_TRUE(name, (m->citizen->masked != 0) == masked);
		CHECK_STR(name, m->citizen->name, masked ? "A*** Y***" : "Ayşe Yılmaz");
		CHECK_STR(name, m->citizen->phone, masked ? "+90532*****67" : "+905321234567");
		CHECK_STR(
		    name, m->citizen->email, masked ? "a***@example.org" : "ayse@example.org");
	}
}

TEST(test_view_cuts)
{
	static struct view v;

	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		const struct acl_client rights = { .departments = readers[i].departments,
			.personal = readers[i].personal };

		CHECK_U64(readers[i].name, view_cut(&v, &ticket, &rights, readers[i].special),
		    readers[i].cut);
		check_view(readers[i].name, &v, i);
		view_clear(&v);
	}
}

/* A ticket in triage belongs to no department: only who may see all of them sees it. */
TEST(test_view_without_department)
{
	static struct view v;
	struct view_ticket nobodys = ticket;
	struct acl_client rights = { .departments = { empty_code, 1 } };

	nobodys.department = "";
	CHECK_U64(
	    "a code that is empty", view_cut(&v, &nobodys, &rights, false), VIEW_CUT_DEPARTMENT);
	view_clear(&v);
	rights.departments = (struct acl_list){ all, 1 };
	CHECK_U64("all", view_cut(&v, &nobodys, &rights, false), VIEW_WHOLE);
	view_clear(&v);
}

static const struct {
	const char *json;
	size_t answers, values; /* of the first */
} answers[] = {
	{ "", 0, 0 },
	{ "{}", 0, 0 },
	{ "{\"A\":[\"1\",\"2\",\"3\"]}", 1, 3 },
	{ "{\"A\":[1, null, \"x\"]}", 1, 1 },
	{ "{\"A\":\"not a list\"}", 1, 0 },
	{ "[\"A\"]", 0, 0 },
	{ "{\"A\":[\"cut", 0, 0 },
};

TEST(test_view_answers)
{
	static struct view v;
	struct view_ticket t = ticket;
	const struct acl_client rights = { .departments = { all, 1 } };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		t.answers = answers[i].json;
		view_cut(&v, &t, &rights, false);
		CHECK_U64(answers[i].json, v.message.n_answers, answers[i].answers);
		if (v.message.n_answers > 0)
			CHECK_U64(
			    answers[i].json, v.message.answers[0]->n_values, answers[i].values);
		view_clear(&v);
	}
}

static const struct {
	const char *name, *email;
	const char *masked_name, *masked_email;
} masks[] = {
	{ "", "", "", "" },
	{ "Ali", "a@b", "A***", "a***@b" },
	{ "  Çağla   Öz ", "çağla@x.y", "Ç*** Ö***", "ç***@x.y" },
	{ "A", "not an address", "A***", "n***" },
	{ "\t", "@only", "", "***@only" },
};

TEST(test_view_masks)
{
	char out[VIEW_MASK_BYTES], long_text[2000];

	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		view_mask_name(masks[i].name, out);
		CHECK_STR(masks[i].name, out, masks[i].masked_name);
		view_mask_email(masks[i].email, out);
		CHECK_STR(masks[i].email, out, masks[i].masked_email);
	}
	for (size_t i = 0; i < sizeof(long_text); i++)
		long_text[i] = i % 2 == 0 ? 'x' : ' ';
	long_text[sizeof(long_text) - 1] = '\0';
	view_mask_name(long_text, out);
	CHECK_TRUE("cut at a word", strlen(out) < VIEW_MASK_BYTES && strlen(out) > 200);
	CHECK_STR("a whole one", out + strlen(out) - 4, "x***");
	memset(long_text, 'd', sizeof(long_text) - 1);
	long_text[1] = '@';
	view_mask_email(long_text, out);
	CHECK_STR("a domain too long is left out", out, "d***");
}
