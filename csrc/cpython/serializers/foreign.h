/* Refused bytes that aren't a message. */
#ifndef WFBS_FOREIGN_H
#define WFBS_FOREIGN_H

#include "../base/input.h"
#include "object.h"

/* Call this while the ProtocolError that refuses `in` is pending. Adds to its text what the bytes
 * look like and what to do, if they are recognized. Another error replaces it only if it doesn't
 * concern a value, for example MemoryError. */
void wfbs_explain_foreign(wfbs_state *state, const wfbs_object_serializer *s, const wfbs_input *in);

#endif
