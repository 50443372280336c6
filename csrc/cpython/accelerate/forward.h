/* Messages that a router makes of others: EVENT of PUBLISH, INVOCATION of CALL, RESULT of YIELD,
 * ERROR of ERROR, with the same args and kwargs.
 *
 * wfbs_forward() makes an instance of our subclass whose args and kwargs are those of the received
 * message: it keeps that one, and an attribute that is read is read there. So everyone who looks
 * gets the very list or dict that the received message gives, and if nobody does, the serializer
 * copies the payload's bytes. */
#ifndef WFBS_FORWARD_H
#define WFBS_FORWARD_H

#include "../state.h"

/* Whether a message came in with args and kwargs that can be forwarded without decoding them: none,
 * or CBOR that nothing can be wrong with. Cannot fail. */
bool wfbs_is_forwardable(wfbs_state *state, PyObject *message);
/* cls(*args, args=source.args, kwargs=source.kwargs, **named), with `names` as for vectorcall; the
 * payload is not decoded if `source` is forwardable and `cls` one of Autobahn's message classes. New
 * reference, or NULL with what that call raises. */
PyObject *wfbs_forward(wfbs_state *state, PyObject *cls, PyObject *source, PyObject *const *args,
                       size_t count, PyObject *names);

#endif
