/* Creating and comparing received messages. */
#ifndef WFBS_RECEIVED_H
#define WFBS_RECEIVED_H

#include "../state.h"

/* A received message over `buffer` (borrowed; exact bytes), whose message is at `data`. New
 * reference or NULL. */
PyObject *wfbs_received_new(wfbs_class *c, PyObject *buffer, const uint8_t *data, size_t size,
                            const wfbs_envelope *envelope, wfbs_dialect dialect);
extern PyType_Slot wfbs_received_slots[];
extern PyMethodDef wfbs_received_methods[];

/* Whether a received message is still equal to its bytes: 1, 0, or -1. */
WFBS_MUST_USE int wfbs_received_unchanged(wfbs_class *c, PyObject *self);

#endif
