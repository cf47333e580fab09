/* Commands and subscriptions of the stream door: every field anything, every status of the ticket.
 */
#include "filter.h"
#include "frame.h"
#include "fuzz.h"
#include "muratpasa_bundle.h"
#include "step.h"
#include "utf8.h"

#define NOW_US INT64_C(1772440000000000)

static void
check_step(const Turunc__V1__Command *asked, uint8_t shape)
{
	const struct step_world world = { muratpasa_catalogue(), NOW_US, NULL, NULL };
	struct ticket t = {
		.ticket_id = 260000001, .status = (ticket_status)(shape % 13), .version = 2
	};
	char why[CHANGES_WHY_BYTES] = "";
	enum status_verb verb;

	if (!status_verb_parse(asked->verb, &verb))
		return;
	struct step step = step_none(
	    verb, shape & 0x10 ? ACTOR_OPERATOR : ACTOR_DEPARTMENT, "client:x");
	step.department = asked->department;
	step.reason = asked->reason_code;
	step.text = asked->text;
	step.until_us = asked->until_us;
	step.institution = asked->institution;
	step.reference = asked->reference;
	step.names_primary = asked->primary[0] != '\0';
	step.subject = asked->subject_code;
	step.priority = asked->priority;
	ticket_copy_code(t.department, "temizlik");
	enum step_result result = step_check(&world, &t, &step, why);
	HOLDS(result == STEP_TAKEN || (why[0] != '\0' && memchr(why, 0, sizeof(why)) != NULL));
	if (result == STEP_TAKEN) {
		HOLDS(!utf8_has_control(step.text, true) && strlen(step.text) <= STEP_TEXT_BYTES);
		HOLDS(!utf8_has_control(step.reason, false)
		      && !utf8_has_control(step.reference, false));
	}
}

static void
check_filter(const Turunc__V1__Subscribe *asked)
{
	static char star_text[] = "*", park[] = "park", tickets[] = "ticket.*", name[] = "c";
	static char *const star[] = { star_text }, *const own[] = { park },
			   *const types[] = { tickets };
	const struct acl_client all = { .name = name,
		.types = { (const char *const *)star, 1 },
		.departments = { (const char *const *)star, 1 } };
	const struct acl_client few = { .name = name,
		.types = { (const char *const *)types, 1 },
		.departments = { (const char *const *)own, 1 } };
	struct filter f = { 0 }, effective = { 0 };

	if (filter_fault(asked->types, asked->n_types, asked->departments, asked->n_departments)
	    != NULL)
		return;
	HOLDS(filter_init(
	    &f, asked->types, asked->n_types, asked->departments, asked->n_departments));
	HOLDS(filter_covered(&f, &all));
	if (filter_covered(&f, &few)) {
		HOLDS(filter_effective(&f, &few, &effective));
		HOLDS(!filter_matches(&effective, "ticket.routed", "fen", "fen"));
		HOLDS(!filter_matches(&effective, "call.ended", "park", ""));
		HOLDS(!filter_matches(&effective, "client.granted", "", ""));
	}
	filter_finish(&effective);
	filter_finish(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t shape = take_byte(&in);
	struct frame *frame = NULL;

	if (frame_unpack(&turunc__v1__client_frame__descriptor, in.at, in.left, &frame, NULL)
	    != FRAME_OK)
		return 0;
	const Turunc__V1__ClientFrame *said = frame_client(frame);
	if (said->body_case == TURUNC__V1__CLIENT_FRAME__BODY_COMMAND)
		check_step(said->command, shape);
	else if (said->body_case == TURUNC__V1__CLIENT_FRAME__BODY_SUBSCRIBE)
		check_filter(said->subscribe);
	frame_destroy(frame);
	return 0;
}
