/* Heads of the log that earlier checks found right, kept outside the database that they witness
 * against: one line a check, "LOG_ID SEQ HASH". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failpoint.h"
#include "log_verify.h"

enum { LINE_SIZE = 160 };

static bool
heads_path(char *path, size_t size)
{
	const char *folder = masa_env("TURUNC_STATE_DIR", NULL);

	return folder != NULL && snprintf(path, size, "%s/log-heads", folder) < (int)size;
}

static bool
parse_head(const char *line, char log_id[UUID_TEXT_SIZE], int64_t *ret_seq, struct digest *ret_hash)
{
	char hash[DIGEST_HEX_SIZE];
	struct uuid id;

	return sscanf(line, "%36s %" SCNd64 " %64s", log_id, ret_seq, hash) == 3 && *ret_seq > 0
	       && uuid_parse(log_id, strlen(log_id), &id)
	       && digest_parse(hash, strlen(hash), ret_hash);
}

/* How far a history is the same as the present one: INT64_MAX when it is the present one. */
static enum exit_code
common_seq(struct masa *m, const char *log_id, int64_t *ret_seq)
{
	const char *values[] = { log_id };
	PGresult *result;
	enum exit_code code = masa_query(
	    m, "SELECT turunc.last_common_seq($1::uuid)", 1, values, &result);

	if (code != MASA_OK)
		return code;
	*ret_seq = PQgetisnull(result, 0, 0) ? INT64_MAX
					     : strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return MASA_OK;
}

enum exit_code
log_heads_read(struct log_verifier *v)
{
	char path[4096], line[LINE_SIZE], log_id[UUID_TEXT_SIZE], last_id[UUID_TEXT_SIZE] = "";
	FILE *file = heads_path(path, sizeof(path)) ? fopen(path, "re") : NULL;
	int64_t seq, common = 0;
	struct digest hash;
	enum exit_code code = MASA_OK;

	while (code == MASA_OK && file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (!parse_head(line, log_id, &seq, &hash))
			continue;
		if (strcmp(log_id, last_id) != 0) {
			code = common_seq(v->m, log_id, &common);
			memcpy(last_id, log_id, sizeof(last_id));
		}
		/* What a restore left behind may well be gone. */
		if (code == MASA_OK && seq <= common)
			log_verifier_witness(v, seq, &hash);
	}
	if (file != NULL)
		fclose(file);
	return code;
}

/* The file's last lines, in one block that the caller frees; NULL: none. */
static char *
read_last_lines(const char *path)
{
	char *text = malloc((size_t)LOG_WITNESSES_MAX * LINE_SIZE);
	FILE *file = fopen(path, "re");
	char line[LINE_SIZE];
	size_t count = 0, used = 0;

	if (text != NULL)
		text[0] = '\0';
	while (text != NULL && file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (count == LOG_WITNESSES_MAX - 1) {
			size_t first = strcspn(text, "\n") + 1;
			used -= first;
			memmove(text, text + first, used + 1);
			count--;
		}
		memcpy(text + used, line, strlen(line) + 1);
		used += strlen(line);
		count++;
	}
	if (file != NULL)
		fclose(file);
	return text;
}

void
log_heads_add(const struct log_verifier *v, const char *log_id)
{
	char path[4096], fresh[4100], hash[DIGEST_HEX_SIZE], line[LINE_SIZE];

	if (!v->any_batch || !heads_path(path, sizeof(path)))
		return;
	digest_format(&v->head, hash);
	snprintf(line, sizeof(line), "%s %" PRId64 " %s\n", log_id, v->next_seq - 1, hash);
	char *former = read_last_lines(path);
	if (former != NULL && strlen(former) >= strlen(line)
	    && strcmp(former + strlen(former) - strlen(line), line) == 0) {
		free(former);
		return;
	}
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	FILE *file = fopen(fresh, "we");
	bool kept = file != NULL && (former == NULL || fputs(former, file) >= 0)
		    && fputs(line, file) >= 0;
	if (file != NULL)
		kept = fclose(file) == 0 && kept;
	if (!kept || failpoint(FAILPOINT_MASA_LOG_HEADS, FAILPOINT_BEFORE)
	    || rename(fresh, path) != 0 || failpoint(FAILPOINT_MASA_LOG_HEADS, FAILPOINT_AFTER))
		fprintf(stderr, "masa: the head could not be noted in %s\n", path);
	free(former);
}
