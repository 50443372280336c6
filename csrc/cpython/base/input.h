/* Input bytes that don't change, whatever object they come from. */
#ifndef WFBS_INPUT_H
#define WFBS_INPUT_H

#include "buffer.h"

/* The position of the bytes, and the bytes object that keeps them alive. */
typedef struct {
    PyObject *buffer; /* owned, exact bytes */
    const uint8_t *data;
    size_t size;
} wfbs_input;

/* The bytes of `object` (borrowed; anything with a buffer). Bytes, and views of bytes, are shared.
 * Everything else is copied once, because a buffer that changes after verification would be a
 * security hole. `flags` as for PyObject_GetBuffer: PyBUF_FULL_RO also accepts non-contiguous
 * buffers, PyBUF_SIMPLE does not. Returns 0, and the caller must release in->buffer; or -1 with an
 * exception. */
WFBS_MUST_USE int wfbs_input_open(PyObject *object, int flags, wfbs_input *in);

#endif
