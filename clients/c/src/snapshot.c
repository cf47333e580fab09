/* The open tickets as of one seq, page by page; begun anew when the session is lost midway. */
#include <stdlib.h>
#include <string.h>

#include "client_private.h"
#include "wire.h"

enum { AGAIN_MS = 500, SNAPSHOT_BYTES_MAX = 4000 };

char **
tc_strings_copy(const char *const *list, size_t count, bool *ret_ok)
{
	char **copy = count == 0 ? NULL : calloc(count, sizeof(*copy));

	if (count == 0)
		return NULL;
	for (size_t i = 0; copy != NULL && i < count; i++) {
		copy[i] = strdup(list[i]);
		if (copy[i] == NULL) {
			tc_strings_free(copy, i);
			copy = NULL;
		}
	}
	if (copy == NULL)
		*ret_ok = false;
	return copy;
}

void
tc_strings_free(char **list, size_t count)
{
	for (size_t i = 0; list != NULL && i < count; i++)
		free(list[i]);
	free(list);
}

static void
finish(struct tc_snapshot *s)
{
	tc_strings_free(s->departments, s->department_count);
	*s = (struct tc_snapshot){ 0 };
}

enum turunc_outcome
turunc_snapshot(struct turunc_client *c, const char *const *departments, size_t count, void *tag)
{
	struct tc_snapshot *s = &c->snapshot;
	size_t bytes = 0;
	bool ok = true;

	if (c->options.door != TURUNC_DOOR_STREAM || s->active)
		return TURUNC_NOT_NOW;
	for (size_t i = 0; i < count; i++) {
		if (!tc_utf8_valid(departments[i]) || departments[i][0] == '\0')
			return TURUNC_INVALID;
		bytes += strlen(departments[i]) + TC_EVENT_OVERHEAD;
	}
	if (bytes > SNAPSHOT_BYTES_MAX)
		return TURUNC_TOO_LARGE;
	char **copy = tc_strings_copy(departments, count, &ok);
	if (!ok)
		return TURUNC_NO_MEMORY;
	*s = (struct tc_snapshot){ .active = true,
		.restarted = true,
		.departments = copy,
		.department_count = count,
		.tag = tag };
	tc_wake(c);
	return TURUNC_TAKEN;
}

void
tc_snapshot_close(struct turunc_client *c)
{
	finish(&c->snapshot);
}

void
tc_snapshot_stop(struct turunc_client *c)
{
	c->snapshot.request = 0;
	c->snapshot.due_ms = 0;
	c->snapshot.restarted = true;
}

void
tc_snapshot_on_page(struct turunc_client *c, uint64_t request, const Turunc__V1__SnapshotPage *page)
{
	struct tc_snapshot *s = &c->snapshot;

	if (!s->active || s->request == 0 || request != s->request) {
		c->stats.bad_frames++;
		return;
	}
	bool restarted = s->restarted;
	void *tag = s->tag;
	s->restarted = false;
	s->deadline_ms = tc_now_ms() + c->options.answer_ms;
	if (page->last)
		finish(s);
	if (c->options.handlers.on_page != NULL)
		c->options.handlers.on_page(c->options.arg, tag, page, restarted);
}

bool
tc_snapshot_refused(struct turunc_client *c, uint64_t request, const Turunc__V1__Error *error)
{
	struct tc_snapshot *s = &c->snapshot;

	if (!s->active || s->request == 0 || request != s->request)
		return false;
	bool final = error->code == TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN
		     || error->code == TURUNC__V1__ERROR_CODE__ERROR_MALFORMED
		     || error->code == TURUNC__V1__ERROR_CODE__ERROR_PROTOCOL;
	if (final) {
		finish(s);
	} else {
		tc_snapshot_stop(c);
		s->due_ms = tc_now_ms() + (error->retry_ms != 0 ? error->retry_ms : AGAIN_MS);
	}
	tc_trouble(c, &(struct turunc_trouble){ .about = TURUNC_ABOUT_SNAPSHOT,
			  .code = error->code,
			  .text = error->text,
			  .final = final });
	return true;
}

void
tc_snapshot_work(struct turunc_client *c, uint64_t now_ms)
{
	struct tc_snapshot *s = &c->snapshot;
	Turunc__V1__Snapshot snapshot = TURUNC__V1__SNAPSHOT__INIT;
	Turunc__V1__ClientFrame frame = TURUNC__V1__CLIENT_FRAME__INIT;

	if (!s->active || c->session.state != TURUNC_READY)
		return;
	if (s->request != 0) {
		if (s->deadline_ms <= now_ms)
			tc_session_drop(c, 0, "the door does not finish the snapshot", 0);
		return;
	}
	if (s->due_ms > now_ms)
		return;
	snapshot.departments = s->departments;
	snapshot.n_departments = s->department_count;
	frame.request = s->request = tc_next_request(c);
	frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_SNAPSHOT;
	frame.snapshot = &snapshot;
	s->deadline_ms = now_ms + c->options.answer_ms;
	(void)tc_session_say(c, &frame);
}

uint64_t
tc_snapshot_deadline(const struct turunc_client *c)
{
	const struct tc_snapshot *s = &c->snapshot;

	if (!s->active || c->session.state != TURUNC_READY)
		return UINT64_MAX;
	return s->request != 0 ? s->deadline_ms : s->due_ms;
}
