/* A growable array of bytes: scratch memory for encoding values.
 *
 * All zero is a valid, empty buffer. Memory comes from PyMem_Malloc's family, so the
 * thread must hold the GIL (or be attached, on a free-threaded build). */
#ifndef WFBS_BUFFER_H
#define WFBS_BUFFER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../core/portable.h"
#include "uncopied.h"

/* Free-threaded builds take the object's lock; with the GIL, this does nothing. */
#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(op) {
#define Py_END_CRITICAL_SECTION() }
#endif

typedef struct {
    uint8_t *data;           /* owned; NULL while capacity is 0 */
    size_t size;             /* bytes in use, <= capacity */
    size_t capacity;         /* bytes allocated, <= PY_SSIZE_T_MAX */
    wfbs_uncopied *uncopied; /* borrowed: takes large bytes; NULL if all must be here */
} wfbs_buffer;

/* The cold part of wfbs_buffer_reserve: moves the bytes to a larger block. */
WFBS_MUST_USE static inline int
wfbs_buffer_grow(wfbs_buffer *b, size_t extra)
{
    const size_t limit = (size_t)PY_SSIZE_T_MAX;
    size_t wanted;
    uint8_t *moved;

    /* size <= limit always, so the subtraction can't wrap, nor can the sum after it. */
    if (extra > limit - b->size) {
        PyErr_NoMemory();
        return -1;
    }
    wanted = b->size + extra;
    /* Grows by at least half, so that n appends copy O(n) bytes. limit is at most half of SIZE_MAX
     * and capacity <= limit, so 1.5 times capacity still fits. */
    if (wanted < b->capacity + b->capacity / 2) {
        wanted = b->capacity + b->capacity / 2;
    }
    if (wanted > limit) {
        wanted = limit;
    }
    if (wanted < 256) {
        wanted = 256;
    }
    moved = (uint8_t *)PyMem_Realloc(b->data, wanted);
    if (moved == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    b->data = moved;
    b->capacity = wanted;
    return 0;
}

/* Makes room for `extra` more bytes after `size`; `data` may move. Returns 0, or -1 with
 * MemoryError set and the buffer unchanged. */
WFBS_MUST_USE static inline int
wfbs_buffer_reserve(wfbs_buffer *b, size_t extra)
{
    /* size <= capacity always, so the subtraction can't wrap. */
    if (extra <= b->capacity - b->size) {
        return 0;
    }
    return wfbs_buffer_grow(b, extra);
}

/* Frees the memory and leaves a valid, empty buffer. Can't fail. */
static inline void
wfbs_buffer_free(wfbs_buffer *b)
{
    PyMem_Free(b->data);
    b->data = NULL;
    b->size = 0;
    b->capacity = 0;
}

/* A bytes object of the content, if encoding has not `failed`. Frees the memory in any case. New
 * reference, or NULL with an exception. */
static inline PyObject *
wfbs_buffer_close(wfbs_buffer *b, bool failed)
{
    PyObject *bytes =
        failed ? NULL : PyBytes_FromStringAndSize((const char *)b->data, (Py_ssize_t)b->size);
    wfbs_buffer_free(b);
    return bytes;
}

#endif
