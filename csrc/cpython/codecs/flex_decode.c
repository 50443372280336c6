/* FlexBuffers to Python objects: null, bool, int, float, str (also for keys), bytes for blobs,
 * list for vectors of every kind, dict for maps (in the order of the buffer: sorted by key).
 *
 * The functions of core/flex_read.h check everything on the way. The place of a vector's element
 * needs no check, because vectors are checked as a whole. */
#include "flex.h"

#include <limits.h>

#include "../../core/text.h"
#include "../base/list.h"

static PyObject *decode_value(wfbs_flex_decoder *d, const wfbs_flex_ref *ref, unsigned depth);

PyObject *
wfbs_flex_raise(wfbs_flex *f, const wfbs_flex_reader *r)
{
    /* During module teardown, the class is gone, but objects may remain. */
    PyObject *type = f->error ? f->error : PyExc_ValueError;
    PyObject *text = PyUnicode_FromFormat("%s, at offset %llu", wfbs_flex_error_text(r->error),
                                          (unsigned long long)r->error_at);
    PyObject *offset = PyLong_FromUnsignedLongLong(r->error_at);
    PyObject *exception = text && offset ? PyObject_CallOneArg(type, text) : NULL;

    if (exception && PyObject_SetAttrString(exception, "offset", offset) == 0) {
        PyErr_SetObject(type, exception);
    }
    Py_XDECREF(text);
    Py_XDECREF(offset);
    Py_XDECREF(exception);
    return NULL;
}

void
wfbs_flex_decoder_open(wfbs_flex_decoder *d, wfbs_flex *f, const uint8_t *data, size_t size)
{
    wfbs_flex_open(&d->reader, data, size);
    d->codec = f;
    d->kept = 0;
    d->places = d->own_places;
    d->texts = d->own_texts;
    d->lent = NULL;
}

int
wfbs_flex_decoder_grow(wfbs_flex_decoder *d)
{
    /* At most 2 slots of 32 bytes for each 32 bytes of an object in memory: can't wrap. */
    const unsigned bits = wfbs_flex_seen_bits((size_t)d->reader.size);
    const size_t count = ((size_t)1 << bits) + WFBS_FLEX_SEEN;

    if (bits <= WFBS_FLEX_SEEN_BITS) {
        return 0;
    }
    _Static_assert(sizeof(size_t) <= 8 && sizeof(PyObject *) <= 8, "a place takes 32 bytes");
    uint64_t *memory = PyMem_Calloc(count, 32); /* large blocks take no time until they are used */
    if (!memory) {
        PyErr_NoMemory();
        return -1;
    }
    d->lent = memory;
    wfbs_flex_lend(&d->reader, bits, memory, memory + count);
    d->texts = (PyObject **)(memory + 2 * count);
    d->places = (size_t *)(memory + 3 * count);
    return 0;
}

void
wfbs_flex_decoder_close(wfbs_flex_decoder *d)
{
    while (d->kept > 0) {
        Py_DECREF(d->texts[d->places[--d->kept]]);
    }
    PyMem_Free(d->lent);
    d->lent = NULL;
}

/* Records an error. Always returns NULL. */
static PyObject *
fail(wfbs_flex_decoder *d, wfbs_flex_error error, uint64_t at)
{
    wfbs_flex_note(&d->reader, error, at);
    return NULL;
}

/* ---- text */

/* Returns a new str; or NULL, with the reader's error set if the bytes aren't UTF-8, otherwise with
 * MemoryError set. */
static PyObject *
new_text(wfbs_flex_decoder *d, const wfbs_flex_span *span)
{
    const uint8_t *p = d->reader.data + span->at;
    const size_t size = (size_t)span->size;

    if (size > 1 && wfbs_text_is_ascii(p, size)) {
        return wfbs_text_from_ascii(p, size);
    }
    if (!wfbs_utf8_is_valid(p, size)) {
        return fail(d, WFBS_FLEX_ERROR_UTF8, span->at);
    }
    return wfbs_text_from_wide(p, size);
}

/* Returns a new reference to a str for a key, shared between calls if it is short and ASCII; or
 * NULL as new_text. */
static inline PyObject *
new_key(wfbs_flex_decoder *d, const wfbs_flex_span *span)
{
    PyObject *key = wfbs_keys_share(&d->codec->keys, d->reader.data + span->at, (size_t)span->size);

    return key || PyErr_Occurred() ? key : new_text(d, span);
}

/* Returns a new reference to the str of a text whose place has been checked: an earlier str, or a
 * new one, which is kept. `width` as for wfbs_flex_places; 0 for a key. NULL with the reader's
 * error or MemoryError set. */
static inline PyObject *
shared_text(wfbs_flex_decoder *d, const wfbs_flex_span *span, unsigned width)
{
    size_t place;
    const wfbs_flex_visit visit = wfbs_flex_visit_text(&d->reader, span, width, &place);

    if (visit == WFBS_FLEX_KNOWN) {
        return Py_NewRef(d->texts[place]);
    }
    if (visit == WFBS_FLEX_BROKE) {
        return NULL;
    }
    PyObject *text = width ? new_text(d, span) : new_key(d, span);
    if (!text) {
        return NULL; /* nothing is read after that, so the slot may be outdated */
    }
    if (visit == WFBS_FLEX_FIRST) {
        d->places[d->kept++] = place; /* each slot once, so there is room for it */
    }
    else {
        Py_DECREF(d->texts[place]);
    }
    d->texts[place] = text;
    return Py_NewRef(text);
}

static inline PyObject *
decode_key(wfbs_flex_decoder *d, const wfbs_flex_ref *ref)
{
    wfbs_flex_span span;
    uint64_t target;

    if (!wfbs_flex_target(&d->reader, ref, &target)
        || !wfbs_flex_key_at(&d->reader, target, ref->limit, &span)) {
        return NULL;
    }
    return shared_text(d, &span, 0);
}

static inline PyObject *
decode_string(wfbs_flex_decoder *d, const wfbs_flex_ref *ref)
{
    wfbs_flex_span span;
    uint64_t target;

    if (!wfbs_flex_aligned_target(&d->reader, ref, &target)
        || !wfbs_flex_bytes_at(&d->reader, ref, target, &span)) {
        return NULL;
    }
    return shared_text(d, &span, ref->width);
}

static PyObject *
decode_blob(wfbs_flex_decoder *d, const wfbs_flex_ref *ref)
{
    wfbs_flex_span span;
    uint64_t target;

    if (!wfbs_flex_aligned_target(&d->reader, ref, &target)
        || !wfbs_flex_bytes_at(&d->reader, ref, target, &span)
        || !wfbs_flex_charge(&d->reader, span.size + WFBS_FLEX_VISIT_COST, target)) {
        return NULL;
    }
    return PyBytes_FromStringAndSize((const char *)d->reader.data + span.at, (Py_ssize_t)span.size);
}

/* ---- numbers: `width` bytes at position `at`, within the data */

static inline PyObject *
new_signed(wfbs_flex_decoder *d, uint64_t at, unsigned width)
{
    const int64_t n = wfbs_flex_load_signed(d->reader.data + at, width);

    /* The constructor for `long` is CPython's fastest. */
    return n >= LONG_MIN && n <= LONG_MAX ? PyLong_FromLong((long)n) : PyLong_FromLongLong(n);
}

static inline PyObject *
new_unsigned(wfbs_flex_decoder *d, uint64_t at, unsigned width)
{
    const uint64_t n = wfbs_flex_load_unsigned(d->reader.data + at, width);

    return n <= LONG_MAX ? PyLong_FromLong((long)n) : PyLong_FromUnsignedLongLong(n);
}

static inline PyObject *
new_float(wfbs_flex_decoder *d, uint64_t at, unsigned width)
{
    if (width < 4) {
        return fail(d, WFBS_FLEX_ERROR_FLOAT_WIDTH, at);
    }
    return PyFloat_FromDouble(wfbs_flex_load_float(d->reader.data + at, width));
}

static PyObject *
decode_indirect(wfbs_flex_decoder *d, const wfbs_flex_ref *ref)
{
    uint64_t at;

    if (!wfbs_flex_indirect(&d->reader, ref, &at)) {
        return NULL;
    }
    switch (ref->type) {
    case WFBS_FLEX_INDIRECT_INT:
        return new_signed(d, at, ref->width);
    case WFBS_FLEX_INDIRECT_UINT:
        return new_unsigned(d, at, ref->width);
    default:
        return new_float(d, at, ref->width);
    }
}

/* ---- containers */

/* Returns a new list, or NULL as decode_value. */
static PyObject *
decode_vector(wfbs_flex_decoder *d, const wfbs_flex_ref *ref, unsigned depth)
{
    wfbs_flex_vector vector;

    if (!wfbs_flex_vector_of(&d->reader, ref, &vector)) {
        return NULL;
    }
    /* count <= the size of the bytes, which are in memory */
    PyObject *list = PyList_New((Py_ssize_t)vector.count);
    for (uint64_t i = 0; list && i < vector.count; i++) {
        const wfbs_flex_ref item = wfbs_flex_item(&d->reader, &vector, i);
        PyObject *value = item.type == WFBS_FLEX_INT /* the most frequent case: saves a call */
                              ? new_signed(d, item.at, item.slot_width)
                              : decode_value(d, &item, depth);
        wfbs_list_fill(&list, (Py_ssize_t)i, value);
    }
    return list;
}

/* Returns a new dict, or NULL as decode_value. */
static PyObject *
decode_map(wfbs_flex_decoder *d, const wfbs_flex_ref *ref, unsigned depth)
{
    wfbs_flex_map map;

    if (!wfbs_flex_map_of(&d->reader, ref, &map)) {
        return NULL;
    }
    PyObject *dict = PyDict_New();
    for (uint64_t i = 0; dict && i < map.values.count; i++) {
        const wfbs_flex_ref name = wfbs_flex_item(&d->reader, &map.keys, i);
        const wfbs_flex_ref item = wfbs_flex_item(&d->reader, &map.values, i);
        PyObject *key = decode_key(d, &name);
        PyObject *value = key ? decode_value(d, &item, depth) : NULL;
        if (!value || PyDict_SetItem(dict, key, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    if (dict && (uint64_t)PyDict_GET_SIZE(dict) != map.values.count) {
        Py_DECREF(dict);
        return fail(d, WFBS_FLEX_ERROR_DUPLICATE, map.keys.at);
    }
    return dict;
}

/* Decodes a value nested in `depth` containers. Returns a new reference; or NULL, with either the
 * reader's error or MemoryError set. */
static PyObject *
decode_value(wfbs_flex_decoder *d, const wfbs_flex_ref *ref, unsigned depth)
{
    switch (ref->type) {
    case WFBS_FLEX_NULL:
        return Py_NewRef(Py_None);
    case WFBS_FLEX_INT:
        return new_signed(d, ref->at, ref->slot_width);
    case WFBS_FLEX_UINT:
        return new_unsigned(d, ref->at, ref->slot_width);
    case WFBS_FLEX_FLOAT:
        return new_float(d, ref->at, ref->slot_width);
    case WFBS_FLEX_BOOL:
        return PyBool_FromLong(wfbs_flex_load_unsigned(d->reader.data + ref->at, ref->slot_width)
                               != 0);
    case WFBS_FLEX_KEY:
        return decode_key(d, ref);
    case WFBS_FLEX_STRING:
        return decode_string(d, ref);
    case WFBS_FLEX_BLOB:
        return decode_blob(d, ref);
    case WFBS_FLEX_INDIRECT_INT:
    case WFBS_FLEX_INDIRECT_UINT:
    case WFBS_FLEX_INDIRECT_FLOAT:
        return decode_indirect(d, ref);
    default:
        break;
    }
    const wfbs_flex_shape shape = wfbs_flex_shape_of(ref->type);
    if (shape == WFBS_FLEX_IS_SCALAR) {
        return fail(d, WFBS_FLEX_ERROR_TYPE, ref->at);
    }
    if (depth >= WFBS_FLEX_MAX_DEPTH) { /* this bounds the C stack */
        return fail(d, WFBS_FLEX_ERROR_DEPTH, ref->at);
    }
    return shape == WFBS_FLEX_IS_MAP ? decode_map(d, ref, depth + 1)
                                     : decode_vector(d, ref, depth + 1);
}

PyObject *
wfbs_flex_decode_ref(wfbs_flex_decoder *d, const wfbs_flex_ref *ref)
{
    PyObject *value = decode_value(d, ref, 0);

    if (!value && d->reader.error != WFBS_FLEX_ERROR_OK) {
        return wfbs_flex_raise(d->codec, &d->reader);
    }
    return value;
}

PyObject *
wfbs_flex_decode_keys(wfbs_flex_decoder *d, const wfbs_flex_map *map)
{
    PyObject *list = PyList_New((Py_ssize_t)map->keys.count); /* <= the size of the bytes */

    for (uint64_t i = 0; list && i < map->keys.count; i++) {
        const wfbs_flex_ref name = wfbs_flex_item(&d->reader, &map->keys, i);
        wfbs_list_fill(&list, (Py_ssize_t)i, decode_key(d, &name));
    }
    if (!list && d->reader.error != WFBS_FLEX_ERROR_OK) {
        return wfbs_flex_raise(d->codec, &d->reader);
    }
    return list;
}

PyObject *
wfbs_flex_decode(wfbs_flex *f, const uint8_t *data, size_t size)
{
    wfbs_flex_decoder decoder;
    wfbs_flex_ref root;
    PyObject *value = NULL;

    wfbs_flex_decoder_open(&decoder, f, data, size);
    if (wfbs_flex_decoder_grow(&decoder) == 0) {
        value = wfbs_flex_root(&decoder.reader, &root) ? wfbs_flex_decode_ref(&decoder, &root)
                                                       : wfbs_flex_raise(f, &decoder.reader);
    }
    wfbs_flex_decoder_close(&decoder);
    return value;
}
