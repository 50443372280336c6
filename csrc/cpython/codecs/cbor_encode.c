/* Python objects to CBOR, with the same bytes as cbor2.dumps(obj): the shortest head for every
 * length and integer, floats with 64 bits except infinities and NaN, containers of definite length,
 * maps in the order of the dict.
 *
 * Nothing here runs Python code: only exact types are examined, nothing is hashed, compared or
 * called, and no object that the collector tracks is created. With the GIL, therefore, nobody can
 * change a list or a dict while it is encoded, and borrowed references are safe. Builds without a
 * GIL work on private copies of lists and dicts. */
#include "cbor.h"
#include "../../core/cbor_head.h"
#include "../../core/key_probes.h"

#include <string.h>

/* Return values of the functions below, besides -1 (an exception is set). */
enum {
    ENCODED = 0,
    UNKNOWN = 1, /* no exception set, cbor_foreign.c has to do it */
    ODD_KEY = 2, /* no exception set, a key of kwargs isn't a str */
};

static int encode_item(wfbs_buffer *out, PyObject *obj, int depth);

/* Appends a head. Returns 0, or -1 with MemoryError set. */
static inline int
append_head(wfbs_buffer *out, uint8_t major, uint64_t n)
{
    if (wfbs_buffer_reserve(out, WFBS_CBOR_HEAD_MAX) < 0) {
        return -1;
    }
    out->size = (size_t)(wfbs_cbor_put_head(out->data + out->size, major, n) - out->data);
    return 0;
}

/* Appends a head and the `size` bytes at `data` that follow it. Returns 0, or -1 with MemoryError
 * set. `size` is the size of an object in memory (<= PY_SSIZE_T_MAX), so the sum can't wrap. */
static inline int
append_string(wfbs_buffer *out, uint8_t major, const void *data, size_t size)
{
    uint8_t *p;

    if (wfbs_buffer_reserve(out, WFBS_CBOR_HEAD_MAX + size) < 0) {
        return -1;
    }
    p = wfbs_cbor_put_head(out->data + out->size, major, size);
    memcpy(p, data, size);
    out->size = (size_t)(p + size - out->data);
    return 0;
}

/* Encodes exact bytes; large ones are not copied if the buffer allows it. Returns 0, or -1 with
 * MemoryError set. */
static inline int
encode_bytes(wfbs_buffer *out, PyObject *obj)
{
    const size_t size = (size_t)PyBytes_GET_SIZE(obj);
    wfbs_uncopied *uncopied = out->uncopied;

    if (uncopied == NULL || size < WFBS_UNCOPIED_MIN || uncopied->count == WFBS_MAX_UNCOPIED) {
        return append_string(out, WFBS_CBOR_BYTES, PyBytes_AS_STRING(obj), size);
    }
    /* One object may be there several times, so that the sum can be more than is in memory. */
    if (size > (size_t)PY_SSIZE_T_MAX - uncopied->size) {
        PyErr_NoMemory();
        return -1;
    }
    if (append_head(out, WFBS_CBOR_BYTES, size) < 0) {
        return -1;
    }
    uncopied->items[uncopied->count].at = out->size;
    uncopied->items[uncopied->count++].bytes = Py_NewRef(obj);
    uncopied->size += size;
    return 0;
}

/* Encodes a str of the given kind. Writes the UTF-8 itself, because CPython would keep it as long
 * as the str exists. Returns ENCODED, UNKNOWN, or -1. */
static inline int
encode_kind(wfbs_buffer *out, PyObject *obj, int kind)
{
    const void *data = PyUnicode_DATA(obj);
    const Py_ssize_t length = PyUnicode_GET_LENGTH(obj);
    const size_t size = wfbs_utf8_size_of_kind(kind, data, length);

    if (size == SIZE_MAX) {
        return UNKNOWN; /* for cbor2's UnicodeEncodeError */
    }
    if (append_head(out, WFBS_CBOR_TEXT, size) < 0 || wfbs_buffer_reserve(out, size) < 0) {
        return -1;
    }
    wfbs_utf8_put_kind(out->data + out->size, kind, data, length);
    out->size += size;
    return ENCODED;
}

/* Encodes a non-ASCII str. Returns ENCODED, UNKNOWN, or -1 with MemoryError set. */
static int
encode_wide_str(wfbs_buffer *out, PyObject *obj)
{
    switch (PyUnicode_KIND(obj)) {
    case PyUnicode_1BYTE_KIND:
        return encode_kind(out, obj, PyUnicode_1BYTE_KIND);
    case PyUnicode_2BYTE_KIND:
        return encode_kind(out, obj, PyUnicode_2BYTE_KIND);
    default:
        return encode_kind(out, obj, PyUnicode_4BYTE_KIND);
    }
}

/* Encodes an exact str. Returns ENCODED, UNKNOWN, or -1 with MemoryError set. */
static inline int
encode_str(wfbs_buffer *out, PyObject *obj)
{
#if PY_VERSION_HEX < 0x030c0000
    if (PyUnicode_READY(obj) < 0) { /* strings of the old API exist until 3.11 */
        return -1;
    }
#endif
    if (PyUnicode_IS_ASCII(obj)) {
        return append_string(out, WFBS_CBOR_TEXT, PyUnicode_DATA(obj),
                             (size_t)PyUnicode_GET_LENGTH(obj));
    }
    return encode_wide_str(out, obj);
}

/* Encodes an exact int outside the range of int64. Returns ENCODED, UNKNOWN if it takes more than
 * 64 bits, or -1 with MemoryError set. */
static int
encode_wide_int(wfbs_buffer *out, PyObject *obj, int sign)
{
    /* A negative n is written as -1 - n, which is ~n. */
    PyObject *magnitude = sign > 0 ? Py_NewRef(obj) : PyNumber_Invert(obj);
    unsigned long long n;

    if (magnitude == NULL) {
        return -1;
    }
    n = PyLong_AsUnsignedLongLong(magnitude);
    Py_DECREF(magnitude);
    if (n == (unsigned long long)-1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) {
            return -1;
        }
        PyErr_Clear();
        return UNKNOWN;
    }
    return append_head(out, sign > 0 ? WFBS_CBOR_UNSIGNED : WFBS_CBOR_NEGATIVE, n);
}

/* Encodes an exact int. Returns ENCODED, UNKNOWN, or -1 with MemoryError set. */
static inline int
encode_int(wfbs_buffer *out, PyObject *obj)
{
    int overflow;
    const long long n = PyLong_AsLongLongAndOverflow(obj, &overflow); /* can't fail for an int */

    if (overflow != 0) {
        return encode_wide_int(out, obj, overflow);
    }
    if (n >= 0) {
        return append_head(out, WFBS_CBOR_UNSIGNED, (uint64_t)n);
    }
    return append_head(out, WFBS_CBOR_NEGATIVE,
                       (uint64_t)(-1 - n)); /* >= 0, so it can't overflow */
}

/* Encodes an exact float. Returns 0, or -1 with MemoryError set. */
static inline int
encode_float(wfbs_buffer *out, PyObject *obj)
{
    const double value = PyFloat_AS_DOUBLE(obj);
    uint64_t bits;
    uint8_t *p;

    _Static_assert(sizeof bits == sizeof value, "a float is an IEEE 754 double");
    if (wfbs_buffer_reserve(out, WFBS_CBOR_HEAD_MAX) < 0) {
        return -1;
    }
    p = out->data + out->size;
    memcpy(&bits, &value, sizeof bits);
    p = wfbs_cbor_put_double(p, bits);
    out->size = (size_t)(p - out->data);
    return 0;
}

/* Appends the single byte of a value without an argument. Returns 0, or -1 with MemoryError. */
static inline int
append_simple(wfbs_buffer *out, uint8_t byte)
{
    if (wfbs_buffer_reserve(out, 1) < 0) {
        return -1;
    }
    out->data[out->size++] = byte;
    return 0;
}

/* Encodes an exact tuple. Returns as encode_item. */
static int
encode_tuple(wfbs_buffer *out, PyObject *obj, int depth)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(obj);
    int status = append_head(out, WFBS_CBOR_ARRAY, (uint64_t)count);

    for (Py_ssize_t i = 0; i < count && status == ENCODED; i++) {
        status = encode_item(out, PyTuple_GET_ITEM(obj, i), depth);
    }
    return status;
}

#ifdef Py_GIL_DISABLED

/* Encodes an exact list that other threads may change, through a copy. */
static int
encode_list(wfbs_buffer *out, PyObject *obj, int depth)
{
    PyObject *copy = PyList_AsTuple(obj);
    int status = copy == NULL ? -1 : encode_tuple(out, copy, depth);

    Py_XDECREF(copy);
    return status;
}

#else

/* Encodes an exact list. Returns as encode_item. */
static int
encode_list(wfbs_buffer *out, PyObject *obj, int depth)
{
    const Py_ssize_t count = PyList_GET_SIZE(obj);
    int status = append_head(out, WFBS_CBOR_ARRAY, (uint64_t)count);

    for (Py_ssize_t i = 0; i < count && status == ENCODED; i++) {
        status = encode_item(out, PyList_GET_ITEM(obj, i), depth);
    }
    return status;
}

#endif

/* Whether the keys of a large dict are numbers together with others, which no receiver reads. */
static bool
is_mixed(PyObject *dict)
{
    size_t others = 0;
    PyObject *key;
    Py_ssize_t position = 0;

    while (PyDict_Next(dict, &position, &key, NULL)) {
        others += PyUnicode_CheckExact(key) || PyBytes_CheckExact(key);
    }
    return !wfbs_probes_may_mix((size_t)PyDict_GET_SIZE(dict) - others, others);
}

/* Encodes an exact dict that nobody changes meanwhile. Returns as encode_item, or ODD_KEY if a key
 * isn't a str and `kwargs` is set. */
static inline int
encode_still_dict(wfbs_buffer *out, PyObject *obj, int depth, int kwargs)
{
    int status = append_head(out, WFBS_CBOR_MAP, (uint64_t)PyDict_GET_SIZE(obj));
    PyObject *key, *value;
    Py_ssize_t position = 0;

    if (PyDict_GET_SIZE(obj) > WFBS_PROBES_NUMBERS + WFBS_PROBES_OTHERS && is_mixed(obj)) {
        return kwargs ? ODD_KEY : UNKNOWN; /* which refuses it */
    }
    while (status == ENCODED && PyDict_Next(obj, &position, &key, &value)) {
        if (kwargs && !PyUnicode_Check(key)) {
            return ODD_KEY;
        }
        /* Containers as keys are checked later. */
        status = encode_item(out, key, WFBS_CBOR_MAX_DEPTH);
        if (status == ENCODED) {
            status = encode_item(out, value, depth);
        }
    }
    return status;
}

/* Encodes an exact dict. Returns as encode_still_dict. */
static inline int
encode_dict(wfbs_buffer *out, PyObject *obj, int depth, int kwargs)
{
#ifdef Py_GIL_DISABLED
    PyObject *copy = PyDict_Copy(obj);
    int status = copy == NULL ? -1 : encode_still_dict(out, copy, depth, kwargs);

    Py_XDECREF(copy);
    return status;
#else
    return encode_still_dict(out, obj, depth, kwargs);
#endif
}

/* Appends `obj`, which is nested in `depth` containers. Returns ENCODED, UNKNOWN (no exception set,
 * out->size undefined), or -1 with MemoryError set. */
static int
encode_item(wfbs_buffer *out, PyObject *obj, int depth)
{
    PyTypeObject *type = Py_TYPE(obj);

    if (type == &PyUnicode_Type) {
        return encode_str(out, obj);
    }
    if (type == &PyLong_Type) {
        return encode_int(out, obj);
    }
    if (type == &PyFloat_Type) {
        return encode_float(out, obj);
    }
    if (obj == Py_None) {
        return append_simple(out, 0xf6);
    }
    if (type == &PyBool_Type) {
        return append_simple(out, obj == Py_True ? 0xf5 : 0xf4);
    }
    if (type == &PyBytes_Type) {
        return encode_bytes(out, obj);
    }
    /* This bounds the C stack, and stops at a container that contains itself. */
    if (depth >= WFBS_CBOR_MAX_DEPTH) {
        return UNKNOWN;
    }
    if (type == &PyDict_Type) {
        return encode_dict(out, obj, depth + 1, 0);
    }
    if (type == &PyList_Type) {
        return encode_list(out, obj, depth + 1);
    }
    if (type == &PyTuple_Type) {
        return encode_tuple(out, obj, depth + 1);
    }
    return UNKNOWN;
}

int
wfbs_cbor_encode_leaf(wfbs_buffer *out, PyObject *obj)
{
    return encode_item(out, obj, WFBS_CBOR_MAX_DEPTH);
}

int
wfbs_cbor_append_array(wfbs_buffer *out, size_t count)
{
    return append_head(out, WFBS_CBOR_ARRAY, count);
}

int
wfbs_cbor_append_map(wfbs_buffer *out, size_t count)
{
    return append_head(out, WFBS_CBOR_MAP, count);
}

int
wfbs_cbor_encode_known(wfbs_buffer *out, PyObject *obj)
{
    return encode_item(out, obj, 0);
}

int
wfbs_cbor_encode_kwargs(wfbs_buffer *out, PyObject *dict)
{
    const size_t size = out->size;
    const unsigned uncopied = out->uncopied == NULL ? 0 : out->uncopied->count;
    const int status = encode_dict(out, dict, 1, 1);

    if (status != ENCODED) {
        out->size = size;
        if (out->uncopied != NULL) {
            wfbs_uncopied_cut(out->uncopied, uncopied);
        }
    }
    return status > ENCODED ? 1 : status;
}
