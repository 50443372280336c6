/* Encodes a message's attributes as one FlatBuffers message. */
#ifndef WFBS_ENCODE_H
#define WFBS_ENCODE_H

#include "payload.h"

/* Encodes a message of class `c`, with a frame if `batched`. New bytes, or NULL with TypeError,
 * ValueError or MemoryError. */
PyObject *wfbs_encode_message(wfbs_class *c, PyObject *message, wfbs_dialect dialect, bool batched,
                              wfbs_codec codec);

#endif
