/* Message.metadata: the WAMP details that typed fields can't hold. */
#ifndef WFBS_METADATA_H
#define WFBS_METADATA_H

#include "payload.h"

/* Encodes the attributes in `mask` as a CBOR map at the end of `out`; under the schema dialect, the
 * complete details of `message`. `values` are borrowed, and present for the attributes in `held`;
 * the others are None. 0, or -1 with an exception. */
WFBS_MUST_USE int wfbs_metadata_encode(wfbs_class *c, PyObject *message, PyObject *const *values,
                                       uint32_t held, uint32_t mask, wfbs_dialect dialect,
                                       wfbs_codec codec, wfbs_buffer *out);
/* Reads a received message's metadata into its slots. 0, or -1 with ProtocolError. */
WFBS_MUST_USE int wfbs_metadata_apply(wfbs_class *c, PyObject *self);

#endif
