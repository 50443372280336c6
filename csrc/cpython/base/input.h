/* Bytes to read from: whatever object has them, they don't change from here on. */
#ifndef WFBS_INPUT_H
#define WFBS_INPUT_H

#include "buffer.h"

/* Where the bytes are, and the bytes object that keeps them. */
typedef struct {
    PyObject *buffer; /* owned, exact bytes */
    const uint8_t *data;
    size_t size;
} wfbs_input;

/* The bytes of `object` (borrowed; anything with a buffer). Bytes, and views onto bytes, are
 * shared; everything else is copied once, because a buffer that changes after it was verified
 * is a hole. `flags` as for PyObject_GetBuffer: PyBUF_FULL_RO takes pieces, too, PyBUF_SIMPLE not.
 * 0, with in->buffer to be released by the caller; or -1 with an exception. */
WFBS_MUST_USE int wfbs_input_open(PyObject *object, int flags, wfbs_input *in);

#endif
