/* Whatever somebody calls themselves: what may stand in a mail holds no address of anything. */
#include "fuzz.h"
#include "salutation.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = copy_text(data, size);

	if (salutation_is_name(name)) {
		HOLDS(name[0] != '\0' && strlen(name) <= 4 * SALUTATION_CHARS_MAX);
		HOLDS(strpbrk(name, "0123456789/:@\\<>&\"\r\n\t,;()[]{}=?%#_~+*|") == NULL);
		HOLDS(strstr(name, "www") == NULL && strstr(name, "WWW") == NULL);
		for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
			HOLDS(dot > name && (dot[1] == ' ' || dot[1] == '\0'));
	}
	free(name);
	return 0;
}
