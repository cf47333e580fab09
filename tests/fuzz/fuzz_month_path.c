/* Addresses of reports and open data: what is taken for a month is one, printed again it is the
 * same address, and all that is reckoned from it lies within time. */
#include "fuzz.h"
#include "http_text.h"
#include "month.h"
#include "month_turn.h"
#include "open_data_files.h"

/* As reports.c and open_data.c have them. */
static const char *const patterns[] = { "/reports/{month}/press", "/reports/{month}/press.txt",
	"/reports/{month}.{format}", "/reports/{month}", "/open-data/{month}",
	"/open-data/{month}/{file}" };

static void
check_month(const char *text)
{
	char again[MONTH_TEXT_SIZE], title[80], small[5];
	int32_t month;

	if (!month_parse(text, &month))
		return;
	month_format(month, again);
	HOLDS(strcmp(again, text) == 0);
	HOLDS(month >= 197001 && month <= 299912 && month % 100 >= 1 && month % 100 <= 12);
	HOLDS(month_add(month_add(month, -1), 1) == month && month_add(month, 12) == month + 100);
	HOLDS(month_of(month_start_us(month)) == month);
	HOLDS(month_start_us(month_add(month, 1)) - month_start_us(month)
	      >= INT64_C(86400000000) * (month_days(month) - 1));
	HOLDS(month_published_us(month) > month_start_us(month_add(month, 1)));
	for (int language = 0; language < CATALOGUE_LANGUAGES; language++) {
		month_title(month, language, title, sizeof(title));
		HOLDS(strlen(title) >= 8 && strlen(title) < sizeof(title) - 1);
		month_title(month, language, small, sizeof(small));
		HOLDS(strlen(small) < sizeof(small));
	}
}

static void
check_file(const char *name)
{
	enum open_data_file file;

	if (!open_data_file_named(name, &file))
		return;
	HOLDS(file < OPEN_DATA_FILES && strcmp(open_data_file_name(file), name) == 0);
	HOLDS(open_data_content_type(file)[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *target = copy_text(data, size), *path = malloc(size + 1);
	const char *query;
	size_t query_len;

	if (http_path_decode(target, size, path, &query, &query_len) == NULL)
		for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
			struct http_captures found;
			if (!http_pattern_match(patterns[i], path, &found))
				continue;
			for (size_t c = 0; c < found.count; c++) {
				char *part = copy_text(path + found.of[c].at, found.of[c].len);
				check_month(part);
				check_file(part);
				free(part);
			}
		}
	free(path);
	free(target);
	return 0;
}
