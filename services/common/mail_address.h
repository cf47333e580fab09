/* mail_address - which e-mail addresses are taken: those that need no escaping anywhere. */
#ifndef TURUNC_MAIL_ADDRESS_H
#define TURUNC_MAIL_ADDRESS_H

#include <stdbool.h>

enum { MAIL_ADDRESS_MAX = 254 };

/* One @, a domain with a dot, printable ASCII without spaces, quotes or angle brackets: what can
 * stand in SMTP commands and headers without any escaping. */
bool mail_address_valid(const char *address);

#endif
