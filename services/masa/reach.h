/* reach - asks a service whether it is ready, over HTTP, briefly. */
#ifndef MASA_REACH_H
#define MASA_REACH_H

#include <stddef.h>

enum { REACH_SERVICES = 4 };

const char *reach_service_name(size_t service);

/* "ready", "not ready", "no answer", or "" when its address is not set; detail holds what it said,
 * cut to size. */
const char *reach_service(size_t service, char *detail, size_t size);

#endif
