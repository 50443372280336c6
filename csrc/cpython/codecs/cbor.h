/* CBOR for the common data model: None, bool, int within 64 bits, float, str, bytes, list,
 * tuple and dict.
 *
 * The writer produces exactly the bytes of cbor2.dumps(obj), and the reader returns values that are
 * equal in value and type to those of cbor2.loads(data). If the reader meets something that it
 * doesn't know (a tag, malformed input), it discards its work and passes the whole input to cbor2,
 * which then determines the result or the exception. When writing, cbor2 gets the unknown leaves
 * (any other type, a subclass). Containers are always written here, to bound the use of the C
 * stack. */
#ifndef WFBS_CBOR_H
#define WFBS_CBOR_H

#include "../base/text.h"

/* Maximum nesting of containers and tags that are written. Deeper ones raise ValueError. */
#define WFBS_CBOR_MAX_DEPTH 400

/* Maximum nesting of containers that are read here instead of by cbor2. It is below cbor2's own
 * limit (400, or 399 in cbor2 5), so that this never accepts input that cbor2 refuses.
 * core/cbor_guard.c has the limit for both. */
#define WFBS_CBOR_READ_DEPTH 399

/* The codec's state: part of the module's state, which zeroes it. Only the functions below use its
 * members. */
typedef struct {
    PyObject
        *opened; /* strong references to functions of autobahn_fbs._cbor_foreign, or NULL before */
    PyObject *refuse;       /* first use */
    PyObject *loads;        /* strong reference to cbor2.loads, or NULL before first use */
    PyObject *decode_error; /* strong reference to cbor2.CBORDecodeError, or NULL as above */
#ifdef Py_GIL_DISABLED
    PyMutex lock; /* guards the references above */
#endif
    wfbs_keys keys;
} wfbs_cbor;

/* Appends the encoding of `obj` (borrowed) to `out`; large bytes go to out->uncopied if that isn't
 * NULL. Returns 0; or -1 with out->size unchanged and an exception set: those of cbor2.dumps,
 * ValueError for what wfbs_cbor_decode would refuse (SECURITY.rst names the exceptions),
 * MemoryError, or ImportError if cbor2 is needed and missing. No exception may be pending at the
 * call.
 *
 * A value that goes to cbor2 can run Python code. That code may call this again with another
 * buffer; the caller must ensure that it doesn't do so with the same one. */
WFBS_MUST_USE int wfbs_cbor_encode(wfbs_cbor *c, wfbs_buffer *out, PyObject *obj);

/* The same in one pass for an exact dict, if all keys are str and cbor2 isn't needed. Otherwise
 * returns 1, with no exception set and nothing appended. */
WFBS_MUST_USE int wfbs_cbor_encode_kwargs(wfbs_buffer *out, PyObject *dict);

/* Decodes the item at the start of `data` and ignores the rest, like cbor2.loads. Returns a new
 * reference, or NULL with an exception set (as above, from cbor2.loads; ValueError for input that
 * would take cbor2 more than linear time: see core/cbor_guard.c). The caller keeps `data` alive and
 * unchanged until this returns. Input for cbor2 is copied first. No exception may be pending at the
 * call. */
PyObject *wfbs_cbor_decode(wfbs_cbor *c, const uint8_t *data, size_t size);

/* The same, and sets *used to the length of the item, for callers that allow nothing after it. */
PyObject *wfbs_cbor_decode_first(wfbs_cbor *c, const uint8_t *data, size_t size, size_t *used);

/* For the module's m_traverse: visits every reference in `c`. */
int wfbs_cbor_traverse(wfbs_cbor *c, visitproc visit, void *arg);

/* For the module's m_clear and m_free: drops every reference. `c` may be used again. */
void wfbs_cbor_clear(wfbs_cbor *c);

/* Between the files of the codec: appends `obj` if the encoder knows all its parts. Returns 0; 1
 * (no exception set, out->size undefined) if it doesn't; or -1 with MemoryError. Runs no Python
 * code. */
int wfbs_cbor_encode_known(wfbs_buffer *out, PyObject *obj);

/* Between the files of the codec: appends a value that the encoder knows and that is not a
 * container. Returns 0; 1 (no exception set, out->size undefined) for any other value; or -1 with
 * MemoryError. */
int wfbs_cbor_encode_leaf(wfbs_buffer *out, PyObject *obj);

/* Between the files of the codec: append the head of a container. Return 0, or -1 with MemoryError. */
int wfbs_cbor_append_array(wfbs_buffer *out, size_t count);
int wfbs_cbor_append_map(wfbs_buffer *out, size_t count);

/* Between the files of the codec. Returns 0 if cbor2.loads handles the input in linear time, even
 * if it will refuse it; or -1 with ValueError set. Never reads outside `data`. */
int wfbs_cbor_check_input(const uint8_t *data, size_t size);

/* Between the files of the codec: new references to `opened` and `refuse` of autobahn_fbs._cbor_foreign,
 * and to cbor2.loads and cbor2.CBORDecodeError, imported on first use; or NULL with ImportError or
 * AttributeError set. */
PyObject *wfbs_cbor_opened(wfbs_cbor *c);
PyObject *wfbs_cbor_refuse(wfbs_cbor *c);
PyObject *wfbs_cbor_loads(wfbs_cbor *c);
PyObject *wfbs_cbor_decode_error(wfbs_cbor *c);

#endif
