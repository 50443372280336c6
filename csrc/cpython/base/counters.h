/* Counts what a process does with its messages: the numbers behind autobahn_fbs.counters().
 *
 * With the GIL, counting is an addition in the module's state. Without it, the additions are
 * atomic, and counters that change with every message are spread over a few places, so that threads
 * with sessions of their own don't compete for cache lines. */
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
    WFBS_COUNT_CACHE_HITS,       /* serialized from the message's cache */
    WFBS_COUNT_PASS_ONS,         /* received messages that were sent as their original bytes */
    WFBS_COUNT_PAYLOADS,         /* args and kwargs that were received */
    WFBS_COUNT_PAYLOADS_DECODED, /* received args and kwargs that were read */
    WFBS_COUNTS
} wfbs_count;

/* Reasons for refusing messages, in addition to verification's codes. */
enum {
    WFBS_REFUSED_METADATA = WFBS_ERROR_COUNT,
    WFBS_REFUSED_BATCH,
    WFBS_REFUSED_PAYLOAD, /* refused when it was read, not when it was received */
    WFBS_REFUSED_COUNT
};

typedef struct {
    uint64_t counts[16]; /* WFBS_COUNTS numbers; two cache lines, not shared with other places */
} wfbs_count_place;

typedef struct {
    wfbs_count_place places[WFBS_COUNT_PLACES];
    uint64_t refused[WFBS_REFUSED_COUNT];
} wfbs_counters;

/* Adds `more` to a counter. Cannot fail. */
static inline void
wfbs_count_add(wfbs_counters *counters, wfbs_count what, unsigned more)
{
#ifdef Py_GIL_DISABLED
    /* Thread states are large objects, so their addresses differ in the higher bits. */
    uintptr_t thread = (uintptr_t)PyThreadState_Get();
    wfbs_count_place *place = &counters->places[(thread >> 12 ^ thread >> 8) % WFBS_COUNT_PLACES];
    wfbs_atomic_add(&place->counts[what], more);
#else
    counters->places[0].counts[what] += more;
#endif
}

/* Counts a refused message; `reason` is a wfbs_error_code or WFBS_REFUSED_. Cannot fail. */
static inline void
wfbs_count_refused(wfbs_counters *counters, unsigned reason)
{
#ifdef Py_GIL_DISABLED
    wfbs_atomic_add(&counters->refused[reason], 1);
#else
    counters->refused[reason]++;
#endif
}

/* The counters as a new dict, with the refusals in a nested dict. New reference or NULL. */
PyObject *wfbs_counters_dict(wfbs_counters *counters);

#endif
