/* What masa doctor finds at the services and at Redis. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "top_figures.h"

enum { REDIS_PROVED = 7, NOTIFIER = 2 /* of reach_service_name() */ };

static void look_at_redis(struct doctor *d);

static void
look_at_service(struct doctor *d, size_t i)
{
	const char *name = reach_service_name(i);
	const char *log = "its log says why: tail .run/log/NAME/current; deploy/up starts what is "
			  "missing";
	double one;

	if (!d->picture.services[i].asked)
		return;
	if (d->picture.services[i].status == 0) {
		doctor_find(d, DOCTOR_BAD, "services", log, "%s: no answer", name);
		return;
	}
	if (d->picture.services[i].status != 200) {
		char said[300];
		top_say_dependencies(d->picture.services[i].readyz, said, sizeof(said));
		doctor_find(d, DOCTOR_BAD, "services", log, "%s: not ready: %s", name, said);
	}
	if (!samples_sum(d->picture.services[i].samples, "turunc_build_info",
		"version=\"" TURUNC_VERSION "\"", &one))
		doctor_find(d, DOCTOR_BAD, "versions",
		    "deploy/up (in containers: docker-compose up -d) brings all to one version",
		    "%s is not of masa's version, " TURUNC_VERSION, name);
}

/* Where messages leave, as notifier sees it. */
static void
look_at_gateways(struct doctor *d)
{
	static const char *const channels[] = { "email", "sms", "sms-second" };
	const struct samples *notifier = d->picture.services[NOTIFIER].samples;
	char label[40];
	double away;

	if (notifier == NULL) {
		doctor_skip(d, "gateways", "notifier does not say");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(channels); i++) {
		snprintf(label, sizeof(label), "channel=\"%s\"", channels[i]);
		if (samples_sum(notifier, "turunc_notifier_channel_away", label, &away) && away > 0)
			doctor_find(d, DOCTOR_BAD, "gateways",
			    "is it up, and is TURUNC_SMTP_URL or TURUNC_SMS_URL right? what waits "
			    "leaves "
			    "by itself when it answers (docs/messages.md)",
			    "%s: nobody answers where these messages leave, and they wait",
			    channels[i]);
	}
	doctor_looked(d, "gateways");
}

void
doctor_parts(struct doctor *d)
{
	bool any = false;

	for (size_t i = 0; i < REACH_SERVICES; i++) {
		look_at_service(d, i);
		any = any || d->picture.services[i].asked;
	}
	if (any) {
		doctor_looked(d, "services");
		doctor_looked(d, "versions");
	} else {
		doctor_skip(d, "services", "TURUNC_URL_INTAKE and the others are not set");
	}
	look_at_gateways(d);
	if (masa_env("TURUNC_REDIS", NULL) != NULL)
		look_at_redis(d);
	else
		doctor_skip(d, "redis", "TURUNC_REDIS is not set");
}

/* --- Redis ------------------------------------------------------------------------------------
 */

static redisContext *
connect_redis(const char *address)
{
	const struct timeval limit = { .tv_sec = 2 };
	char host[256];

	if (address[0] == '/' || strncmp(address, "unix:", 5) == 0)
		return redisConnectUnixWithTimeout(
		    address[0] == '/' ? address : address + 5, limit);
	const char *colon = strrchr(address, ':');
	snprintf(host, sizeof(host), "%.*s", (int)(colon != NULL ? colon - address : 0), address);
	return redisConnectWithTimeout(host, colon != NULL ? atoi(colon + 1) : 6379, limit);
}

static void
sign_in(redisContext *redis)
{
	const char *path = masa_env("TURUNC_REDIS_PASSWORD_FILE", NULL);
	FILE *file = path != NULL ? fopen(path, "re") : NULL;
	char password[256] = "";

	if (file == NULL)
		return;
	if (fgets(password, sizeof(password), file) != NULL)
		password[strcspn(password, "\n")] = '\0';
	fclose(file);
	freeReplyObject(redisCommand(redis, "AUTH %s", password));
}

static void
look_at_version(struct doctor *d, redisContext *redis)
{
	redisReply *reply = redisCommand(redis, "INFO server");
	const char *at = reply != NULL && reply->type == REDIS_REPLY_STRING
			     ? strstr(reply->str, "redis_version:")
			     : NULL;
	const char *version = at != NULL ? at + strlen("redis_version:") : "";

	if (at != NULL && atoi(version) != REDIS_PROVED)
		doctor_find(d, DOCTOR_NOTE, "versions", "Turunç is proved on Redis 7", "Redis %.*s",
		    (int)strcspn(version, "\r\n"), version);
	freeReplyObject(reply);
}

static void
look_at_redis(struct doctor *d)
{
	redisContext *redis = connect_redis(masa_env("TURUNC_REDIS", ""));

	doctor_looked(d, "redis");
	if (redis == NULL || redis->err != 0) {
		doctor_find(d, DOCTOR_BAD, "redis",
		    "start it (deploy/up); the board is rebuilt by itself, no ticket depends on it",
		    "cannot be reached");
		redisFree(redis);
		return;
	}
	(void)redisSetTimeout(redis, (struct timeval){ .tv_sec = 2 });
	sign_in(redis);
	redisReply *reply = redisCommand(redis, "CONFIG GET maxmemory-policy");
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2
	    || strcmp(reply->element[1]->str, "noeviction") != 0)
		doctor_find(d, DOCTOR_BAD, "redis",
		    "set it in redis.conf: eviction would make the board show less than there is",
		    "maxmemory-policy is not noeviction, or may not be asked");
	freeReplyObject(reply);
	look_at_version(d, redis);
	redisFree(redis);
}
