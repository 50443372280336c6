/* Refused bytes that aren't a message. */
#ifndef WFBS_REFUSAL_HINT_H
#define WFBS_REFUSAL_HINT_H

#include "../base/input.h"
#include "../state.h"

/* A receiver's settings. */
typedef struct {
    bool batched;
    wfbs_dialect dialect;
    const wfbs_limits *limits; /* borrowed */
} wfbs_receiver;

/* Call this while the ProtocolError with which `r` refuses `in` is pending. Adds to its text what
 * the bytes look like and what to do, if they are recognized. Another error replaces it only if it
 * doesn't concern a value, for example MemoryError. */
void wfbs_add_refusal_hint(wfbs_state *state, const wfbs_receiver *r, const wfbs_input *in);

#endif
