/* One C subclass for each of Autobahn's message classes. */
#ifndef WFBS_TYPES_H
#define WFBS_TYPES_H

#include "../state.h"

/* Makes the 25 received types. 0, or -1 with an exception. */
int wfbs_types_create(wfbs_state *state, PyObject *message_module);

#endif
