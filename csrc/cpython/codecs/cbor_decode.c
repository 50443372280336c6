/* CBOR to Python objects, with the same results as cbor2.loads(data).
 *
 * A number, reader.spare, ensures the bounds: the bytes ahead that are not needed for the initial
 * bytes of items still to be read. An item takes its initial byte from the bytes that its container
 * has reserved for it, and everything else (arguments, contents, the initial bytes of its own
 * items) from `spare`, after a comparison. Therefore no byte outside the input is read, and the
 * memory allocated ahead for all open containers never exceeds one slot for each byte of input.
 *
 * If a function returns NULL without an exception, cbor2 has to decide about the input. With an
 * exception, memory is exhausted, or a map would take too long. */
#include "cbor.h"

#include <limits.h>
#include <string.h>

#include "../../core/cbor_guard.h"
#include "../../core/key_probes.h"
#include "cbor_large_map.h"

typedef struct {
    const uint8_t *next; /* the next byte of the input */
    size_t spare;        /* bytes from `next` on, without the reserved ones */
    wfbs_cbor *codec;
} reader;

static PyObject *decode_item(reader *r, int depth);

/* Reads 8 bytes, most significant byte first. Spelled out because compilers turn this, but not a
 * loop, into one instruction. */
static inline uint64_t
get64(const uint8_t *p)
{
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32
           | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

/* Reads the argument of the initial byte `byte` into `n`. Returns 1, or 0 if the input ends first,
 * the encoding is reserved, or the length is indefinite. */
static inline int
read_argument(reader *r, uint8_t byte, uint64_t *n)
{
    const uint8_t info = byte & 0x1f;
    const uint8_t *p = r->next;
    size_t count;

    if (info < 24) {
        *n = info;
        return 1;
    }
    if (info > 27) {
        return 0;
    }
    count = (size_t)1 << (info - 24);
    if (count > r->spare) {
        return 0;
    }
    r->spare -= count;
    r->next += count;
    switch (count) {
    case 1:
        *n = p[0];
        return 1;
    case 2:
        *n = (uint64_t)p[0] << 8 | p[1];
        return 1;
    case 4:
        *n = (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
        return 1;
    default:
        *n = get64(p);
        return 1;
    }
}

/* Reads a length and consumes that many bytes. Returns their address; or NULL, as read_argument
 * returns 0. */
static inline const uint8_t *
take_string(reader *r, uint8_t byte, size_t *size)
{
    const uint8_t *start;
    uint64_t n;

    if (!read_argument(r, byte, &n) || n > r->spare) {
        return NULL;
    }
    start = r->next;
    *size = (size_t)n; /* <= spare, which is a size_t */
    r->spare -= *size;
    r->next += *size;
    return start;
}

/* Returns a new str, or NULL: without an exception if the bytes aren't UTF-8. */
static PyObject *
decode_text(const uint8_t *p, size_t size)
{
    PyObject *text;

    if (size > 1 && wfbs_text_is_ascii(p, size)) { /* CPython shares shorter ones */
        return wfbs_text_from_ascii(p, size);
    }
    text = PyUnicode_DecodeUTF8((const char *)p, (Py_ssize_t)size, NULL);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
    }
    return text;
}

/* Returns a new reference to a str for a map key, shared if it is short and ASCII; or NULL as
 * decode_text. */
static inline PyObject *
decode_key(reader *r, const uint8_t *p, size_t size)
{
    PyObject *key = wfbs_keys_share(&r->codec->keys, p, size);

    return key != NULL || PyErr_Occurred() ? key : decode_text(p, size);
}

/* Returns a new list, or NULL as decode_item. */
static PyObject *
decode_array(reader *r, uint8_t byte, int depth)
{
    PyObject *list, *item;
    uint64_t count;

    /* Each item takes at least one byte, so a greater count must be wrong. */
    if (depth >= WFBS_CBOR_READ_DEPTH || !read_argument(r, byte, &count) || count > r->spare) {
        return NULL;
    }
    r->spare -= (size_t)count;
    list = PyList_New((Py_ssize_t)count); /* <= the input's size <= PY_SSIZE_T_MAX */
    if (list == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < (Py_ssize_t)count; i++) {
        item = decode_item(r, depth + 1);
        if (item == NULL) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

/* Reads a map key. Returns a new reference; or NULL as decode_item, also for a container, which
 * cbor2 converts to a hashable form. */
static inline PyObject *
decode_map_key(reader *r, int depth)
{
    const uint8_t byte = *r->next;
    const uint8_t *start;
    size_t size;

    if (byte >> 5 == 3) {
        r->next++;
        start = take_string(r, byte, &size);
        return start == NULL ? NULL : decode_key(r, start, size);
    }
    if (byte >> 5 == 4 || byte >> 5 == 5) {
        return NULL;
    }
    return decode_item(r, depth);
}

/* Returns a new int, or NULL with MemoryError set. The constructor for `long` is CPython's
 * fastest. */
static inline PyObject *
new_unsigned(uint64_t n)
{
    return n <= LONG_MAX ? PyLong_FromLong((long)n) : PyLong_FromUnsignedLongLong(n);
}

/* Returns a new int for a negative integer, -1 - n; or NULL with MemoryError set. */
static PyObject *
new_negative(uint64_t n)
{
    PyObject *magnitude, *value;

    if (n <= LONG_MAX) {
        return PyLong_FromLong(-1 - (long)n); /* >= LONG_MIN */
    }
    magnitude = PyLong_FromUnsignedLongLong(n);
    if (magnitude == NULL) {
        return NULL;
    }
    value = PyNumber_Invert(magnitude); /* ~n is -1 - n */
    Py_DECREF(magnitude);
    return value;
}

/* Reads an entry of a small map into `dict`. Returns 0, or -1 when decode_item would return
 * NULL. */
static inline int
decode_entry(reader *r, PyObject *dict, int depth)
{
    PyObject *key = decode_map_key(r, depth), *value;
    int status;

    if (key == NULL) {
        return -1;
    }
    value = decode_item(r, depth);
    if (value == NULL) {
        Py_DECREF(key);
        return -1;
    }
    status = PyDict_SetItem(dict, key, value);
    Py_DECREF(key);
    Py_DECREF(value);
    return status;
}

/* Reads a key of a large map, like decode_map_key. If it is neither text nor bytes, sets *counted
 * to true and *hash to its hash. A number's hash is known before the number is created. */
static inline PyObject *
decode_large_key(reader *r, int depth, bool *counted, uint64_t *hash)
{
    const uint8_t byte = *r->next;
    *counted = byte >> 5 != 2 && byte >> 5 != 3;
    if (byte >> 5 <= 1) {
        uint64_t n;
        r->next++;
        if (!read_argument(r, byte, &n)) {
            return NULL;
        }
        *hash = wfbs_hash_integer(n, byte >> 5 == 1);
        return byte >> 5 == 0 ? new_unsigned(n) : new_negative(n);
    }
    if (byte == 0xfb && r->spare >= 8) {
        *hash = wfbs_hash_double(get64(r->next + 1));
    }
    PyObject *key = decode_map_key(r, depth);
    if (key != NULL && *counted && (byte != 0xfb || Py_IS_NAN(PyFloat_AS_DOUBLE(key)))) {
        const Py_hash_t found = PyObject_Hash(key);
        if (found == -1) {
            Py_CLEAR(key);
        }
        *hash = (uint64_t)found;
    }
    return key;
}

/* Reads an entry of a large map. Returns as decode_entry. */
static inline int
decode_large_entry(reader *r, wfbs_large_map *m, int depth)
{
    bool counted;
    uint64_t hash = 0;
    PyObject *key = decode_large_key(r, depth, &counted, &hash);
    PyObject *value = key == NULL ? NULL : decode_item(r, depth);
    int status = -1;
    if (value != NULL) {
        status = counted ? wfbs_large_map_put_number(m, key, hash, value)
                         : wfbs_large_map_put(m, key, value);
    }
    Py_XDECREF(key);
    Py_XDECREF(value);
    return status;
}

/* Returns a new dict with this many entries, or NULL as decode_item. */
static PyObject *
decode_large_map(reader *r, size_t count, int depth)
{
    wfbs_large_map map;
    int status = wfbs_large_map_begin(&map, count);
    for (; status == 0 && count > 0; count--) {
        status = decode_large_entry(r, &map, depth);
    }
    return wfbs_large_map_end(&map, status == 0);
}

/* Returns a new dict, or NULL as decode_item. Of equal keys, the first one is kept, with the value
 * of the last. */
static PyObject *
decode_map(reader *r, uint8_t byte, int depth)
{
    PyObject *dict;
    uint64_t count;

    /* Each entry takes at least two bytes, so a greater count must be wrong. */
    if (depth >= WFBS_CBOR_READ_DEPTH || !read_argument(r, byte, &count) || count > r->spare / 2) {
        return NULL;
    }
    r->spare -= 2 * (size_t)count; /* <= spare */
    if (count > WFBS_PROBES_FREE) {
        return decode_large_map(r, (size_t)count, depth + 1);
    }
    dict = PyDict_New();
    for (; dict != NULL && count > 0; count--) {
        if (decode_entry(r, dict, depth + 1) < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

/* Returns a new float from its `count` bytes; or NULL as decode_item, also for an unusual short
 * NaN, whose conversion is left to cbor2. */
static PyObject *
decode_float(reader *r, int count)
{
    const char *start = (const char *)r->next;
    double value;

    if ((size_t)count > r->spare) {
        return NULL;
    }
    r->spare -= (size_t)count;
    r->next += count;
    if (count == 8) {
        const uint64_t bits = get64((const uint8_t *)start);
        memcpy(&value, &bits, sizeof value);
        return PyFloat_FromDouble(value);
    }
    if (count == 4) {
        value = PyFloat_Unpack4(start, 0);
    }
    else {
        value = PyFloat_Unpack2(start, 0);
    }
    if (value == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    if (Py_IS_NAN(value) && (count == 4 || start[0] != 0x7e || start[1] != 0)) {
        return NULL;
    }
    return PyFloat_FromDouble(value);
}

/* Returns a new reference for an item of major type 7, or NULL as decode_item. */
static inline PyObject *
decode_simple(reader *r, uint8_t byte)
{
    switch (byte) {
    case 0xf4:
        return Py_NewRef(Py_False);
    case 0xf5:
        return Py_NewRef(Py_True);
    case 0xf6:
        return Py_NewRef(Py_None);
    case 0xf9:
        return decode_float(r, 2);
    case 0xfa:
        return decode_float(r, 4);
    case 0xfb:
        return decode_float(r, 8);
    default:
        return NULL;
    }
}

/* Reads one item, whose initial byte has been reserved, nested in `depth` containers. Returns a new
 * reference; or NULL, with MemoryError or ValueError set, or without an exception. */
static PyObject *
decode_item(reader *r, int depth)
{
    const uint8_t byte = *r->next++;
    const uint8_t *start;
    uint64_t n;
    size_t size;

    switch (byte >> 5) {
    case 0:
        return read_argument(r, byte, &n) ? new_unsigned(n) : NULL;
    case 1:
        return read_argument(r, byte, &n) ? new_negative(n) : NULL;
    case 2:
        start = take_string(r, byte, &size);
        return start == NULL ? NULL
                             : PyBytes_FromStringAndSize((const char *)start, (Py_ssize_t)size);
    case 3:
        start = take_string(r, byte, &size);
        return start == NULL ? NULL : decode_text(start, size);
    case 4:
        return decode_array(r, byte, depth);
    case 5:
        return decode_map(r, byte, depth);
    case 6:
        return NULL;
    default:
        return decode_simple(r, byte);
    }
}

int
wfbs_cbor_check_input(const uint8_t *data, size_t size)
{
    const size_t needed = wfbs_cbor_scratch(data, size);
    void *scratch = needed > 0 ? PyMem_Malloc(needed) : NULL; /* NULL if that is too much */
    const char *refusal;

    if (needed > 0 && scratch == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    refusal = wfbs_cbor_refusal(data, size, scratch);
    PyMem_Free(scratch);
    if (refusal != NULL) {
        PyErr_Format(PyExc_ValueError, "CBOR: %s", refusal);
        return -1;
    }
    return 0;
}

/* Returns the result of cbor2.loads(data), or NULL with its exception. */
static PyObject *
call_loads(wfbs_cbor *c, const uint8_t *data, size_t size)
{
    PyObject *loads = wfbs_cbor_loads(c);
    if (loads == NULL) {
        return NULL;
    }
    PyObject *copy = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)size);
    PyObject *value = copy == NULL ? NULL : PyObject_CallOneArg(loads, copy);
    Py_XDECREF(copy);
    Py_DECREF(loads);
    return value;
}

/* Returns NULL with CBORDecodeError set, or MemoryError. The result of cbor2.loads for such input
 * depends on its version: some error, or an object that is not a value, such as its break
 * marker. */
static PyObject *
refuse_malformed(wfbs_cbor *c, const uint8_t *data, size_t size, const char *malformed)
{
    PyObject *decode_error = wfbs_cbor_decode_error(c);
    if (decode_error == NULL) {
        return NULL;
    }
    PyObject *value = call_loads(c, data, size);
    if (value != NULL
        || (PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(PyExc_MemoryError)
            && !PyErr_ExceptionMatches(decode_error))) {
        PyErr_SetString(decode_error, malformed);
    }
    Py_XDECREF(value);
    Py_DECREF(decode_error);
    return NULL;
}

/* Returns the result of cbor2.loads(data), or NULL with an exception set: also ValueError for input
 * that is kept away from cbor2. */
static PyObject *
decode_with_cbor2(wfbs_cbor *c, const uint8_t *data, size_t size)
{
    const char *malformed;

    if (wfbs_cbor_check_input(data, size) < 0) {
        return NULL;
    }
    malformed = wfbs_cbor_malformation(data, size);
    return malformed == NULL ? call_loads(c, data, size)
                             : refuse_malformed(c, data, size, malformed);
}

PyObject *
wfbs_cbor_decode_first(wfbs_cbor *c, const uint8_t *data, size_t size, size_t *used)
{
    const size_t skipped = wfbs_cbor_skip_tag(data, size);

    data += skipped;
    size -= skipped;
    if (size > 0) {
        reader r = {.next = data, .spare = size - 1, .codec = c};
        PyObject *value = decode_item(&r, 0);
        if (value != NULL || PyErr_Occurred()) {
            *used = skipped + (size_t)(r.next - data);
            return value;
        }
    }
    *used = skipped + wfbs_cbor_item_size(data, size);
    return decode_with_cbor2(c, data, size);
}

PyObject *
wfbs_cbor_decode(wfbs_cbor *c, const uint8_t *data, size_t size)
{
    size_t used;
    return wfbs_cbor_decode_first(c, data, size, &used);
}
