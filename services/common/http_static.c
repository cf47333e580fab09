/* Reads a tree of files into memory and answers requests from there. */
#include "http_static.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.h"
#include "http.h"

enum { PATH_SIZE = 256, DEPTH_MAX = 8, ETAG_HEX = 16 };

struct entry {
	char *path;
	const void *data;
	void *owned; /* data, when it was read from a file */
	size_t len;
	const char *type;
	char etag[ETAG_HEX + 3];
};

struct http_static {
	struct entry entries[HTTP_STATIC_FILES]; /* by path */
	size_t count;
	size_t bytes;
};

static const struct {
	const char *ending;
	const char *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".jpg", "image/jpeg" },
	{ ".webp", "image/webp" },
	{ ".ico", "image/x-icon" },
	{ ".woff2", "font/woff2" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".csv", "text/csv; charset=utf-8" },
	{ ".xml", "application/xml" },
};

static const char *
type_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < ARRAY_LEN(types); i++)
		if (strcasecmp(dot, types[i].ending) == 0)
			return types[i].type;
	return "application/octet-stream";
}

static int
compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

/* Room was looked for before.  NULL, or what is wrong. */
static const char *
add_entry(struct http_static *table, const char *path, const void *data, size_t len)
{
	struct entry *e = &table->entries[table->count];
	struct digest digest;
	char hex[DIGEST_HEX_SIZE];

	*e =
	    (struct entry){ .path = strdup(path), .data = data, .len = len, .type = type_of(path) };
	if (e->path == NULL)
		return "out of memory";
	digest_sha256(data, len, &digest);
	digest_format(&digest, hex);
	snprintf(e->etag, sizeof(e->etag), "\"%.*s\"", ETAG_HEX, hex);
	table->count++;
	table->bytes += len;
	return NULL;
}

static bool
read_whole(int fd, char *data, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(fd, data + got, len - got);
		if (n > 0)
			got += (size_t)n;
		else if (n == 0 || errno != EINTR)
			return false;
	}
	return true;
}

static const char *
add_file(struct http_static *table, int fd, const struct stat *about, const char *path)
{
	size_t len = (size_t)about->st_size;

	if (table->count == HTTP_STATIC_FILES)
		return "too many files to hand out";
	if (len > HTTP_STATIC_BYTES - table->bytes)
		return "the files to hand out are too large";
	char *data = malloc(len + 1);
	if (data == NULL)
		return "out of memory";
	const char *why = read_whole(fd, data, len) ? add_entry(table, path, data, len)
						    : "cannot read a file to hand out";
	if (why != NULL)
		free(data);
	else
		table->entries[table->count - 1].owned = data;
	return why;
}

static const char *add_directory(struct http_static *table, int fd, const char *prefix, int depth);

/* One name of a directory; fd is the directory's. */
static const char *
add_name(struct http_static *table, int fd, const char *prefix, const char *name, int depth)
{
	char path[PATH_SIZE];
	struct stat about;
	const char *why;
	int len = snprintf(path, sizeof(path), "%s%s", prefix, name);

	if (len < 0 || (size_t)len >= sizeof(path) - 1)
		return "the path of a file to hand out is too long";
	int file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (file == -1)
		return "cannot open a file to hand out";
	if (fstat(file, &about) == -1) {
		why = "cannot look at a file to hand out";
	} else if (S_ISDIR(about.st_mode)) {
		path[len] = '/';
		path[len + 1] = '\0';
		return add_directory(table, file, path, depth + 1);
	} else if (!S_ISREG(about.st_mode)) {
		errno = 0;
		why = "among the files to hand out is one that is no file";
	} else {
		why = add_file(table, file, &about, path);
	}
	close(file);
	return why;
}

/* Takes fd.  NULL, or what is wrong. */
static const char *
add_directory(struct http_static *table, int fd, const char *prefix, int depth)
{
	const char *why = NULL;
	const struct dirent *name;
	DIR *dir = depth > DEPTH_MAX ? NULL : fdopendir(fd);

	if (dir == NULL) {
		close(fd);
		return "cannot list a directory of files to hand out";
	}
	while (why == NULL && (name = readdir(dir)) != NULL)
		if (name->d_name[0] != '.')
			why = add_name(table, fd, prefix, name->d_name, depth);
	closedir(dir);
	return why;
}

struct http_static *
http_static_open(const char *directory, const char **ret_why)
{
	struct http_static *table = calloc(1, sizeof(*table));
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *why = "cannot open the directory of files to hand out";

	if (table != NULL && fd != -1)
		why = add_directory(table, fd, "", 0);
	else if (fd != -1)
		close(fd);
	if (why != NULL) {
		int saved_errno = errno;
		http_static_close(table);
		errno = saved_errno;
		*ret_why = why;
		return NULL;
	}
	qsort(table->entries, table->count, sizeof(table->entries[0]), compare_entries);
	return table;
}

struct http_static *
http_static_create(const struct http_static_file files[], size_t count)
{
	struct http_static *table = calloc(1, sizeof(*table));

	for (size_t i = 0; table != NULL && i < count; i++) {
		if (i == HTTP_STATIC_FILES
		    || add_entry(table, files[i].path, files[i].data, files[i].len) != NULL) {
			http_static_close(table);
			return NULL;
		}
	}
	if (table != NULL)
		qsort(table->entries, table->count, sizeof(table->entries[0]), compare_entries);
	return table;
}

void
http_static_close(struct http_static *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->count; i++) {
		free(table->entries[i].path);
		free(table->entries[i].owned);
	}
	free(table);
}

size_t
http_static_count(const struct http_static *table)
{
	return table->count;
}

static const struct entry *
find_entry(const struct http_static *table, const char *path)
{
	char index_path[PATH_SIZE + sizeof("index.html")];
	size_t len = strlen(path);
	struct entry key = { .path = index_path };

	if (len >= PATH_SIZE)
		return NULL;
	snprintf(index_path, sizeof(index_path), "%s%s", path,
	    len == 0 || path[len - 1] == '/' ? "index.html" : "");
	return bsearch(
	    &key, table->entries, table->count, sizeof(table->entries[0]), compare_entries);
}

void
http_static_reply(const struct http_static *table, struct http_request *req, const char *path)
{
	const struct entry *e = find_entry(table, path);

	if (e == NULL) {
		http_reply_error(req, 404, "there is nothing at this path");
		return;
	}
	const struct http_field fields[] = { { "ETag", e->etag } };
	struct http_response response = {
		.status = 304, .cache_control = "no-cache", .fields = fields, .field_count = 1
	};
	if (!http_etag_matches(req, e->etag)) {
		response.status = 200;
		response.content_type = e->type;
		response.data = e->data;
		response.len = e->len;
	}
	http_reply(req, &response);
}
