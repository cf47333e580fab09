#include "http_lab.h"

#include <sys/stat.h>

#include "base.h"
#include "http_common.h"
#include "http_static.h"

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(check_path(name), "w");

	if (CHECK(f != NULL)) {
		fputs(text, f);
		fclose(f);
	}
}

static void
handle_file(struct http_request *req, void *arg)
{
	http_static_reply(arg, req, http_path_param(req, "path"));
}

static const struct http_route routes[] = { { HTTP_GET, "/live/{path*}", handle_file, 0 } };

static const struct {
	const char *path;
	unsigned status;
	const char *type;
	const char *body;
} files[] = {
	{ "", 200, "text/html; charset=utf-8", "<p>board" },
	{ "index.html", 200, "text/html; charset=utf-8", "<p>board" },
	{ "js/board.js", 200, "text/javascript; charset=utf-8", "let a" },
	{ "js/", 404, NULL, NULL },
	{ "js", 404, NULL, NULL },
	{ "data.bin", 200, "application/octet-stream", "" },
	{ ".hidden", 404, NULL, NULL },
	{ "nothing", 404, NULL, NULL },
	{ "..%2findex.html", 400, NULL, NULL },
	{ "%2e%2e/secret", 400, NULL, NULL },
	{ "js/../../secret", 400, NULL, NULL },
	{ "/etc/passwd", 404, NULL, NULL },
};

TEST(test_http_static_files)
{
	static struct answer a;
	char request[1024], etag[512];
	const char *why;
	struct lab lab;

	mkdir(check_path("web"), 0700);
	mkdir(check_path("web/js"), 0700);
	write_file("secret", "secret");
	write_file("web/index.html", "<p>board");
	write_file("web/js/board.js", "let a");
	write_file("web/data.bin", "");
	write_file("web/.hidden", "hidden");
	struct http_static *table = http_static_open(check_path("web"), &why);
	if (!CHECK(table != NULL))
		return;
	CHECK_U64("files", http_static_count(table), 3);
	lab_prepare(&lab);
	if (!lab_open(&lab, routes, 1, table))
		return;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		int len = snprintf(request, sizeof(request),
		    "GET /live/%s HTTP/1.1\r\nHost: a\r\n\r\n", files[i].path);
		close(lab_ask(&lab, request, (size_t)len, &a));
		CHECK_U64(files[i].path, answer_status(a.text), files[i].status);
		if (files[i].type != NULL) {
			CHECK_STR(files[i].path, answer_header(&a, "Content-Type"), files[i].type);
			CHECK_STR(files[i].path, answer_body(&a), files[i].body);
			CHECK_STR(files[i].path, answer_header(&a, "Cache-Control"), "no-cache");
			snprintf(etag, sizeof(etag), "%s", answer_header(&a, "ETag"));
		}
	}
	int len = snprintf(request, sizeof(request),
	    "GET /live/data.bin HTTP/1.1\r\nHost: a\r\nIf-None-Match: %s\r\n\r\n", etag);
	close(lab_ask(&lab, request, (size_t)len, &a));
	CHECK_U64("known to the client", answer_status(a.text), 304);
	CHECK_STR("its tag", answer_header(&a, "ETag"), etag);
	lab_close(&lab);
	http_static_close(table);
}

TEST(test_http_static_refuses)
{
	const char *why = "";

	CHECK(http_static_open(check_path("nothing"), &why) == NULL);
	CHECK_STR("missing", why, "cannot open the directory of files to hand out");
	mkdir(check_path("web"), 0700);
	write_file("secret", "secret");
	CHECK_I64("link", symlink("../secret", check_path("web/link")), 0);
	CHECK(http_static_open(check_path("web"), &why) == NULL);
	CHECK_STR("a link out of the tree", why, "cannot open a file to hand out");
	unlink(check_path("web/link"));
	CHECK_I64("pipe", mkfifo(check_path("web/pipe"), 0600), 0);
	CHECK(http_static_open(check_path("web"), &why) == NULL);
	CHECK_STR("a pipe", why, "among the files to hand out is one that is no file");
	unlink(check_path("web/pipe"));
	write_file("web/huge", "");
	CHECK_I64("huge", truncate(check_path("web/huge"), HTTP_STATIC_BYTES + 1), 0);
	CHECK(http_static_open(check_path("web"), &why) == NULL);
	CHECK_STR("too large", why, "the files to hand out are too large");
}

TEST(test_http_static_embedded)
{
	static const struct http_static_file embedded[] = { { "b.txt", "b", 1 },
		{ "a.txt", "a", 1 } };
	static const char get[] = "GET /live/a.txt HTTP/1.1\r\nHost: a\r\n\r\n";
	static struct answer a;
	struct http_static *table = http_static_create(embedded, ARRAY_LEN(embedded));
	struct lab lab;

	lab_prepare(&lab);
	if (!lab_open(&lab, routes, 1, table))
		return;
	close(lab_ask(&lab, get, sizeof(get) - 1, &a));
	CHECK_STR("body", answer_body(&a), "a");
	lab_close(&lab);
	http_static_close(table);
	http_static_close(NULL);
}
