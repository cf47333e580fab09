/* What the desk calls a record, and a message about one. */
#include "base.h"
#include "check.h"
#include "desk_words.h"

TEST(test_words_of_messages)
{
	CHECK_STR("a text of a citizen", desk_event("sms.received", CATALOGUE_TR),
	    "Başvurandan SMS geldi");
	CHECK_STR("what answers one", desk_message("sms.received", CATALOGUE_TR),
	    "SMS tercihi teyit edildi");
	CHECK_STR(
	    "in English", desk_message("sms.received", CATALOGUE_EN), "Wish about SMS confirmed");
	CHECK_STR("all others as their records", desk_message("survey.invited", CATALOGUE_EN),
	    desk_event("survey.invited", CATALOGUE_EN));
	CHECK_STR("unknown", desk_message("ticket.odd", CATALOGUE_TR), "ticket.odd");
}
