/* The C client's journal: what was promised is found again, whatever the disk or a kill did. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "check.h"

#include "../../clients/c/src/entry.h"
#include "../../clients/c/src/journal.h"
#include "../../clients/c/src/outbox.h"
#include "../../clients/c/src/wire.h"

enum { EVENTS_MAX = 4096, TEXT_MAX = 80 };

struct seen {
	size_t count;
	char text[EVENTS_MAX][TEXT_MAX];
	struct tc_place place[EVENTS_MAX];
};

static struct seen seen;

static bool
note(void *arg, struct tc_place place, const uint8_t *bytes)
{
	struct seen *s = arg;

	if (s->count == EVENTS_MAX)
		return false;
	snprintf(s->text[s->count], TEXT_MAX, "%.*s", (int)place.len, (const char *)bytes);
	s->place[s->count++] = place;
	return true;
}

static struct tc_journal *
open_journal(const char *dir, uint64_t bytes_max, uint32_t segment_bytes)
{
	struct tc_journal_options options = { dir, bytes_max, segment_bytes };
	char why[200] = "";

	memset(&seen, 0, sizeof(seen));
	struct tc_journal *j = tc_journal_open(&options, note, &seen, why, sizeof(why));
	if (!CHECK(j != NULL))
		printf("why: %s\n", why);
	return j;
}

static struct tc_place
append(struct tc_journal *j, const char *text)
{
	struct tc_place place = { 0 };

	CHECK(tc_journal_append(j, (const uint8_t *)text, strlen(text), &place) == TC_JOURNAL_OK);
	CHECK(tc_journal_sync(j));
	return place;
}

static void
copy_prefix(const char *from, const char *to, size_t len)
{
	static char bytes[1 << 20];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(read(in, bytes, len) == (ssize_t)len);
	CHECK(write(out, bytes, len) == (ssize_t)len);
	close(in);
	close(out);
}

static size_t
file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

TEST(test_crc32c_is_castagnoli)
{
	CHECK_U64("the usual check value", tc_crc32c(0, "123456789", 9), 0xe3069283);
	CHECK_U64("in two parts", tc_crc32c(tc_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

TEST(test_journal_keeps_what_has_no_answer)
{
	const char *dir = check_path("store");
	struct tc_journal *j = open_journal(dir, 1 << 20, 0);
	struct tc_place place[5];
	const char *const texts[] = { "one", "two", "three", "four", "five" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		place[i] = append(j, texts[i]);
	tc_journal_done(j, place[1]);
	tc_journal_done(j, place[4]);
	tc_journal_close(j);

	j = open_journal(dir, 1 << 20, 0);
	CHECK_U64("pending", seen.count, 3);
	CHECK_STR("first", seen.text[0], "one");
	CHECK_STR("second", seen.text[1], "three");
	CHECK_STR("third", seen.text[2], "four");
	for (size_t i = 0; i < 3; i++)
		tc_journal_done(j, seen.place[i]);
	tc_journal_close(j);

	j = open_journal(dir, 1 << 20, 0);
	CHECK_U64("all answered", seen.count, 0);
	tc_journal_close(j);
}

/* Cut anywhere, the journal gives exactly the entries that are whole, and takes new ones. */
TEST_WITHIN(test_journal_survives_a_tail_torn_anywhere, 60)
{
	const char *whole = check_path("whole"), *torn = check_path("torn");
	char from[512], to[512], text[40];
	size_t ends[6];

	snprintf(from, sizeof(from), "%s/00000001.journal", whole);
	snprintf(to, sizeof(to), "%s/00000001.journal", torn);
	struct tc_journal *j = open_journal(whole, 1 << 20, 0);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(text, sizeof(text), "event %zu TRN1 and more", i);
		append(j, text);
		ends[i] = file_size(from);
	}
	tc_journal_close(j);

	CHECK(mkdir(torn, 0700) == 0);
	for (size_t cut = 0; cut <= ends[5]; cut++) {
		size_t want = 0;
		while (want < ARRAY_LEN(ends) && ends[want] <= cut)
			want++;
		copy_prefix(from, to, cut);
		j = open_journal(torn, 1 << 20, 0);
		if (!CHECK_U64("whole entries", seen.count, want))
			printf("cut at %zu\n", cut);
		CHECK_U64("a torn tail is no damage", tc_journal_damaged(j), 0);
		append(j, "after");
		tc_journal_close(j);
		j = open_journal(torn, 1 << 20, 0);
		CHECK_U64("and the new one", seen.count, want + 1);
		CHECK_STR("last", seen.text[want], "after");
		tc_journal_close(j);
	}
}

/* One flipped bit costs the entry it lies in, nothing else, and the file is kept. */
TEST_WITHIN(test_journal_steps_over_damage, 60)
{
	const char *whole = check_path("whole"), *bad = check_path("bad");
	char from[512], to[512], kept[512];

	snprintf(from, sizeof(from), "%s/00000001.journal", whole);
	snprintf(to, sizeof(to), "%s/00000001.journal", bad);
	snprintf(kept, sizeof(kept), "%s/00000001.damaged", bad);
	struct tc_journal *j = open_journal(whole, 1 << 20, 0);
	append(j, "first event");
	size_t begin = file_size(from);
	append(j, "second event");
	size_t end = file_size(from);
	append(j, "third event");
	size_t size = file_size(from);
	tc_journal_close(j);

	CHECK(mkdir(bad, 0700) == 0);
	for (size_t at = begin; at < end; at++) {
		uint8_t byte;
		copy_prefix(from, to, size);
		int fd = open(to, O_RDWR);
		CHECK(pread(fd, &byte, 1, (off_t)at) == 1);
		byte ^= (uint8_t)(1u << at % 8);
		CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
		close(fd);

		j = open_journal(bad, 1 << 20, 4096);
		if (!CHECK_U64("two left", seen.count, 2))
			printf("byte %zu\n", at);
		CHECK_STR("first", seen.text[0], "first event");
		CHECK_STR("third", seen.text[1], "third event");
		CHECK_U64("damage is counted", tc_journal_damaged(j), 1);
		for (size_t i = 0; i < seen.count; i++)
			tc_journal_done(j, seen.place[i]);
		/* Another segment, so that the damaged one may go: it is kept aside. */
		char big[1200];
		memset(big, 'x', sizeof(big) - 1);
		big[sizeof(big) - 1] = '\0';
		tc_journal_done(j, append(j, big));
		CHECK(access(kept, F_OK) == 0);
		tc_journal_close(j);
		unlink(kept);
		snprintf(kept, sizeof(kept), "%s/00000002.journal", bad);
		unlink(kept);
		snprintf(kept, sizeof(kept), "%s/00000001.damaged", bad);
	}
}

/* A damaged entry found only when it is read for sending. */
TEST(test_journal_read_back_checks)
{
	const char *dir = check_path("store");
	char path[512];
	uint8_t bytes[16];
	struct tc_journal *j = open_journal(dir, 1 << 20, 0);
	struct tc_place place = append(j, "hello world");

	CHECK(tc_journal_read(j, place, bytes));
	CHECK_MEM("as written", bytes, place.len, "hello world", 11);
	snprintf(path, sizeof(path), "%s/00000001.journal", dir);
	int fd = open(path, O_RDWR);
	CHECK(pwrite(fd, "J", 1, TC_ENTRY_HEAD) == 1);
	close(fd);
	CHECK(!tc_journal_read(j, place, bytes));
	CHECK_U64("counted", tc_journal_damaged(j), 1);
	tc_journal_close(j);
}

TEST(test_journal_refuses_when_full_and_takes_again)
{
	const char *dir = check_path("store");
	struct tc_journal *j = open_journal(dir, 16384, 2048);
	struct tc_place places[200], extra;
	size_t count = 0;
	char text[100];

	memset(text, 'x', sizeof(text));
	while (count < ARRAY_LEN(places)
	       && tc_journal_append(j, (const uint8_t *)text, sizeof(text), &places[count])
		      == TC_JOURNAL_OK)
		count++;
	CHECK_TRUE("some fitted, then it was full", count > 50 && count < ARRAY_LEN(places));
	CHECK(tc_journal_sync(j));
	for (size_t i = 0; i < count; i++)
		tc_journal_done(j, places[i]);
	CHECK_TRUE("the bound holds with the marks", tc_journal_bytes(j) <= 16384);
	CHECK(tc_journal_append(j, (const uint8_t *)text, sizeof(text), &extra) == TC_JOURNAL_OK);
	tc_journal_close(j);
}

/* For ever: far more bytes than the bound pass through, oldest answered first. */
TEST(test_journal_space_comes_back)
{
	const char *dir = check_path("store");
	struct tc_journal *j = open_journal(dir, 32768, 4096);
	struct tc_place window[32];
	char text[100];

	memset(text, 'y', sizeof(text));
	for (size_t i = 0; i < 3000; i++) {
		if (i >= ARRAY_LEN(window))
			tc_journal_done(j, window[i % ARRAY_LEN(window)]);
		if (!CHECK(tc_journal_append(j, (const uint8_t *)text, sizeof(text),
			       &window[i % ARRAY_LEN(window)])
			   == TC_JOURNAL_OK))
			break;
	}
	CHECK(tc_journal_sync(j));
	tc_journal_close(j);
	j = open_journal(dir, 32768, 4096);
	CHECK_U64("what is left", seen.count, ARRAY_LEN(window));
	tc_journal_close(j);
}

TEST(test_journal_takes_a_refused_write_back)
{
	const char *dir = check_path("store");
	struct tc_place place;
	struct tc_journal *j = open_journal(dir, 1 << 20, 0);
	char text[3000];

	append(j, "before");
	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1000, RLIM_INFINITY }) == 0);
	memset(text, 'z', sizeof(text));
	CHECK(
	    tc_journal_append(j, (const uint8_t *)text, sizeof(text), &place) == TC_JOURNAL_FAILED);
	CHECK_TRUE("it says why", strstr(tc_journal_why(j), "cannot write") != NULL);
	CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }) == 0);
	append(j, "after");
	tc_journal_close(j);

	j = open_journal(dir, 1 << 20, 0);
	CHECK_U64("both whole ones", seen.count, 2);
	CHECK_STR("after", seen.text[1], "after");
	CHECK_U64("no damage", tc_journal_damaged(j), 0);
	tc_journal_close(j);
}

/* A disk filled by a segment that is no longer needed has room once that goes. */
TEST(test_journal_gives_up_what_fills_the_disk)
{
	const char *dir = check_path("store");
	struct tc_journal *j = open_journal(dir, 1 << 20, 0);
	struct tc_place place, last = { 0 };
	char text[300];
	size_t count = 0;

	memset(text, 'z', sizeof(text));
	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 3000, RLIM_INFINITY }) == 0);
	struct tc_place places[20];
	while (count < ARRAY_LEN(places)
	       && tc_journal_append(j, (const uint8_t *)text, sizeof(text), &places[count])
		      == TC_JOURNAL_OK)
		count++;
	CHECK_TRUE("filled", count > 5 && count < ARRAY_LEN(places));
	for (size_t i = 0; i + 1 < count; i++)
		tc_journal_done(j, places[i]);
	CHECK_TRUE("one is needed still",
	    tc_journal_append(j, (const uint8_t *)text, sizeof(text), &place) == TC_JOURNAL_FAILED);
	tc_journal_done(j, places[count - 1]);
	CHECK_TRUE("none is",
	    tc_journal_append(j, (const uint8_t *)text, sizeof(text), &last) == TC_JOURNAL_OK);
	CHECK_TRUE("in another segment", last.segment > places[0].segment);
	CHECK(tc_journal_sync(j));
	tc_journal_close(j);
	CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }) == 0);
	j = open_journal(dir, 1 << 20, 0);
	CHECK_U64("it alone is found", seen.count, 1);
	tc_journal_close(j);
}

/* Killed at any moment: nothing that was synced is missing, nothing appears that was not. */
TEST_WITHIN(test_journal_survives_kill_9, 60)
{
	const char *dir = check_path("store");
	int pipe_fds[2];
	char byte;

	for (int round = 0; round < 20; round++) {
		size_t promised = 0, before;
		struct tc_journal *j = open_journal(dir, 1 << 20, 4096);
		before = seen.count;
		tc_journal_close(j);
		CHECK(pipe(pipe_fds) == 0);
		pid_t pid = fork();
		if (pid == 0) {
			j = open_journal(dir, 1 << 20, 4096);
			for (;;) {
				append(j, "promised");
				if (write(pipe_fds[1], "x", 1) != 1)
					_exit(1);
			}
		}
		close(pipe_fds[1]);
		for (int want = 1 + round % 7; want > 0 && read(pipe_fds[0], &byte, 1) == 1; want--)
			promised++;
		kill(pid, SIGKILL);
		while (read(pipe_fds[0], &byte, 1) == 1)
			promised++;
		waitpid(pid, NULL, 0);
		close(pipe_fds[0]);

		j = open_journal(dir, 1 << 20, 4096);
		CHECK_TRUE("all promised, at most one more",
		    seen.count - before == promised || seen.count - before == promised + 1);
		tc_journal_close(j);
		if (seen.count > EVENTS_MAX / 2)
			break;
	}
}

TEST(test_journal_belongs_to_one_process)
{
	const char *dir = check_path("store");
	struct tc_journal_options options = { dir, 1 << 20, 0 };
	char why[200] = "";
	struct tc_journal *j = open_journal(dir, 1 << 20, 0);

	CHECK(tc_journal_open(&options, note, &seen, why, sizeof(why)) == NULL);
	CHECK_TRUE("it says why", strstr(why, "in use by another process") != NULL);
	tc_journal_close(j);
}

static size_t rejected_count;
static char rejected_reason[100];

static void
on_rejected(void *arg, const char *reason, const Turunc__V1__InboundEvent *event)
{
	(void)arg;
	CHECK_STR("the event itself", event->id, "event-1");
	snprintf(rejected_reason, sizeof(rejected_reason), "%s", reason);
	rejected_count++;
}

TEST(test_rejected_events_are_kept_and_bounded)
{
	const char *dir = check_path("store");
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	char id[] = "event-1", reason[40];
	uint8_t bytes[100];

	event.id = id;
	size_t len = turunc__v1__inbound_event__pack(&event, bytes);
	struct tc_journal *j = open_journal(dir, 16384, 2048);
	for (int i = 0; i < 300; i++) {
		struct tc_place place;
		CHECK(tc_journal_append(j, bytes, len, &place) == TC_JOURNAL_OK);
		snprintf(reason, sizeof(reason), "TOO_OLD: number %d", i);
		tc_journal_reject(j, place, reason, bytes);
	}
	tc_journal_close(j);
	CHECK(turunc_store_rejected(dir, on_rejected, NULL));
	CHECK_TRUE("bounded: two generations", rejected_count > 80 && rejected_count < 300);
	CHECK_STR("newest last", rejected_reason, "TOO_OLD: number 299");
	j = open_journal(dir, 16384, 2048);
	CHECK_U64("none pending", seen.count, 0);
	tc_journal_close(j);
}

TEST(test_outbox_order)
{
	struct tc_outbox o = { 0 };
	uint64_t next = 0;

	for (int i = 0; i < 200; i++) {
		CHECK(tc_outbox_reserve(&o, 1));
		tc_outbox_add(&o, &(struct tc_item){ .len = (uint32_t)i });
	}
	for (uint64_t i = 0; i < 100; i++) {
		CHECK(tc_outbox_next(&o, &next));
		CHECK_U64("oldest first", next, i);
		tc_outbox_enter(&o, next, TC_ITEM_SENT);
	}
	for (uint64_t i = 10; i < 100; i++)
		tc_outbox_enter(&o, i, TC_ITEM_DONE);
	CHECK_U64("held behind the unanswered front", o.count, 200);
	tc_outbox_rewind(&o);
	next = 0;
	CHECK(tc_outbox_next(&o, &next));
	CHECK_U64("the front waits again", next, 0);
	for (uint64_t i = 0; i < 10; i++)
		tc_outbox_enter(&o, i, TC_ITEM_DONE);
	CHECK_U64("and takes the answered ones along", o.first, 100);
	CHECK_U64("waiting", o.waiting, 100);
	CHECK_U64("pending", o.pending, 100);
	next = 0;
	CHECK(tc_outbox_next(&o, &next));
	CHECK_U64("then the rest", next, 100);
	tc_outbox_finish(&o);
}

static const struct {
	const char *name;
	const char *text;
	bool valid;
} texts[] = {
	{ "empty", "", true },
	{ "Turkish", "Ğüşıöç İ", true },
	{ "three and four bytes", "€ 𝄞", true },
	{ "a lone continuation", "a\x80", false },
	{ "cut short", "a\xc3", false },
	{ "overlong slash", "\xc0\xaf", false },
	{ "overlong in three", "\xe0\x80\xaf", false },
	{ "a surrogate", "\xed\xa0\x80", false },
	{ "beyond the last plane", "\xf4\x90\x80\x80", false },
	{ "windows-1254",
	    "\xde"
	    "ehir",
	    false },
};

TEST(test_utf8)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		CHECK_TRUE(texts[i].name, tc_utf8_valid(texts[i].text) == texts[i].valid);
}
