/* said_page - what people read where there is no report, no open data or no board for them, and
 * why. */
#ifndef METRICS_SAID_PAGE_H
#define METRICS_SAID_PAGE_H

struct http_request;

enum said {
	SAID_NO_REPORT,
	SAID_REPORTS_AWAY,
	SAID_NO_OPEN_DATA,
	SAID_OPEN_DATA_AWAY,
	SAID_NOT_SHOWN
};

/* Answers with a page in the request's language: 403, 404, or 503 and when to ask again. */
void said_page_reply(struct http_request *req, enum said what);

#endif
