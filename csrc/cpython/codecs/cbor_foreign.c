/* Encodes values with parts that the encoder doesn't know. The containers around these parts are
 * written here, with a limit for their depth, and cbor2 gets only the leaves. cbor2 itself has no
 * limit but the C stack, of which it takes about 1 kB per level. The result is checked like input,
 * because the reader of this package refuses some of what cbor2 can write.
 *
 * Python code runs in between, so everything is read from private copies. */
#include "cbor.h"

#include <stdbool.h>
#include <string.h>

/* A container on the path from the whole value to the current item. */
typedef struct level {
    PyObject *container; /* borrowed from the enclosing level */
    const struct level *outer;
    int depth; /* depth, including this one */
} level;

static int encode_any(wfbs_cbor *c, wfbs_buffer *out, PyObject *obj, const level *outer);

/* Whether `here` is one of the enclosing containers. */
static bool
contains_itself(const level *here)
{
    for (const level *outer = here->outer; outer != NULL; outer = outer->outer) {
        if (outer->container == here->container) {
            return true;
        }
    }
    return false;
}

/* Raises the exception of autobahn_fbs._cbor_foreign.refuse. Returns -1. */
static int
refuse(wfbs_cbor *c, const level *here)
{
    PyObject *function = wfbs_cbor_refuse(c);
    if (function != NULL) {
        PyObject *cyclic = contains_itself(here) ? Py_True : Py_False;
        Py_XDECREF(PyObject_CallOneArg(function, cyclic));
        Py_DECREF(function);
    }
    return -1;
}

/* Appends the items of a tuple. Returns 0 or -1. */
static int
encode_items(wfbs_cbor *c, wfbs_buffer *out, PyObject *items, const level *here)
{
    int status = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items) && status == 0; i++) {
        status = encode_any(c, out, PyTuple_GET_ITEM(items, i), here);
    }
    return status;
}

/* Appends an exact list or tuple. Returns 0 or -1. */
static int
encode_sequence(wfbs_cbor *c, wfbs_buffer *out, PyObject *obj, const level *here)
{
    PyObject *items = PyList_Check(obj) ? PyList_AsTuple(obj) : Py_NewRef(obj);
    int status = -1;
    if (items != NULL && wfbs_cbor_append_array(out, (size_t)PyTuple_GET_SIZE(items)) == 0) {
        status = encode_items(c, out, items, here);
    }
    Py_XDECREF(items);
    return status;
}

/* Appends an exact dict. Returns 0 or -1. */
static int
encode_mapping(wfbs_cbor *c, wfbs_buffer *out, PyObject *obj, const level *here)
{
    PyObject *copy = PyDict_Copy(obj), *key, *value;
    Py_ssize_t position = 0;
    int status = -1;
    if (copy != NULL && wfbs_cbor_append_map(out, (size_t)PyDict_GET_SIZE(copy)) == 0) {
        status = 0;
        while (status == 0 && PyDict_Next(copy, &position, &key, &value)) {
            status = encode_any(c, out, key, here);
            if (status == 0) {
                status = encode_any(c, out, value, here);
            }
        }
    }
    Py_XDECREF(copy);
    return status;
}

/* Appends bytes. Returns 0, or -1 with MemoryError set. */
static int
append_bytes(wfbs_buffer *out, PyObject *bytes)
{
    const size_t size = (size_t)PyBytes_GET_SIZE(bytes);
    if (wfbs_buffer_reserve(out, size) < 0) {
        return -1;
    }
    memcpy(out->data + out->size, PyBytes_AS_STRING(bytes), size);
    out->size += size;
    return 0;
}

/* Appends any other value: a leaf, or the result of autobahn_fbs._cbor_foreign.opened. Leaves may be
 * at any depth. Returns 0 or -1. */
static int
encode_foreign(wfbs_cbor *c, wfbs_buffer *out, PyObject *obj, const level *here)
{
    PyObject *function = wfbs_cbor_opened(c);
    PyObject *opened = function == NULL ? NULL : PyObject_CallOneArg(function, obj);
    PyObject *head, *items;
    int status = -1;
    Py_XDECREF(function);
    if (opened == NULL) {
        return -1;
    }
    if (PyBytes_CheckExact(opened)) {
        status = append_bytes(out, opened);
    }
    else if (PyArg_ParseTuple(opened, "SO!", &head, &PyTuple_Type, &items)) {
        if (here->depth > WFBS_CBOR_MAX_DEPTH) {
            status = refuse(c, here);
        }
        else if (append_bytes(out, head) == 0) {
            status = encode_items(c, out, items, here);
        }
    }
    Py_DECREF(opened);
    return status;
}

/* Appends a value within `outer`. Returns 0 or -1. */
static int
encode_any(wfbs_cbor *c, wfbs_buffer *out, PyObject *obj, const level *outer)
{
    const level here = {
        .container = obj, .outer = outer, .depth = outer == NULL ? 1 : outer->depth + 1};
    const size_t size = out->size;
    const int status = wfbs_cbor_encode_leaf(out, obj);

    if (status <= 0) {
        return status;
    }
    out->size = size;
    const bool sequence = PyList_CheckExact(obj) || PyTuple_CheckExact(obj);
    if (!sequence && !PyDict_CheckExact(obj)) {
        return encode_foreign(c, out, obj, &here);
    }
    if (here.depth > WFBS_CBOR_MAX_DEPTH) {
        return refuse(c, &here);
    }
    return sequence ? encode_sequence(c, out, obj, &here) : encode_mapping(c, out, obj, &here);
}

int
wfbs_cbor_encode(wfbs_cbor *c, wfbs_buffer *out, PyObject *obj)
{
    const size_t size = out->size;
    wfbs_uncopied *uncopied = out->uncopied;
    const unsigned count = uncopied == NULL ? 0 : uncopied->count;
    int status = wfbs_cbor_encode_known(out, obj);

    if (status != 0) {
        out->size = size;
        if (uncopied != NULL) {
            wfbs_uncopied_cut(uncopied, count);
        }
    }
    if (status > 0) {
        out->uncopied = NULL; /* what is done in several steps stays together */
        status = encode_any(c, out, obj, NULL);
        out->uncopied = uncopied;
        if (status == 0) { /* >= size, because the output only grows */
            status = wfbs_cbor_check_input(out->data + size, out->size - size);
        }
    }
    if (status < 0) {
        out->size = size;
    }
    return status;
}
