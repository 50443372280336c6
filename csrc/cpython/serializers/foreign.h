/* Refused bytes that are something else than a message. */
#ifndef WFBS_FOREIGN_H
#define WFBS_FOREIGN_H

#include "../base/input.h"
#include "object.h"

/* With the ProtocolError pending that refuses `in`: adds to its text what the bytes look like, and
 * what to do, if that can be told. Another error that comes up takes its place only where it is not
 * about a value, as MemoryError. */
void wfbs_explain_foreign(wfbs_state *state, const wfbs_object_serializer *s, const wfbs_input *in);

#endif
