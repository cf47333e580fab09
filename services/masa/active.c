/* The configuration in force, out of the record. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "masa.h"

enum exit_code
masa_load_active(struct masa *m, struct bundle *ret_bundle, char *ret_version, size_t size)
{
	PGresult *result;
	const char *why = "";

	ret_version[0] = '\0';
	enum exit_code code = masa_query(m,
	    "SELECT a.version, f.name, encode(f.content, 'hex') FROM turunc.config_active a"
	    " JOIN turunc.config_file f USING (version)",
	    0, NULL, &result);
	if (code != MASA_OK)
		return code;
	for (int row = 0; code == MASA_OK && row < PQntuples(result); row++) {
		const char *hex = PQgetvalue(result, row, 2);
		size_t hex_len = strlen(hex), len = 0;
		unsigned char *content = malloc(hex_len / 2 + 1);
		snprintf(ret_version, size, "%s", PQgetvalue(result, row, 0));
		if (content == NULL
		    || sodium_hex2bin(content, hex_len / 2 + 1, hex, hex_len, NULL, &len, NULL) != 0
		    || !bundle_add(ret_bundle, PQgetvalue(result, row, 1), content, len, &why))
			code = masa_fail(
			    MASA_FAILED, "the version in force cannot be read: %s", why);
		free(content);
	}
	PQclear(result);
	return code;
}
