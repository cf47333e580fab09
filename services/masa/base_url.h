/*
 * base_url - where citizens find the system, put into the municipality's files as they are applied.
 *
 * The address belongs to the place where a system runs, the files to the municipality: the same
 * folder serves a trial on a port of loopback and the real origin.
 */
#ifndef MASA_BASE_URL_H
#define MASA_BASE_URL_H

#include "bundle.h"
#include "masa.h"

/*
 * Puts url in place of the base_url of municipality.csv, there and in other addresses below it
 * (information_text_url).  local_only: only when the files name an address of this machine itself
 * (127.0.0.1, localhost, [::1]), as the worked municipality does.  The files are valid before; the
 * caller checks them again.
 */
MUST_CHECK enum exit_code base_url_put(struct bundle *b, const char *url, bool local_only);

#endif
