/* Writes the lists that stand beside files of applications. */
#include "cimer_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "number.h"

enum { ROW_BYTES = 600, ROWS_BESIDE = 8 };
static const char mark[] = "\xef\xbb\xbf";

static const struct cimer_words as_words[CIMER_AS_COUNT] = {
	[CIMER_AS_OPENED] = { "Kayıt açıldı.", "Opened." },
	[CIMER_AS_KNOWN] = { "Daha önce alınmış.", "Taken before." },
	[CIMER_AS_DIFFERENT] = { "Daha önce başka içerikle alınmış; yeni içerik alınmadı, kontrol "
				 "ediniz.",
	    "Taken before with other content; the new content was not taken, please compare." },
};

static char *
begin(struct csv_writer *w, size_t rows, const char *const *header, size_t columns)
{
	size_t size = (rows + ROWS_BESIDE) * ROW_BYTES;
	char *out = malloc(size);

	if (out == NULL)
		return NULL;
	memcpy(out, mark, sizeof(mark) - 1);
	csv_start(w, out + sizeof(mark) - 1, size - sizeof(mark), true);
	w->separator = ';';
	for (size_t i = 0; i < columns; i++)
		csv_field(w, header[i]);
	csv_end_row(w);
	return out;
}

static char *
end(struct csv_writer *w, char *out, size_t *ret_len)
{
	if (!csv_finish(w)) {
		free(out);
		return NULL;
	}
	*ret_len = strlen(out);
	return out;
}

char *
cimer_report_tickets(const struct cimer_outcome *outcomes, size_t count, size_t *ret_len)
{
	static const char *const header[] = { "satır", "başvuru no", "kayıt no", "sonuç",
		"outcome" };
	struct csv_writer w;
	char *out = begin(&w, count, header, ARRAY_LEN(header));

	for (size_t i = 0; out != NULL && i < count; i++) {
		const struct cimer_outcome *o = &outcomes[i];
		char line[16], number[NUMBER_SIZE];
		(void)snprintf(line, sizeof(line), "%d", o->line);
		csv_field(&w, line);
		csv_field(&w, o->reference);
		csv_field(&w, number_format(o->ticket_id, number) ? number : "");
		csv_field(&w, as_words[o->as].tr);
		csv_field(&w, as_words[o->as].en);
		csv_end_row(&w);
	}
	return out == NULL ? NULL : end(&w, out, ret_len);
}

static void
add_error(struct csv_writer *w, int line, const struct cimer_words *field, struct cimer_words words)
{
	char digits[16] = "";

	if (line > 0)
		(void)snprintf(digits, sizeof(digits), "%d", line);
	csv_field(w, digits);
	csv_field(w, field == NULL ? "" : field->tr);
	csv_field(w, words.tr);
	csv_field(w, field == NULL ? "" : field->en);
	csv_field(w, words.en);
	csv_end_row(w);
}

char *
cimer_report_errors(const struct cimer_sheet *sheet, struct cimer_words words,
    const struct cimer_words *field, int line, size_t *ret_len)
{
	static const char *const header[] = { "satır", "sütun", "sorun", "column", "problem" };
	size_t kept = 0;
	const struct cimer_row_error *errors = sheet == NULL ? NULL
							     : cimer_sheet_errors(sheet, &kept);
	struct csv_writer w;
	char *out = begin(&w, kept, header, ARRAY_LEN(header));

	if (out == NULL)
		return NULL;
	add_error(&w, line, field, words);
	for (size_t i = 0; i < kept; i++) {
		struct cimer_words name = cimer_words_of_field(errors[i].field);
		add_error(&w, errors[i].line, &name, cimer_words_of_row(errors[i].error));
	}
	if (sheet != NULL && cimer_sheet_error_count(sheet) > kept) {
		static const struct cimer_words more = { "Başka hatalar da var; burada ilk 500'ü.",
			"There are more errors; these are the first 500." };
		add_error(&w, 0, NULL, more);
	}
	return end(&w, out, ret_len);
}
