/* Messages that a router makes from others, with the same args and kwargs: EVENT from PUBLISH,
 * INVOCATION from CALL, RESULT from YIELD, ERROR from ERROR.
 *
 * wfbs_forward() creates an instance of our subclass that keeps the received message, and reads
 * args and kwargs from it. Every reader therefore gets the same list or dict as from the received
 * message. If nobody reads them, the serializer copies the payload's bytes. */
#ifndef WFBS_FORWARD_H
#define WFBS_FORWARD_H

#include "../state.h"

/* Whether the args and kwargs of a received message can be forwarded without decoding them: they
 * are absent, or CBOR that is certainly valid. Cannot fail. */
bool wfbs_is_forwardable(wfbs_state *state, PyObject *message);
/* cls(*args, args=source.args, kwargs=source.kwargs, **named), with `names` as for vectorcall. The
 * payload is not decoded if `source` is forwardable and `cls` is one of Autobahn's message classes.
 * New reference, or NULL with the exception of that call. */
PyObject *wfbs_forward(wfbs_state *state, PyObject *cls, PyObject *source, PyObject *const *args,
                       size_t count, PyObject *names);

#endif
