/* Python objects to FlexBuffers.
 *
 * Nothing here runs Python code: objects are examined by type, nothing is called, hashed or
 * compared, and no object that the collector tracks is created (except for errors, at the end).
 * With the GIL, therefore, nobody can change a list or a dict while it is encoded, and borrowed
 * references are safe. Builds without a GIL work on private copies of lists and dicts. */
#include "flex_write.h"
#include "../base/type_name.h"
#include "../base/utf8.h"

#include <float.h>
#include <math.h>

enum { SHORT_LENGTH = 63 }; /* characters of a str: they take at most 252 bytes in UTF-8 */

static int encode_value(wfbs_flex_writer *w, PyObject *obj, unsigned depth, wfbs_flex_slot *slot);

/* Records a step on the path to the refused value. Doesn't keep a reference to the key, because
 * raising an exception can run a finalizer that drops it. Always returns -1. */
static int
trace(wfbs_flex_writer *w, wfbs_flex_step step)
{
    if (w->step_count < WFBS_FLEX_MAX_DEPTH) {
        w->steps[w->step_count++] = step;
    }
    return -1;
}

/* ---- values other than containers */

static inline wfbs_flex_slot
int_slot(int64_t n)
{
    /* The width of the magnitude plus a sign bit: it is below 2**63, so doubling can't wrap. */
    const uint64_t magnitude = (uint64_t)(n >= 0 ? n : ~n);
    return (wfbs_flex_slot){
        .bits = (uint64_t)n, .type = WFBS_FLEX_INT, .width = wfbs_flex_width_of(magnitude * 2)};
}

static int
encode_int(wfbs_flex_writer *w, PyObject *obj, wfbs_flex_slot *slot)
{
    int overflow;
    const long long n = PyLong_AsLongLongAndOverflow(obj, &overflow); /* can't fail for an int */

    if (overflow == 0) {
        *slot = int_slot(n);
        return 0;
    }
    wfbs_flex_refuse(w, WFBS_FLEX_BAD_INT, obj); /* raising can run a finalizer that drops obj */
    if (overflow > 0) {
        const unsigned long long big = PyLong_AsUnsignedLongLong(obj);
        if (big != (unsigned long long)-1 || !PyErr_Occurred()) {
            *slot = (wfbs_flex_slot){.bits = big, .type = WFBS_FLEX_UINT, .width = 3};
            Py_CLEAR(w->culprit);
            return 0;
        }
        PyErr_Clear(); /* OverflowError */
    }
    return -1;
}

/* A float takes 32 bits if they represent its value exactly, except NaN. */
static inline wfbs_flex_slot
float_slot(double value)
{
    const bool narrow =
        isinf(value) || (fabs(value) <= (double)FLT_MAX && (double)(float)value == value);
    uint64_t bits;

    _Static_assert(sizeof bits == sizeof value, "a float is an IEEE 754 double");
    memcpy(&bits, &value, sizeof bits);
    return (wfbs_flex_slot){.bits = bits, .type = WFBS_FLEX_FLOAT, .width = narrow ? 2 : 3};
}

/* Encodes a str that is so short that the length of its UTF-8 takes one byte, whatever the
 * characters are, without computing the length first. */
static int
encode_short_str(wfbs_flex_writer *w, PyObject *obj, wfbs_flex_slot *slot)
{
    if (wfbs_buffer_reserve(w->out, 4 * SHORT_LENGTH + 2) < 0) {
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
    }
    uint8_t *const length = w->out->data + w->out->size;
    uint8_t *const end = wfbs_utf8_put(length + 1, obj);
    if (!end) {
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_TEXT, obj);
    }
    *length = (uint8_t)(end - length - 1);
    *end = 0;
    *slot =
        (wfbs_flex_slot){.bits = w->out->size + 1 - w->base, .type = WFBS_FLEX_STRING, .width = 0};
    w->out->size = (size_t)(end + 1 - w->out->data);
    return 0;
}

static int
encode_str(wfbs_flex_writer *w, PyObject *obj, wfbs_flex_slot *slot)
{
#if PY_VERSION_HEX < 0x030c0000
    if (PyUnicode_READY(obj) < 0) { /* strings of the old API exist until 3.11 */
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
    }
#endif
    if (PyUnicode_IS_ASCII(obj)) {
        return wfbs_flex_append_bytes(w, WFBS_FLEX_STRING, PyUnicode_DATA(obj),
                                      (size_t)PyUnicode_GET_LENGTH(obj), slot);
    }
    if (PyUnicode_GET_LENGTH(obj) <= SHORT_LENGTH) {
        return encode_short_str(w, obj, slot);
    }
    const size_t size = wfbs_utf8_size(obj);
    if (size == SIZE_MAX) {
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_TEXT, obj);
    }
    uint8_t *p = wfbs_flex_begin_bytes(w, WFBS_FLEX_STRING, size, slot);
    if (!p) {
        return -1;
    }
    wfbs_utf8_put(p, obj);
    return 0;
}

static int
encode_memoryview(wfbs_flex_writer *w, PyObject *obj, wfbs_flex_slot *slot)
{
    Py_buffer view;
    int status = -1;

    if (PyObject_GetBuffer(obj, &view, PyBUF_FULL_RO) < 0) {
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
    }
    uint8_t *p = wfbs_flex_begin_bytes(w, WFBS_FLEX_BLOB, (size_t)view.len, slot);
    if (p && PyBuffer_ToContiguous(p, &view, view.len, 'C') < 0) {
        wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
    }
    else if (p) {
        status = 0;
    }
    PyBuffer_Release(&view);
    return status;
}

/* ---- containers */

/* Encodes `items` (borrowed), a list or tuple that nobody changes meanwhile. */
static int
encode_items(wfbs_flex_writer *w, PyObject *const *items, size_t count, unsigned depth,
             wfbs_flex_slot *slot)
{
    wfbs_flex_slot item;
    size_t first;

    if (wfbs_flex_take_slots(w, count, &first) < 0) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (encode_value(w, items[i], depth, &item) < 0) {
            return trace(w, (wfbs_flex_step){.at = i});
        }
        w->scratch->slots[first + i] = item; /* the stack may have moved */
    }
    const uint8_t type =
        w->compact ? wfbs_flex_vector_type(w->scratch->slots + first, count) : WFBS_FLEX_VECTOR;
    if (w->compact && type == WFBS_FLEX_VECTOR && wfbs_flex_append_indirect(w, count) < 0) {
        return -1;
    }
    return wfbs_flex_append_vector(w, type, count, NULL, slot);
}

static int
encode_list(wfbs_flex_writer *w, PyObject *obj, unsigned depth, wfbs_flex_slot *slot)
{
#ifdef Py_GIL_DISABLED
    PyObject *copy = PyList_AsTuple(obj);
    if (!copy) {
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
    }
#else
    PyObject *copy = Py_NewRef(obj);
#endif
    const int status = encode_items(w, PySequence_Fast_ITEMS(copy),
                                    (size_t)PySequence_Fast_GET_SIZE(copy), depth, slot);
    Py_DECREF(copy);
    return status;
}

/* Encodes a dict that nobody changes meanwhile. Writes the values in the order of their keys, so
 * that equal dicts give equal bytes. */
static int
encode_still_dict(wfbs_flex_writer *w, PyObject *obj, unsigned depth, wfbs_flex_slot *slot)
{
    const wfbs_flex_layout *layout = &w->scratch->layouts[depth];
    wfbs_flex_slot item;
    size_t first;

    if (wfbs_flex_write_keys(w, obj, depth) < 0) {
        return -1;
    }
    /* Until the map is written, there is no other one at this depth, so the layout remains
     * valid. */
    if (wfbs_flex_take_slots(w, layout->count, &first) < 0) {
        return -1;
    }
    for (size_t i = 0; i < layout->count; i++) {
        const wfbs_flex_key *key = &layout->keys[layout->ranks[i].index];
        if (encode_value(w, key->value, depth + 1, &item) < 0) {
            return trace(w, (wfbs_flex_step){true, key->position, key->size});
        }
        w->scratch->slots[first + i] = item;
    }
    if (w->compact && wfbs_flex_append_indirect(w, layout->count) < 0) {
        return -1;
    }
    return wfbs_flex_append_vector(w, WFBS_FLEX_MAP, layout->count, layout, slot);
}

static int
encode_dict(wfbs_flex_writer *w, PyObject *obj, unsigned depth, wfbs_flex_slot *slot)
{
#ifdef Py_GIL_DISABLED
    PyObject *copy = PyDict_Copy(obj);
    if (!copy) {
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
    }
    const int status = encode_still_dict(w, copy, depth, slot);
    Py_DECREF(copy);
    return status;
#else
    return encode_still_dict(w, obj, depth, slot);
#endif
}

/* Encodes subclasses of the exact types below as their base types. */
static int
encode_other(wfbs_flex_writer *w, PyObject *obj, unsigned depth, wfbs_flex_slot *slot)
{
    if (PyLong_Check(obj)) {
        return encode_int(w, obj, slot);
    }
    if (PyFloat_Check(obj)) {
        *slot = float_slot(PyFloat_AS_DOUBLE(obj));
        return 0;
    }
    if (PyUnicode_Check(obj)) {
        return encode_str(w, obj, slot);
    }
    if (PyBytes_Check(obj)) {
        return wfbs_flex_append_bytes(w, WFBS_FLEX_BLOB, PyBytes_AS_STRING(obj),
                                      (size_t)PyBytes_GET_SIZE(obj), slot);
    }
    if (PyByteArray_Check(obj)) {
        int status;
        Py_BEGIN_CRITICAL_SECTION(obj);
        status = wfbs_flex_append_bytes(w, WFBS_FLEX_BLOB, PyByteArray_AS_STRING(obj),
                                        (size_t)PyByteArray_GET_SIZE(obj), slot);
        Py_END_CRITICAL_SECTION();
        return status;
    }
    if (PyMemoryView_Check(obj)) {
        return encode_memoryview(w, obj, slot);
    }
    const bool list = PyList_Check(obj), tuple = PyTuple_Check(obj);
    if (!list && !tuple && !PyDict_Check(obj)) {
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_TYPE, obj);
    }
    /* This bounds the C stack, and stops at a container that contains itself. */
    if (depth >= WFBS_FLEX_MAX_DEPTH) {
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_DEPTH, obj);
    }
    if (list) {
        return encode_list(w, obj, depth + 1, slot);
    }
    if (tuple) {
        return encode_items(w, PySequence_Fast_ITEMS(obj), (size_t)PyTuple_GET_SIZE(obj), depth + 1,
                            slot);
    }
    return encode_dict(w, obj, depth, slot);
}

/* Writes the parts of `obj`, nested in `depth` containers. Sets *slot to the value. */
static int
encode_value(wfbs_flex_writer *w, PyObject *obj, unsigned depth, wfbs_flex_slot *slot)
{
    const PyTypeObject *type = Py_TYPE(obj);

    if (type == &PyUnicode_Type) {
        return encode_str(w, obj, slot);
    }
    if (type == &PyLong_Type) {
        return encode_int(w, obj, slot);
    }
    if (type == &PyFloat_Type) {
        *slot = float_slot(PyFloat_AS_DOUBLE(obj));
        return 0;
    }
    if (type == &PyBool_Type) {
        *slot = (wfbs_flex_slot){.bits = obj == Py_True, .type = WFBS_FLEX_BOOL, .width = 0};
        return 0;
    }
    if (obj == Py_None) {
        *slot = (wfbs_flex_slot){.bits = 0, .type = WFBS_FLEX_NULL, .width = 0};
        return 0;
    }
    return encode_other(w, obj, depth, slot);
}

/* ---- errors */

/* The path to the refused value, such as [3]["name"]; empty for the whole value. New reference or
 * NULL. */
static PyObject *
path_to_refused(const wfbs_flex_writer *w)
{
    PyObject *path = PyUnicode_FromString(w->step_count ? ", at " : "");

    for (unsigned i = w->step_count; path && i > 0; i--) {
        const wfbs_flex_step *step = &w->steps[i - 1];
        PyObject *longer = NULL;
        if (step->is_key) {
            const char *text = (const char *)w->out->data + w->base + step->at;
            PyObject *key = PyUnicode_DecodeUTF8(text, (Py_ssize_t)step->size, NULL);
            if (key) {
                longer = PyUnicode_FromFormat("%U[\"%.80U\"]", path, key);
                Py_DECREF(key);
            }
        }
        else {
            longer = PyUnicode_FromFormat("%U[%zu]", path, step->at);
        }
        Py_SETREF(path, longer);
    }
    return path;
}

/* Raises the error for the refused value. */
static void
raise_refusal(wfbs_flex_writer *w)
{
    PyObject *path = w->refusal == WFBS_FLEX_BAD_PYTHON ? NULL : path_to_refused(w);

    if (!path) {
        return; /* with an exception set, in either case */
    }
    const char *type = wfbs_type_name(Py_TYPE(w->culprit));
    switch (w->refusal) {
    case WFBS_FLEX_BAD_TYPE:
        PyErr_Format(PyExc_TypeError, "FlexBuffers can't hold %.200s%U", type, path);
        break;
    case WFBS_FLEX_BAD_INT:
        PyErr_Format(PyExc_ValueError, "int is outside -2**63..2**64-1%U", path);
        break;
    case WFBS_FLEX_BAD_TEXT:
        PyErr_Format(PyExc_ValueError, "str has a surrogate, which UTF-8 can't hold%U", path);
        break;
    case WFBS_FLEX_BAD_KEY_TYPE:
        PyErr_Format(PyExc_TypeError, "a key of a dict must be str, not %.200s%U", type, path);
        break;
    case WFBS_FLEX_BAD_KEY_TEXT:
        PyErr_Format(PyExc_ValueError, "key %A has a surrogate, which UTF-8 can't hold%U",
                     w->culprit, path);
        break;
    case WFBS_FLEX_BAD_KEY_NUL:
        PyErr_Format(PyExc_ValueError, "key %A has a NUL, which ends keys in FlexBuffers%U",
                     w->culprit, path);
        break;
    case WFBS_FLEX_BAD_KEY_TWICE:
        PyErr_Format(PyExc_ValueError, "a dict has two keys with the text %A%U", w->culprit, path);
        break;
    default:
        PyErr_Format(PyExc_ValueError, "containers are nested more than %d levels deep%.120U",
                     WFBS_FLEX_MAX_DEPTH, path);
    }
    Py_DECREF(path);
}

int
wfbs_flex_encode(wfbs_flex *f, wfbs_buffer *out, PyObject *obj)
{
    return wfbs_flex_encode_as(f, out, obj, false);
}

int
wfbs_flex_encode_as(wfbs_flex *f, wfbs_buffer *out, PyObject *obj, bool compact)
{
    wfbs_flex_writer w; /* not zeroed as a whole: the steps take 6 KiB */
    wfbs_flex_slot root;

    w.out = out;
    w.base = out->size;
    w.compact = compact;
    w.slot_count = 0;
    w.refusal = WFBS_FLEX_BAD_PYTHON;
    w.culprit = NULL;
    w.step_count = 0;
    w.scratch = wfbs_flex_scratch_take(f);
    if (!w.scratch) {
        return -1;
    }
    int status = encode_value(&w, obj, 0, &root);
    if (status == 0) {
        status = wfbs_flex_append_root(&w, &root);
    }
    if (status < 0) {
        raise_refusal(&w); /* they read keys from the output */
        out->size = w.base;
        Py_XDECREF(w.culprit);
    }
    wfbs_flex_scratch_give(f, w.scratch);
    return status;
}
