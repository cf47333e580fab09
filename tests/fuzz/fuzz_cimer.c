/* A file of CİMER's applications, CSV or a workbook as it lies on disk: the first byte says by what
 * its cells are separated. */
#include <sys/mman.h>
#include <unistd.h>

#include "cimer_sheet.h"
#include "muratpasa_bundle.h"
#include "utf8.h"

static bool
on_row(void *arg, const struct table_row *row)
{
	HOLDS(row->count > 0 && row->count <= TABLE_COLUMNS_MAX);
	for (size_t i = 0; i < row->count; i++) {
		int64_t at_us;
		HOLDS(utf8_valid(row->cells[i], strlen(row->cells[i])));
		HOLDS(strlen(row->cells[i]) < TABLE_ROW_BYTES_MAX);
		if (cimer_date_parse(row->cells[i], &at_us))
			HOLDS(at_us >= -86400 * INT64_C(1000000));
	}
	return cimer_sheet_row(arg, row);
}

static void
check_sheet(struct cimer_sheet *sheet)
{
	size_t count, kept;
	struct cimer_application **all = cimer_sheet_applications(sheet, &count);

	(void)cimer_sheet_errors(sheet, &kept);
	HOLDS(kept <= cimer_sheet_error_count(sheet));
	HOLDS(count == 0 || cimer_sheet_has_header(sheet));
	for (size_t i = 0; i < count; i++) {
		const struct item *item = &all[i]->item;
		HOLDS(item->id != NULL && item->id[0] != '\0' && item->description[0] != '\0');
		HOLDS(item->arrived_us > 0 && item->subject_code[0] != '\0' && !item->is_public);
		HOLDS(utf8_valid(item->description, strlen(item->description)));
		HOLDS(item->name == NULL || utf8_valid(item->name, strlen(item->name)));
		HOLDS(all[i]->unit == NULL || strlen(all[i]->unit) == 8);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[32];
	static const char separators[] = { ';', ',', '\t' };
	const struct item_maker maker = { .secret = secret, .secret_len = sizeof(secret) };
	const struct table_limits limits = { 1 << 20, 1 << 20, 1 << 16, .workbooks = true };
	const struct cimer_limits sheet_limits = { 50, 1 << 16 };

	if (size == 0)
		return 0;
	int fd = memfd_create("cimer", MFD_CLOEXEC);
	HOLDS(fd != -1 && write(fd, data + 1, size - 1) == (ssize_t)size - 1);
	struct table *table = table_open(fd, &limits, separators[data[0] % sizeof(separators)]);
	struct cimer_sheet *sheet = cimer_sheet_create(
	    muratpasa_catalogue(), &maker, &sheet_limits, INT64_C(1796000000000000));
	HOLDS(table != NULL && sheet != NULL);
	enum table_state state;
	size_t steps = 0;
	while ((state = table_step(table, on_row, sheet)) == TABLE_MORE)
		HOLDS(++steps < 1000);
	HOLDS((state == TABLE_FAILED) == (table_problem(table) != TABLE_FINE));
	HOLDS(table_problem(table) != TABLE_UNREADABLE);
	check_sheet(sheet);
	cimer_sheet_destroy(sheet);
	table_destroy(table);
	close(fd);
	return 0;
}
