/*
 * door - what intake's doors share: their tables of routes, and who is asking.
 *
 * The argument of every handler is the struct intake.
 */
#ifndef INTAKE_DOOR_H
#define INTAKE_DOOR_H

#include <stddef.h>

#include "base.h"
#include "doc.h"
#include "intake.h"
#include "problems.h"
#include "report.h"

enum { DOOR_BODY_BYTES = 64 * 1024, DOOR_RETRY_S = 2 };

extern const struct http_route door_open311_routes[];
extern const size_t door_open311_route_count;
extern const struct http_route door_web_routes[];
extern const size_t door_web_route_count;

extern const struct http_route door_report_routes[];
extern const size_t door_report_route_count;
/* The server itself turned a form down (too large, too slow, too many): a page in both languages,
 * for nobody knows yet which was wanted.  NULL: out of memory. */
const char *door_report_error(unsigned status, struct evbuffer *body);
extern const struct http_route door_map_routes[];
extern const size_t door_map_route_count;
extern const struct http_route door_information_routes[];
extern const size_t door_information_route_count;
extern const struct http_route door_track_routes[];
extern const size_t door_track_route_count;
extern const struct http_route door_survey_routes[];
extern const size_t door_survey_route_count;
extern const struct http_route door_survey_stop_routes[];
extern const size_t door_survey_stop_route_count;
/* Brings what was kept of them to the record, when it is there; called now and then. */
void door_survey_stop_bring(struct intake *in);
extern const struct http_route call_routes[];
extern const size_t call_route_count;

/* A file that is part of the program. */
void door_reply_file(struct http_request *req, const char *type, const unsigned char *data,
    const unsigned char *end);

/* May this address send another form (door_rate.c)?  False: counted; the caller answers 429. */
MUST_CHECK bool door_within_rate(struct intake *in, struct http_request *req);
/* And photos with it?  Asked before they are read, for checking and storing them holds the loop. */
MUST_CHECK bool door_photos_within_rate(struct intake *in, struct http_request *req);

/* Open311's error array for its own paths; plain text elsewhere. */
const char *door_write_error(
    void *arg, const char *path, unsigned status, const char *why, struct evbuffer *body);

/* --- Open311 (open311_*.c) ------------------------------------------------------------------- */

/* The format the path asks for. */
enum doc_format open311_format(const struct http_request *req);
/* Answers with the problems; the status is the first one's. */
void open311_reply_problems(
    struct http_request *req, enum doc_format format, const struct problems *p);
void open311_reply_error(
    struct http_request *req, enum doc_format format, unsigned status, const char *why);
/* Takes doc (may be NULL: out of memory). */
void open311_reply_doc(struct http_request *req, unsigned status, struct doc *doc,
    const struct http_field *fields, size_t field_count);

/* The client behind the request's api_key, or NULL.  *ret_given: a key was given at all. */
const struct acl_client *open311_client(
    struct intake *in, struct http_request *req, bool *ret_given);
/* False: over its rate, or given a key by an address that gave too many wrong ones, and 429 was
 * sent. */
bool open311_within_rate(struct intake *in, struct http_request *req,
    const struct acl_client *client, bool given, enum doc_format format);
/* False: rights were not read yet since the start, so no key can be judged, and 503 was sent. */
bool open311_knows_keys(struct intake *in, struct http_request *req, enum doc_format format);
/* The catalogue, if there is one and jurisdiction_id is ours; else NULL and the answer was sent. */
const struct catalogue *open311_catalogue(
    struct intake *in, struct http_request *req, enum doc_format format);

void open311_discovery(struct http_request *req, void *arg);
void open311_services(struct http_request *req, void *arg);
void open311_service(struct http_request *req, void *arg);
void open311_post_request(struct http_request *req, void *arg);
void open311_get_requests(struct http_request *req, void *arg);
void open311_get_request(struct http_request *req, void *arg);
void open311_get_token(struct http_request *req, void *arg);

/* --- the bus (door_bus.c) -------------------------------------------------------------------- */

void door_bus_on_open(void *arg, struct bus_session *session, uint32_t *credit_events);
void door_bus_on_close(void *arg, struct bus_session *session, enum bus_close_reason reason);
void door_bus_publish(
    struct intake *in, struct bus_session *session, const Turunc__V1__ClientFrame *frame);

#endif
