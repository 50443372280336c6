/* FlexBuffers: reader and writer for Python objects.
 *
 *   flex_decode.c   bytes -> objects
 *   flex_lazy.c     bytes -> one value, reached without decoding the rest
 *   flex_write.c    memory of the writer, and what is appended to its output
 *   flex_keys.c     the keys of maps: order, sharing
 *   flex_encode.c   objects -> bytes
 *   flex_state.c    what is kept between calls, and the two types */
#ifndef WFBS_FLEX_H
#define WFBS_FLEX_H

#include "../base/text.h" /* first of all, because Python.h must be the first header */

#include <stdbool.h>

#include "../../core/flex_read.h"

struct wfbs_flex_scratch;

/* The codec's state: part of the module's state, which zeroes it. Only the functions below use its
 * members. */
typedef struct {
    PyObject *error;         /* strong reference to the class FlexBuffersError */
    PyTypeObject *lazy_type; /* strong reference to the class Lazy */
#ifndef Py_GIL_DISABLED
    struct wfbs_flex_scratch *scratch; /* owned, PyMem; NULL while in use or before the first use */
#endif
    wfbs_keys keys;
} wfbs_flex;

/* ---- for the module */

/* Creates the exception and the lazy type and adds both to `module`. Call it once, before
 * everything else. Returns 0, or -1 with an exception set. */
WFBS_MUST_USE int wfbs_flex_init(wfbs_flex *f, PyObject *module);

/* For the module's m_traverse: visits every reference in `f`. */
int wfbs_flex_traverse(wfbs_flex *f, visitproc visit, void *arg);

/* For the module's m_clear and m_free: drops every reference and all memory. */
void wfbs_flex_clear(wfbs_flex *f);

/* ---- for the payload codec */

/* Appends the encoding of `obj` (borrowed) to `out`. Returns 0; or -1 with out->size unchanged and
 * TypeError or ValueError (which name the place in `obj`) or MemoryError set. Runs no Python
 * code. */
WFBS_MUST_USE int wfbs_flex_encode(wfbs_flex *f, wfbs_buffer *out, PyObject *obj);

/* The same. `compact` writes typed vectors for lists of numbers or bools of one type, indirect
 * numbers where a few wide ones would widen a whole vector, and shared key vectors. */
WFBS_MUST_USE int wfbs_flex_encode_as(wfbs_flex *f, wfbs_buffer *out, PyObject *obj, bool compact);

/* Decodes `size` bytes, and checks all of them. Returns a new reference; or NULL with
 * FlexBuffersError (a ValueError with the attribute `offset`) or MemoryError set. The caller keeps
 * `data` alive and unchanged until this returns. */
PyObject *wfbs_flex_decode(wfbs_flex *f, const uint8_t *data, size_t size);

/* ---- between the files of the codec */

/* Raises FlexBuffersError for the error that `r` found. Always returns NULL. */
PyObject *wfbs_flex_raise(wfbs_flex *f, const wfbs_flex_reader *r);

/* The state of a decoding: the reader, and the str of each text in its `seen`. */
typedef struct {
    wfbs_flex_reader reader;
    wfbs_flex *codec;
    size_t kept;      /* number of texts */
    size_t *places;   /* their slots: only the first `kept` are valid */
    PyObject **texts; /* strong references in these slots, the others are not valid */
    void *lent;       /* owned: memory for more slots than those below, or NULL */
    size_t own_places[WFBS_FLEX_SEEN];
    PyObject *own_texts[WFBS_FLEX_SEEN];
} wfbs_flex_decoder;

/* Starts decoding `data` (borrowed). The decoder must not be moved. wfbs_flex_decoder_close frees
 * its memory. */
void wfbs_flex_decoder_open(wfbs_flex_decoder *d, wfbs_flex *f, const uint8_t *data, size_t size);
void wfbs_flex_decoder_close(wfbs_flex_decoder *d);

/* Makes room to remember as many keys as large data may have. Call it before an open decoder reads
 * anything, and only for more than one value. Returns 0, or -1 with MemoryError set. The decoder
 * must be closed in either case. */
WFBS_MUST_USE int wfbs_flex_decoder_grow(wfbs_flex_decoder *d);

/* Decodes the target of `ref`. Returns a new reference, or NULL with an exception set. */
PyObject *wfbs_flex_decode_ref(wfbs_flex_decoder *d, const wfbs_flex_ref *ref);

/* Decodes the keys of a map. Returns a new list of str, or NULL with an exception set. */
PyObject *wfbs_flex_decode_keys(wfbs_flex_decoder *d, const wfbs_flex_map *map);

/* A lazy accessor for the root of the bytes of `data` (any object with a contiguous buffer), or the
 * root's value if it isn't a container. New reference, or NULL with an exception set. */
PyObject *wfbs_flex_lazy_root(wfbs_flex *f, PyObject *data);

extern PyType_Spec wfbs_flex_lazy_spec;

#endif
