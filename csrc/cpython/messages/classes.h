/* One C subclass for each of Autobahn's message classes. */
#ifndef WFBS_CLASSES_H
#define WFBS_CLASSES_H

#include "../state.h"

/* Creates the 25 received types. 0, or -1 with an exception. */
WFBS_MUST_USE int wfbs_classes_create(wfbs_state *state, PyObject *message_module);
/* The offset of slot `name` in instances of `type`, or -1 with TypeError. */
Py_ssize_t wfbs_slot_offset(PyTypeObject *type, PyObject *name);

#endif
