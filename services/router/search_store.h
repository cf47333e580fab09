/* search_store - the SQL of searching and of keeping what is searched (0016). */
#ifndef ROUTER_SEARCH_STORE_H
#define ROUTER_SEARCH_STORE_H

#include "db.h"

enum search_statement {
	SEARCH_POSITION, /* -> seq, the log's last seq */
	SEARCH_CONTACTS, /* after, through -> contacts of tickets that are new, moved or spoken of
			  */
	SEARCH_PUT, /* from, to, contacts, tickets, texts: raises TU001 when it is elsewhere */
	SEARCH_NEWEST, /* query, contacts to look at, limit -> tickets, newest first */
	SEARCH_ALL, /* query, limit -> the same, of all there are */
	SEARCH_STATEMENTS
};
extern const struct db_statement search_statements[SEARCH_STATEMENTS];

enum search_contact_column {
	SOUGHT_CONTACT,
	SOUGHT_TICKET,
	SOUGHT_DEPARTMENT,
	SOUGHT_NAME,
	SOUGHT_PHONE,
	SOUGHT_EMAIL,
	SOUGHT_ADDRESS,
	SOUGHT_DESCRIPTION,
};

#endif
