/* Whether a machine wrote a mail, without any parser; which mail it is: test_intake_lmtp.c. */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "mail_identity.h"

static const struct {
	const char *name, *mail;
	bool machine;
} mails[] = {
	{ "a person", "From: a@b.tr\r\nSubject: x\r\n\r\nPrecedence: bulk\r\n", false },
	{ "absence", "From: a@b.tr\r\nAuto-Submitted: auto-replied\r\n\r\nx\r\n", true },
	{ "with a parameter", "AUTO-SUBMITTED: Auto-Replied; x=y\r\n\r\n", true },
	{ "not automatic, and says so", "Auto-Submitted: No\r\n\r\n", false },
	{ "no with a parameter", "Auto-Submitted: no; x\r\n\r\n", false },
	{ "says nothing", "Auto-Submitted:\r\n\r\n", false },
	{ "folded", "Auto-Submitted:\r\n \tauto-generated\r\n\r\n", true },
	{ "nothing, and another header", "Auto-Submitted: \r\nSubject: x\r\n\r\n", false },
	{ "bulk", "Precedence: bulk\r\n\r\n", true },
	{ "first class", "Precedence: first-class\r\n\r\n", false },
	{ "a word that goes on", "Precedence: bulky\r\n\r\n", false },
	{ "a word without end",
	    "Precedence: bulkbulkbulkbulkbulkbulkbulkbulkbulkbulkbulkbulkbulkbulk\r\n\r\n", false },
	{ "our own", "X-Turunc-Ticket: 26-0000001-6\r\n\r\n", true },
	{ "our own, empty", "X-Turunc-Ticket:\r\n\r\n", true },
	{ "a longer name", "X-Turunc-Ticket-Of: 26-0000001-6\r\n\r\n", false },
	{ "an answering machine", "X-Autoreply: yes\r\n\r\n", true },
	{ "that did not answer", "X-Autoreply: no\r\n\r\n", false },
	{ "a report", "Content-Type: Multipart/Report; boundary=x\r\n\r\n", true },
	{ "several parts", "Content-Type: multipart/mixed; boundary=x\r\n\r\n", false },
	{ "the second of two", "Auto-Submitted: no\r\nAuto-Submitted: auto-replied\r\n\r\n", true },
	{ "a line that is none", "Subject: x\r\nrubbish\r\n bulk\r\n\r\n", false },
	{ "in another's value", "Subject: x\r\n Precedence: bulk\r\n\r\n", false },
};

/* In pieces of any size. */
TEST(test_mail_identity_machine)
{
	for (size_t i = 0; i < ARRAY_LEN(mails); i++) {
		size_t len = strlen(mails[i].mail);
		struct digest whole, cut;
		for (size_t piece = len; piece > 0; piece = piece == 1 ? 0 : 1) {
			struct mail_identity m;
			mail_identity_begin(&m);
			for (size_t at = 0; at < len; at += piece)
				mail_identity_add(&m, mails[i].mail + at, piece);
			mail_identity_finish(&m, piece == len ? &whole : &cut);
			CHECK_TRUE(mails[i].name, m.machine == mails[i].machine);
		}
		CHECK_MEM(mails[i].name, whole.bytes, DIGEST_BYTES, cut.bytes, DIGEST_BYTES);
	}
}
