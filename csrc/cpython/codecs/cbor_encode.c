/* Python objects to CBOR, as cbor2.dumps(obj) writes them: the shortest head for every length
 * and integer, floats in 64 bits but for the infinities and NaN, containers of definite length,
 * maps in the order of the dict.
 *
 * Nothing here runs Python code: only exact types are looked into, nothing is hashed, compared
 * or called, and no object that the collector tracks is created. While the GIL is held nobody
 * can therefore change a list or a dict half-way, and borrowed references are safe. Builds
 * without a GIL work on private copies of lists and dicts. */
#include "cbor.h"

#include <math.h>
#include <string.h>

/* What the functions below return besides -1 (an exception is set). */
enum {
    ENCODED = 0,
    UNKNOWN = 1, /* no exception set, cbor_foreign.c has to do it */
    ODD_KEY = 2, /* no exception set, a key of kwargs is no str */
};

enum { UNSIGNED = 0x00, NEGATIVE = 0x20, BYTES = 0x40, TEXT = 0x60, ARRAY = 0x80, MAP = 0xa0 };

/* Bytes in the longest head: the initial byte and a 64-bit argument. Also those of a float. */
#define HEAD_MAX 9

static int encode_item(wfbs_buffer *out, PyObject *obj, int depth);

/* The stores below write an integer most significant byte first and return the end. Spelled
 * out, since compilers make one instruction of that and not of a loop. */
static inline uint8_t *put16(uint8_t *p, uint64_t n) {
    p[0] = (uint8_t)(n >> 8);
    p[1] = (uint8_t)n;
    return p + 2;
}

static inline uint8_t *put32(uint8_t *p, uint64_t n) {
    p[0] = (uint8_t)(n >> 24);
    p[1] = (uint8_t)(n >> 16);
    p[2] = (uint8_t)(n >> 8);
    p[3] = (uint8_t)n;
    return p + 4;
}

static inline uint8_t *put64(uint8_t *p, uint64_t n) {
    p[0] = (uint8_t)(n >> 56);
    p[1] = (uint8_t)(n >> 48);
    p[2] = (uint8_t)(n >> 40);
    p[3] = (uint8_t)(n >> 32);
    p[4] = (uint8_t)(n >> 24);
    p[5] = (uint8_t)(n >> 16);
    p[6] = (uint8_t)(n >> 8);
    p[7] = (uint8_t)n;
    return p + 8;
}

/* Writes the shortest head for major type `major` with argument `n` to `p`, where HEAD_MAX bytes
 * are free. Returns its end. */
static inline uint8_t *put_head(uint8_t *p, uint8_t major, uint64_t n) {
    if (n < 24) {
        *p++ = (uint8_t)(major | n);
        return p;
    }
    if (n <= UINT8_MAX) {
        *p++ = major | 24;
        *p++ = (uint8_t)n;
        return p;
    }
    if (n <= UINT16_MAX) {
        *p++ = major | 25;
        return put16(p, n);
    }
    if (n <= UINT32_MAX) {
        *p++ = major | 26;
        return put32(p, n);
    }
    *p++ = major | 27;
    return put64(p, n);
}

/* Appends a head. Returns 0, or -1 with MemoryError set. */
static inline int append_head(wfbs_buffer *out, uint8_t major, uint64_t n) {
    if (wfbs_buffer_reserve(out, HEAD_MAX) < 0) {
        return -1;
    }
    out->size = (size_t)(put_head(out->data + out->size, major, n) - out->data);
    return 0;
}

/* Appends a head and the `size` bytes at `data` that it announces. Returns 0, or -1 with
 * MemoryError set. `size` comes from an object in memory (<= PY_SSIZE_T_MAX), so that the sum
 * can't wrap. */
static inline int append_string(wfbs_buffer *out, uint8_t major, const void *data, size_t size) {
    uint8_t *p;

    if (wfbs_buffer_reserve(out, HEAD_MAX + size) < 0) {
        return -1;
    }
    p = put_head(out->data + out->size, major, size);
    memcpy(p, data, size);
    out->size = (size_t)(p + size - out->data);
    return 0;
}

/* Returns how many bytes UTF-8 takes for a str, or SIZE_MAX where it holds a surrogate. A code
 * point kept in 1, 2 or 4 bytes takes at most twice as many, so the count can't reach SIZE_MAX for
 * an object that fits in memory. Inlined for a constant `kind`. */
static inline size_t utf8_size(int kind, const void *data, Py_ssize_t length) {
    size_t size = (size_t)length;
    int surrogates = 0;

    for (Py_ssize_t i = 0; i < length; i++) { /* without branches: compilers vectorize it */
        const Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        size += (size_t)(ch >= 0x80) + (size_t)(ch >= 0x800) + (size_t)(ch >= 0x10000);
        surrogates |= ch >= 0xd800 && ch <= 0xdfff;
    }
    return surrogates ? SIZE_MAX : size;
}

/* Writes a str without surrogates as UTF-8 to `p`, where utf8_size() bytes are free. Inlined
 * for a constant `kind`. */
static inline void put_utf8(uint8_t *p, int kind, const void *data, Py_ssize_t length) {
    for (Py_ssize_t i = 0; i < length; i++) {
        const Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        if (ch < 0x80) {
            *p++ = (uint8_t)ch;
        } else if (ch < 0x800) {
            *p++ = (uint8_t)(0xc0 | (ch >> 6));
            *p++ = (uint8_t)(0x80 | (ch & 0x3f));
        } else if (ch < 0x10000) {
            *p++ = (uint8_t)(0xe0 | (ch >> 12));
            *p++ = (uint8_t)(0x80 | ((ch >> 6) & 0x3f));
            *p++ = (uint8_t)(0x80 | (ch & 0x3f));
        } else {
            *p++ = (uint8_t)(0xf0 | (ch >> 18));
            *p++ = (uint8_t)(0x80 | ((ch >> 12) & 0x3f));
            *p++ = (uint8_t)(0x80 | ((ch >> 6) & 0x3f));
            *p++ = (uint8_t)(0x80 | (ch & 0x3f));
        }
    }
}

/* Encodes a str of the given kind. The UTF-8 is written here rather than asked for: CPython
 * would keep it with the str for as long as that lives. Returns ENCODED, UNKNOWN, or -1. */
static inline int encode_kind(wfbs_buffer *out, PyObject *obj, int kind) {
    const void *data = PyUnicode_DATA(obj);
    const Py_ssize_t length = PyUnicode_GET_LENGTH(obj);
    const size_t size = utf8_size(kind, data, length);

    if (size == SIZE_MAX) {
        return UNKNOWN; /* for cbor2's UnicodeEncodeError */
    }
    if (append_head(out, TEXT, size) < 0 || wfbs_buffer_reserve(out, size) < 0) {
        return -1;
    }
    put_utf8(out->data + out->size, kind, data, length);
    out->size += size;
    return ENCODED;
}

/* Encodes a str that isn't all ASCII. Returns ENCODED, UNKNOWN, or -1 with MemoryError set. */
static int encode_wide_str(wfbs_buffer *out, PyObject *obj) {
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
static inline int encode_str(wfbs_buffer *out, PyObject *obj) {
#if PY_VERSION_HEX < 0x030c0000
    if (PyUnicode_READY(obj) < 0) { /* strings of the old API exist until 3.11 */
        return -1;
    }
#endif
    if (PyUnicode_IS_ASCII(obj)) {
        return append_string(out, TEXT, PyUnicode_DATA(obj), (size_t)PyUnicode_GET_LENGTH(obj));
    }
    return encode_wide_str(out, obj);
}

/* Encodes an exact int outside the range of int64. Returns ENCODED, UNKNOWN where it takes more
 * than 64 bits, or -1 with MemoryError set. */
static int encode_wide_int(wfbs_buffer *out, PyObject *obj, int sign) {
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
    return append_head(out, sign > 0 ? UNSIGNED : NEGATIVE, n);
}

/* Encodes an exact int. Returns ENCODED, UNKNOWN, or -1 with MemoryError set. */
static inline int encode_int(wfbs_buffer *out, PyObject *obj) {
    int overflow;
    const long long n = PyLong_AsLongLongAndOverflow(obj, &overflow); /* can't fail for an int */

    if (overflow != 0) {
        return encode_wide_int(out, obj, overflow);
    }
    if (n >= 0) {
        return append_head(out, UNSIGNED, (uint64_t)n);
    }
    return append_head(out, NEGATIVE, (uint64_t)(-1 - n)); /* >= 0, so it can't overflow */
}

/* Encodes an exact float. Returns 0, or -1 with MemoryError set. */
static inline int encode_float(wfbs_buffer *out, PyObject *obj) {
    const double value = PyFloat_AS_DOUBLE(obj);
    uint64_t bits;
    uint8_t *p;

    _Static_assert(sizeof bits == sizeof value, "a float is an IEEE 754 double");
    if (wfbs_buffer_reserve(out, HEAD_MAX) < 0) {
        return -1;
    }
    p = out->data + out->size;
    if (isfinite(value)) {
        memcpy(&bits, &value, sizeof bits);
        *p++ = 0xfb;
        p = put64(p, bits);
    } else {
        *p++ = 0xf9;
        p = put16(p, isnan(value) ? 0x7e00 : value > 0 ? 0x7c00 : 0xfc00);
    }
    out->size = (size_t)(p - out->data);
    return 0;
}

/* Appends the one byte of a value that has no argument. Returns 0, or -1 with MemoryError. */
static inline int append_simple(wfbs_buffer *out, uint8_t byte) {
    if (wfbs_buffer_reserve(out, 1) < 0) {
        return -1;
    }
    out->data[out->size++] = byte;
    return 0;
}

/* Encodes an exact tuple. Returns as encode_item. */
static int encode_tuple(wfbs_buffer *out, PyObject *obj, int depth) {
    const Py_ssize_t count = PyTuple_GET_SIZE(obj);
    int status = append_head(out, ARRAY, (uint64_t)count);

    for (Py_ssize_t i = 0; i < count && status == ENCODED; i++) {
        status = encode_item(out, PyTuple_GET_ITEM(obj, i), depth);
    }
    return status;
}

#ifdef Py_GIL_DISABLED

/* Encodes an exact list that other threads may be changing: by way of a copy. */
static int encode_list(wfbs_buffer *out, PyObject *obj, int depth) {
    PyObject *copy = PyList_AsTuple(obj);
    int status = copy == NULL ? -1 : encode_tuple(out, copy, depth);

    Py_XDECREF(copy);
    return status;
}

#else

/* Encodes an exact list. Returns as encode_item. */
static int encode_list(wfbs_buffer *out, PyObject *obj, int depth) {
    const Py_ssize_t count = PyList_GET_SIZE(obj);
    int status = append_head(out, ARRAY, (uint64_t)count);

    for (Py_ssize_t i = 0; i < count && status == ENCODED; i++) {
        status = encode_item(out, PyList_GET_ITEM(obj, i), depth);
    }
    return status;
}

#endif

/* Encodes an exact dict that nobody changes meanwhile. Returns as encode_item, or ODD_KEY if
 * there is a key that is no str and `kwargs` is set. */
static inline int encode_still_dict(wfbs_buffer *out, PyObject *obj, int depth, int kwargs) {
    int status = append_head(out, MAP, (uint64_t)PyDict_GET_SIZE(obj));
    PyObject *key, *value;
    Py_ssize_t position = 0;

    while (status == ENCODED && PyDict_Next(obj, &position, &key, &value)) {
        if (kwargs && !PyUnicode_Check(key)) {
            return ODD_KEY;
        }
        status = encode_item(out, key, depth);
        if (status == ENCODED) {
            status = encode_item(out, value, depth);
        }
    }
    return status;
}

/* Encodes an exact dict. Returns as encode_still_dict. */
static inline int encode_dict(wfbs_buffer *out, PyObject *obj, int depth, int kwargs) {
#ifdef Py_GIL_DISABLED
    PyObject *copy = PyDict_Copy(obj);
    int status = copy == NULL ? -1 : encode_still_dict(out, copy, depth, kwargs);

    Py_XDECREF(copy);
    return status;
#else
    return encode_still_dict(out, obj, depth, kwargs);
#endif
}

/* Appends `obj`, which lies within `depth` containers. Returns ENCODED, UNKNOWN (no exception
 * set, out->size anywhere), or -1 with MemoryError set. */
static int encode_item(wfbs_buffer *out, PyObject *obj, int depth) {
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
        return append_string(out, BYTES, PyBytes_AS_STRING(obj), (size_t)PyBytes_GET_SIZE(obj));
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
    return append_head(out, ARRAY, count);
}

int
wfbs_cbor_append_map(wfbs_buffer *out, size_t count)
{
    return append_head(out, MAP, count);
}

int wfbs_cbor_encode(wfbs_cbor *c, wfbs_buffer *out, PyObject *obj) {
    const size_t size = out->size;
    const int status = encode_item(out, obj, 0);

    if (status == ENCODED) {
        return 0;
    }
    out->size = size;
    if (status != UNKNOWN || wfbs_cbor_encode_foreign(c, out, obj) < 0) {
        out->size = size;
        return -1;
    }
    return 0;
}

int wfbs_cbor_encode_kwargs(wfbs_buffer *out, PyObject *dict) {
    const size_t size = out->size;
    const int status = encode_dict(out, dict, 1, 1);

    if (status != ENCODED) {
        out->size = size;
    }
    return status > ENCODED ? 1 : status;
}
