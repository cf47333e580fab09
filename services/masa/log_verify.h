/*
 * log_verify - recomputes the log's chain outside the database and says where it is not as written.
 *
 * The check goes on behind a fault, so that all of them are named.  What a chain alone cannot show,
 * a history that was recomputed as a whole or cut at its end, shows against heads seen earlier
 * (witnesses): one given by hand, and those that earlier checks left in the state folder.
 */
#ifndef MASA_LOG_VERIFY_H
#define MASA_LOG_VERIFY_H

#include "digest.h"
#include "masa.h"
#include "uuid.h"

enum { LOG_FAULTS_MAX = 50, LOG_WITNESSES_MAX = 512 };

struct log_witness {
	int64_t seq;
	struct digest hash;
	bool right;
};

struct log_verifier {
	struct masa *m;
	int64_t next_seq; /* the record that must come next */
	/* What the next batch may have been chained to; none: anything, after a hole.  With two,
	 * the last batch did not fit, and the next one tells which of its halves was changed. */
	struct digest prior[2];
	size_t priors;
	struct digest head; /* as stored with the last batch */
	bool any_batch, after_hole;
	int64_t batches;
	json_t *faults; /* [{from, through, fault}] */
	json_t *doubt; /* the fault that the next batch may explain, lent; NULL: none */
	struct log_witness witnesses[LOG_WITNESSES_MAX + 1];
	size_t witness_count;
};

/* Adds a head that was seen; the oldest goes when there are too many. */
void log_verifier_witness(struct log_verifier *v, int64_t seq, const struct digest *hash);

/* v->m, v->next_seq = 1 and v->faults are set.  MASA_OK: it was looked at, whatever was found. */
MUST_CHECK enum exit_code log_verifier_run(struct log_verifier *v);

/* Heads that earlier checks of these histories left in TURUNC_STATE_DIR/log-heads. */
MUST_CHECK enum exit_code log_heads_read(struct log_verifier *v);
/* Leaves the present head there. */
void log_heads_add(const struct log_verifier *v, const char *log_id);

#endif
