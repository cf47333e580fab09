/* A request's head that comes in pieces: the same verdict however it is cut. */
#include "fuzz.h"
#include "http_head.h"

enum { MOST = 4096 };

static struct http_verdict
scan_whole(const char *text, size_t len, size_t *ret_head_len)
{
	struct http_head_scan scan = { 0 };
	struct http_verdict verdict = http_head_scan(&scan, text, len, MOST);

	*ret_head_len = scan.head_len;
	return verdict;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	size_t step = 1 + take_byte(&in) % 32, head_len, len = 0;
	char *text = copy_text(in.at, in.left);
	struct http_verdict whole = scan_whole(text, in.left, &head_len), cut = { 0 };
	struct http_head_scan scan = { 0 };

	while (len < in.left && scan.head_len == 0 && cut.status == 0) {
		len = len + step < in.left ? len + step : in.left;
		char *piece = copy_text(text, len);
		cut = http_head_scan(&scan, piece, len, MOST);
		free(piece);
	}
	HOLDS(whole.status == 0 || whole.why != NULL);
	if (head_len > 0 || scan.head_len > 0)
		HOLDS(scan.head_len == head_len);
	if (head_len > 0 && whole.status == 0) {
		struct http_head head;
		char *exact = malloc(head_len);
		memcpy(exact, text, head_len);
		struct http_verdict verdict = http_head_parse(exact, head_len, &head);
		HOLDS(verdict.status == 0 || (verdict.status >= 400 && verdict.why != NULL));
		if (verdict.status == 0) {
			HOLDS(head.target >= exact
			      && head.target + head.target_len <= exact + head_len);
			HOLDS(memchr(exact, '\0', head_len) == NULL);
			HOLDS(head.content_length <= INT64_MAX);
		}
		free(exact);
	}
	free(text);
	return 0;
}
