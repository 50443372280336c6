/* What a process did with its messages, counted: the numbers of autobahn_fbs.counters().
 *
 * With the GIL, counting is an addition to the module's state. Without it, the additions are atomic,
 * and what is counted for every message is spread over a few places, so that threads with
 * sessions of their own don't wait for each other's cache lines. */
#ifndef WFBS_COUNTERS_H
#define WFBS_COUNTERS_H

#include "buffer.h"

#include "../../core/verify.h"

#ifdef Py_GIL_DISABLED
#include "../../core/portable.h"
enum { WFBS_COUNT_PLACES = 16 }; /* a power of two */
#else
enum { WFBS_COUNT_PLACES = 1 };
#endif

typedef enum {
    WFBS_COUNT_ENCODED,          /* messages that were encoded */
    WFBS_COUNT_CACHE_HITS,       /* serialized from what the message had kept */
    WFBS_COUNT_PASS_ONS,         /* received messages that gave their own bytes */
    WFBS_COUNT_PAYLOADS,         /* args and kwargs that were received */
    WFBS_COUNT_PAYLOADS_DECODED, /* those of them that somebody read */
    WFBS_COUNTS
} wfbs_count;

/* Why messages are refused, beyond what verification has codes for. */
enum {
    WFBS_REFUSED_METADATA = WFBS_ERROR_COUNT,
    WFBS_REFUSED_BATCH,
    WFBS_REFUSED_PAYLOAD, /* refused when it was read, not when it came */
    WFBS_REFUSED_COUNT
};

typedef struct {
    uint64_t counts[16]; /* WFBS_COUNTS of them; two cache lines, shared with no other place */
} wfbs_count_place;

typedef struct {
    wfbs_count_place places[WFBS_COUNT_PLACES];
    uint64_t refused[WFBS_REFUSED_COUNT];
} wfbs_counters;

/* Counts `more` of something. Cannot fail. */
static inline void
wfbs_count_add(wfbs_counters *counters, wfbs_count what, unsigned more)
{
#ifdef Py_GIL_DISABLED
    /* Thread states are large objects: what tells them apart is not in the lowest bits. */
    uintptr_t thread = (uintptr_t)PyThreadState_Get();
    wfbs_count_place *place = &counters->places[(thread >> 12 ^ thread >> 8) % WFBS_COUNT_PLACES];
    wfbs_atomic_add(&place->counts[what], more);
#else
    counters->places[0].counts[what] += more;
#endif
}

/* Counts a message that was refused; `reason` is a wfbs_error_code or WFBS_REFUSED_. Cannot fail. */
static inline void
wfbs_count_refused(wfbs_counters *counters, unsigned reason)
{
#ifdef Py_GIL_DISABLED
    wfbs_atomic_add(&counters->refused[reason], 1);
#else
    counters->refused[reason]++;
#endif
}

/* The counters as a new dict, those of refusals in a dict in it. New reference or NULL. */
PyObject *wfbs_counters_dict(wfbs_counters *counters);

#endif
