/* CBOR for the common data model: None, bool, int within 64 bits, float, str, bytes, list,
 * tuple and dict.
 *
 * What comes out is byte for byte what cbor2.dumps(obj) writes, and what comes back is equal
 * in value and type to what cbor2.loads(data) returns. When the reader meets something that it
 * doesn't know (a tag, malformed input), it discards its work and hands the whole input to cbor2,
 * which then decides, also about the exception. When writing, cbor2 gets the leaves that are not
 * known (any other type, a subclass), and containers are always written here, to bound the use of
 * the C stack. */
#ifndef WFBS_CBOR_H
#define WFBS_CBOR_H

#include "../base/text.h"

/* Containers and tags within each other that are written. Deeper ones raise ValueError. */
#define WFBS_CBOR_MAX_DEPTH 400

/* Containers within containers that are read here rather than by cbor2: below its own limit (400,
 * or 399 in cbor2 5), so that this never accepts what cbor2 refuses. core/cbor_guard.c has the limit
 * for both. */
#define WFBS_CBOR_READ_DEPTH 399

/* The codec's state: part of the module's state, which fills it with zeros. Only the functions
 * below use its members. */
typedef struct {
    PyObject *opened; /* strong references to functions of autobahn_fbs._cbor, or NULL before */
    PyObject *refuse; /* the first need */
    PyObject *loads;  /* strong reference to cbor2.loads, or NULL before the first need */
    PyObject *decode_error; /* strong reference to cbor2.CBORDecodeError, or NULL as above */
#ifdef Py_GIL_DISABLED
    PyMutex lock; /* guards the references above */
#endif
    wfbs_keys keys;
} wfbs_cbor;

/* Appends the encoding of `obj` (borrowed) to `out`, large bytes to out->apart if that is there.
 * Returns 0, or -1 with an exception set (what cbor2.dumps raises, MemoryError, or ImportError where
 * cbor2 is needed and missing) and out->size as it was. No exception may be pending at the call.
 *
 * A value that goes to cbor2 can run Python code. That code may come back here with another
 * buffer; the caller sees to it that it doesn't come back with the same one. */
WFBS_MUST_USE int wfbs_cbor_encode(wfbs_cbor *c, wfbs_buffer *out, PyObject *obj);

/* The same in one pass for an exact dict, where all keys are str and cbor2 isn't needed. Returns
 * 1, with no exception set and nothing appended, if that is not so. */
WFBS_MUST_USE int wfbs_cbor_encode_kwargs(wfbs_buffer *out, PyObject *dict);

/* Decodes the item at the start of `data`; what follows it is ignored, as cbor2.loads does.
 * Returns a new reference, or NULL with an exception set (as above, from cbor2.loads; ValueError
 * for what would cost cbor2 more than linear time: see core/cbor_guard.c). The
 * caller keeps `data` alive and unchanged until this returns. Input that goes to cbor2 is
 * copied first. No exception may be pending at the call. */
PyObject *wfbs_cbor_decode(wfbs_cbor *c, const uint8_t *data, size_t size);

/* The same, and *used gets the length of the item, for callers that allow nothing behind it. */
PyObject *wfbs_cbor_decode_first(wfbs_cbor *c, const uint8_t *data, size_t size, size_t *used);

/* For the module's m_traverse: visits every reference held in `c`. */
int wfbs_cbor_traverse(wfbs_cbor *c, visitproc visit, void *arg);

/* For the module's m_clear and m_free: drops every reference; `c` may be used again. */
void wfbs_cbor_clear(wfbs_cbor *c);

/* Between the files of the codec: appends `obj` if the encoder knows all of it. Returns 0, 1 (no
 * exception set, out->size anywhere) if it doesn't, or -1 with MemoryError. Runs no Python code. */
int wfbs_cbor_encode_known(wfbs_buffer *out, PyObject *obj);

/* Between the files of the codec: appends what the encoder knows and that is no container. Returns
 * 0, 1 (no exception set, out->size anywhere) if it is something else, or -1 with MemoryError. */
int wfbs_cbor_encode_leaf(wfbs_buffer *out, PyObject *obj);

/* Between the files of the codec: append the head of a container. Return 0, or -1 with MemoryError. */
int wfbs_cbor_append_array(wfbs_buffer *out, size_t count);
int wfbs_cbor_append_map(wfbs_buffer *out, size_t count);

/* Between the files of the codec. Returns 0 where cbor2.loads can take the input (also one that it
 * will refuse) in linear time, or -1 with ValueError set. Never reads outside `data`. */
int wfbs_cbor_check_input(const uint8_t *data, size_t size);

/* Between the files of the codec: new references to `opened` and `refuse` of autobahn_fbs._cbor, and
 * to cbor2.loads and cbor2.CBORDecodeError, imported at the first call; or NULL with ImportError or
 * AttributeError set. */
PyObject *wfbs_cbor_opened(wfbs_cbor *c);
PyObject *wfbs_cbor_refuse(wfbs_cbor *c);
PyObject *wfbs_cbor_loads(wfbs_cbor *c);
PyObject *wfbs_cbor_decode_error(wfbs_cbor *c);

#endif
