/* notifier_sms - the notifier's parts that have to do with SMS gateways, made and tied to the loop.
 */
#ifndef NOTIFIER_NOTIFIER_SMS_H
#define NOTIFIER_NOTIFIER_SMS_H

#include "notifier.h"

/* False: the settings do not make them, and the log says why. */
MUST_CHECK bool notifier_sms_gateways(struct notifier *n, struct delivery_world *delivery);
/* Asks those that can be asked.  on_news: something may be due to be sent. */
MUST_CHECK bool notifier_sms_asking(
    struct notifier *n, void (*on_news)(void *arg), void (*wake)(void *arg));
/* Where those that call come in, when one has a secret; and the way to intake.  http is open. */
MUST_CHECK bool notifier_sms_door(
    struct notifier *n, void (*on_news)(void *arg), void (*wake)(void *arg));
void notifier_sms_close(struct notifier *n);

int64_t notifier_sms_tick(void *arg, uint64_t now_ms);
void notifier_sms_stop(struct notifier *n);
bool notifier_sms_busy(const struct notifier *n);

/* False: the log says why. */
MUST_CHECK bool notifier_read_keys(const char *folder, const char *server,
    struct key_pair *ret_keys, char ret_server_key[KEYS_TEXT_SIZE]);

#endif
