/* Which SMS are answers, and that an answer's identity is its invitation's. */
#include <string.h>

#include "base.h"
#include "check.h"
#include "survey_answer.h"

static const struct {
	const char *text;
	int score; /* -1: it is no answer */
	bool not_solved;
} texts[] = {
	{ "4", 4, false },
	{ " 5 ", 5, false },
	{ "1.", 1, false },
	{ "4/5", 4, false },
	{ "Puan: 3", 3, false },
	{ "5 puan!", 5, false },
	{ "2 ÇÖZÜLMEDİ", 2, true },
	{ "çözülmedi", 0, true },
	{ "Cozulmedi 1", 1, true },
	{ "not solved", 0, true },
	{ "1, not solved.", 1, true },
	{ "", -1, false },
	{ " ", -1, false },
	{ "0", -1, false },
	{ "6", -1, false },
	{ "10", -1, false },
	{ "45", -1, false },
	{ "3 gündür su yok", -1, false },
	{ "5 numara bozuk", -1, false },
	{ "4 5 6", -1, false },
	{ "çözülmedi mi hâlâ", -1, false },
	{ "çözüldü", -1, false },
	{ "RET", -1, false },
	{ "444", -1, false },
	{ "4444444444444444444444444444444444444444444444444444444444444444", -1, false },
};

TEST(test_survey_answer_by_sms)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int score = -1;
		bool not_solved = false;
		bool is = survey_answer_read_sms(texts[i].text, &score, &not_solved);
		CHECK_U64(texts[i].text, is, texts[i].score != -1);
		CHECK_I64(texts[i].text, score, texts[i].score);
		CHECK_U64(texts[i].text, not_solved, texts[i].not_solved);
	}
}

static void
done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	(void)item;
	(void)outcome;
	(void)ticket_id;
}

TEST(test_survey_answer_has_the_identity_of_its_invitation)
{
	static const uint8_t secret[32] = { 1 };
	struct item_maker maker = { .secret = secret, .secret_len = sizeof(secret) };
	struct survey_said said = { .ticket_id = 260000012, .score = 4, .text = "Sağ olun" };
	struct survey_answer first, second;
	struct item a, b;

	uuid_next(&maker.uuids, 1796000000000000, &said.survey);
	item_init(&a, done);
	item_init(&b, done);
	survey_answer_fill(&a, &maker, &said, &first, 1);
	survey_answer_fill(&b, &maker, &said, &second, 2);
	CHECK_STR("one answer each", b.id, a.id);
	CHECK_TRUE("and the same content", digest_equal(&a.identity, &b.identity));
	said.score = 5;
	survey_answer_fill(&b, &maker, &said, &second, 2);
	CHECK_STR("another score is another answer to the same", b.id, a.id);
	CHECK_FALSE("of another content", digest_equal(&a.identity, &b.identity));
	said.again = said.not_solved = true;
	survey_answer_fill(&b, &maker, &said, &second, 2);
	CHECK_TRUE("what takes it back is another item", strcmp(a.id, b.id) != 0);
	CHECK_STR("JSON", strstr(b.answers, "\"solved\""), "\"solved\":[\"false\"]}");
}
