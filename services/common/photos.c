/* Takes the photos of a form, and says what is wrong with them. */
#include "photos.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "http.h"
#include "log.h"

enum { BYTES_PER_MB = 1024 * 1024, PIXELS_PER_MP = 1000 * 1000 };
static const char field[] = "photo";

/* # stands for the photo's place, @ for the limit that it is over. */
static const char *const refused[PHOTO_RESULTS][CATALOGUE_LANGUAGES] = {
	[PHOTO_UNKNOWN] = { "#. dosya fotoğraf değil: JPEG, PNG ya da WebP olmalı.",
	    "File # is no photo: it must be a JPEG, PNG or WebP." },
	[PHOTO_HEIC] = { "#. fotoğraf HEIC biçiminde; JPEG olarak kaydedip yeniden seçin.",
	    "Photo # is a HEIC file; save it as JPEG and choose it again." },
	[PHOTO_INCOMPLETE] = { "#. fotoğraf yarım: dosyanın sonu eksik.",
	    "Photo # is incomplete: the end of the file is missing." },
	[PHOTO_BROKEN] = { "#. fotoğrafın dosyası bozuk.", "The file of photo # is broken." },
	[PHOTO_MOVES] = { "#. dosya hareketli; yalnız fotoğraf gönderilebilir.",
	    "File # is an animation; only photos can be sent." },
	[PHOTO_TOO_MANY_PIXELS] = { "#. fotoğrafın ölçüleri çok büyük: en çok @ megapiksel.",
	    "Photo # has too many pixels: @ megapixels at most." },
	[PHOTO_NO_MEMORY] = { "#. fotoğraf şu anda alınamadı; birazdan yeniden gönderin.",
	    "Photo # could not be taken just now; send it again shortly." },
};
static const char *const others[][CATALOGUE_LANGUAGES] = {
	[PHOTOS_FINE] = { "", "" },
	[PHOTOS_TOO_MANY] = { "En çok üç fotoğraf gönderilebilir.",
	    "Three photos can be sent at most." },
	[PHOTOS_TOO_LARGE] = { "#. fotoğraf çok büyük: en çok @ MB.",
	    "Photo # is too large: @ MB at most." },
	[PHOTOS_REFUSED] = { "", "" },
	[PHOTOS_NOT_KEPT] = { "Fotoğraflar şu anda saklanamıyor ve hiçbir şey kaydedilmedi. "
			      "Birazdan "
			      "yeniden ya da fotoğrafsız gönderin.",
	    "Photos cannot be kept just now, and nothing was stored. Send it again shortly, or "
	    "without photos." },
	[PHOTOS_TOO_OFTEN] = { "Buradan kısa sürede çok sayıda fotoğraf geldi; hiçbir şey "
			       "kaydedilmedi. Bir dakika sonra yeniden ya da hemen fotoğrafsız "
			       "gönderin.",
	    "Many photos came from here in a short time; nothing was stored. Send it again in a "
	    "minute, or at once without photos." },
};

static void
fill_in(const char *pattern, size_t place, unsigned limit, char ret_text[PHOTOS_WORDS_BYTES])
{
	size_t len = 0;

	for (; *pattern != '\0'; pattern++) {
		char number[24] = { *pattern };
		if (*pattern == '#')
			(void)snprintf(number, sizeof(number), "%zu", place);
		else if (*pattern == '@')
			(void)snprintf(number, sizeof(number), "%u", limit);
		size_t n = strlen(number);
		assert(len + n < PHOTOS_WORDS_BYTES);
		memcpy(ret_text + len, number, n);
		len += n;
	}
	ret_text[len] = '\0';
}

void
photos_words(const struct photos_fault *fault, enum catalogue_language language,
    char ret_text[PHOTOS_WORDS_BYTES])
{
	bool pixels = fault->problem == PHOTOS_REFUSED;
	const char *format = pixels ? refused[fault->result][language]
				    : others[fault->problem][language];
	unsigned limit = pixels ? (unsigned)(fault->limits.pixels / PIXELS_PER_MP)
				: (unsigned)(fault->limits.each_bytes / BYTES_PER_MB);

	assert(format != NULL);
	fill_in(format, fault->place, limit, ret_text);
}

/* --- reading ------------------------------------------------------------------------------------
 */

static struct photos_fault
read_one(struct photos *p, const struct http_file *file, const struct photos_limits *limits)
{
	struct photos_fault fault = { .place = p->count + 1, .limits = *limits };

	if (p->count == PHOTOS_MAX) {
		fault.problem = PHOTOS_TOO_MANY;
	} else if (file->len > limits->each_bytes) {
		fault.problem = PHOTOS_TOO_LARGE;
	} else {
		fault.result = photo_clean(
		    file->data, file->len, limits->pixels, &p->clean[p->count]);
		if (fault.result == PHOTO_OK)
			p->count++;
		else
			fault.problem = PHOTOS_REFUSED;
	}
	return fault;
}

bool
photos_sent(const struct http_request *req)
{
	for (size_t i = 0; i < http_file_count(req); i++)
		if (strcmp(http_file_at(req, i)->field, field) == 0)
			return true;
	return false;
}

struct photos_fault
photos_read(struct photos *p, const struct http_request *req, const struct photos_limits *limits)
{
	struct photos_fault fault = { 0 };

	*p = (struct photos){ 0 };
	for (size_t i = 0; i < http_file_count(req) && fault.problem == PHOTOS_FINE; i++) {
		const struct http_file *file = http_file_at(req, i);
		if (strcmp(file->field, field) == 0)
			fault = read_one(p, file, limits);
	}
	if (fault.problem != PHOTOS_FINE)
		photos_finish(p);
	return fault;
}

void
photos_digest(const struct photos *p, size_t i, char ret_hex[DIGEST_HEX_SIZE])
{
	struct digest digest;

	assert(i < p->count);
	digest_sha256(p->clean[i].data, p->clean[i].len, &digest);
	digest_format(&digest, ret_hex);
}

/* --- storing ------------------------------------------------------------------------------------
 */

static void
free_pictures(struct photos *p)
{
	for (size_t i = 0; i < p->count; i++)
		photo_finish(&p->clean[i]);
	p->count = 0;
}

/* What accept_items reads; numbers and hexadecimal, nothing of the sender's. */
static void
write_json(struct photos *p)
{
	size_t len = 0;

	for (size_t i = 0; i < p->stored_count; i++) {
		const struct attachment *a = &p->stored[i];
		char digest[DIGEST_HEX_SIZE], salt[2 * ATTACHMENT_SALT_BYTES + 1];
		digest_format(&a->digest, digest);
		(void)sodium_bin2hex(salt, sizeof(salt), a->salt, sizeof(a->salt));
		int n = snprintf(p->json + len, sizeof(p->json) - len,
		    "%s{\"digest\":\"%s\",\"salt\":\"%s\",\"type\":%d,\"bytes\":%u,\"width\":%u,"
		    "\"height\":%u}%s",
		    i == 0 ? "[" : ",", digest, salt, (int)a->type, a->bytes, a->width, a->height,
		    i + 1 == p->stored_count ? "]" : "");
		assert(n > 0 && (size_t)n < sizeof(p->json) - len);
		len += (size_t)n;
	}
}

struct photos_fault
photos_store(struct photos *p, struct attachments *store)
{
	struct photos_fault fault = { 0 };

	p->store = store;
	for (size_t i = 0; i < p->count && fault.problem == PHOTOS_FINE; i++) {
		enum attachments_result result = attachments_store(
		    store, &p->clean[i], &p->stored[i]);
		if (result == ATTACHMENT_STORED) {
			p->stored_count++;
			continue;
		}
		log_error("a photo was not stored, who sent it is told why=%s",
		    log_quoted(result == ATTACHMENT_FULL ? "no room" : strerror(errno)));
		fault = (struct photos_fault){ .problem = PHOTOS_NOT_KEPT, .place = i + 1 };
	}
	free_pictures(p);
	if (fault.problem == PHOTOS_FINE)
		write_json(p);
	else
		photos_drop(p);
	return fault;
}

void
photos_drop(struct photos *p)
{
	for (size_t i = 0; i < p->stored_count; i++)
		if (!attachments_remove(p->store, &p->stored[i].digest))
			log_warn(
			    "a photo of nobody's could not be removed, a later look will why=%s",
			    log_quoted(strerror(errno)));
	p->stored_count = 0;
	p->json[0] = '\0';
	free_pictures(p);
}

void
photos_finish(struct photos *p)
{
	free_pictures(p);
}
