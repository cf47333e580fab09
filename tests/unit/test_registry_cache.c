/* Catalogue and rights come back from their file as they went in, or not at all. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "check.h"
#include "registry_cache.h"

static const char *const sources[] = { "pbx", "web*" };
static const char *const all[] = { "*" };
static const char public_key[] = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";

static struct acl *
make_acl(void)
{
	static struct digest key;
	struct acl_complaint complaint;
	struct acl *acl = acl_create();

	acl_api_key_digest("anahtar", 7, &key);
	const struct acl_row rows[] = {
		{ .name = "santral",
		    .public_key = public_key,
		    .verbs = ACL_PUBLISH | ACL_COMMAND,
		    .sources = { sources, 2 },
		    .types = { all, 1 },
		    .departments = { all, 1 },
		    .personal = ACL_PERSONAL_MASKED,
		    .expires_us = 1772440000000000,
		    .max_events = 77 },
		{ .name = "uygulama", .api_key = &key, .verbs = ACL_PUBLISH, .revoked = true },
	};
	CHECK(acl_replace(acl, rows, ARRAY_LEN(rows), &complaint) && complaint.skipped == 0);
	return acl;
}

static bool
write_cache(const struct acl *acl)
{
	struct registry_head head = { .log_id = "0192f0c1-2345-7abc-8def-0123456789ab",
		.seq = 42,
		.has_hash = true,
		.hash = { 1, 2, 3 } };
	struct bundle files;
	const char *why;

	bundle_init(&files);
	CHECK(bundle_add(&files, "subjects.csv", "a;\0b", 4, &why));
	bool written = registry_cache_write(check_path("registry"), &head, acl, &files);
	bundle_finish(&files);
	return written;
}

TEST(test_rights_and_files_come_back)
{
	struct acl *acl = make_acl(), *back = acl_create();
	struct registry_head head = { 0 };
	struct bundle files;

	CHECK(write_cache(acl));
	bundle_init(&files);
	if (!CHECK(registry_cache_read(check_path("registry"), &head, back, &files)))
		return;
	CHECK_STR("log", head.log_id, "0192f0c1-2345-7abc-8def-0123456789ab");
	CHECK_U64("head", head.seq, 42);
	CHECK_TRUE("hash", head.has_hash && head.hash[2] == 3);
	CHECK_U64("clients", acl_count(back), 2);
	const struct acl_client *c = acl_find_key(back, public_key);
	if (CHECK(c != NULL)) {
		CHECK_STR("name", c->name, "santral");
		CHECK_U64("verbs", c->verbs, ACL_PUBLISH | ACL_COMMAND);
		CHECK_TRUE("sources", acl_allows_source(c, "web-form"));
		CHECK_FALSE("and no others", acl_allows_source(c, "mail"));
		CHECK_TRUE("departments", acl_allows_all_departments(c));
		CHECK_U64("personal", c->personal, ACL_PERSONAL_MASKED);
		CHECK_I64("expires", c->expires_us, 1772440000000000);
		CHECK_U64("events", c->max_events, 77);
	}
	c = acl_find_api_key(back, "anahtar", 7);
	CHECK_TRUE("a revoked one is found revoked", c != NULL && !acl_in_force(c, 1));
	const struct bundle_file *f = bundle_find(&files, "subjects.csv");
	if (CHECK(f != NULL))
		CHECK_MEM("content", f->data, f->size, "a;\0b", 4);
	bundle_finish(&files);
	acl_destroy(acl);
	acl_destroy(back);
}

TEST(test_a_damaged_or_absent_cache_changes_nothing)
{
	struct acl *acl = make_acl();
	struct registry_head head = { .seq = 7 };
	struct bundle files;

	bundle_init(&files);
	CHECK_FALSE("absent", registry_cache_read(check_path("registry"), &head, acl, &files));
	CHECK(write_cache(acl));
	int fd = open(check_path("registry"), O_RDWR);
	CHECK(fd != -1 && pwrite(fd, "\x01", 1, 60) == 1);
	close(fd);
	CHECK_FALSE("damaged", registry_cache_read(check_path("registry"), &head, acl, &files));
	CHECK(truncate(check_path("registry"), 10) == 0);
	CHECK_FALSE("cut", registry_cache_read(check_path("registry"), &head, acl, &files));
	CHECK_U64("the head is as it was", head.seq, 7);
	CHECK_U64("the rights too", acl_count(acl), 2);
	bundle_finish(&files);
	acl_destroy(acl);
}
