/* Keeps values that nest too deeply away from cbor2.dumps: it recurses without a limit, and
 * about 10,000 levels overflow the C stack of a main thread. */
#include "cbor.h"

/* A container on the way from the whole value down to the one being looked at. */
typedef struct level {
    PyObject *container; /* borrowed from the level below it in the value */
    const struct level *outer;
    int depth; /* containers around this one */
} level;

enum { TOO_DEEP = 0, FINE = 1, CYCLIC = 2 };

/* Returns whether `here` is one of the containers around it. */
static int contains_itself(const level *here) {
    for (const level *outer = here->outer; outer != NULL; outer = outer->outer) {
        if (outer->container == here->container) {
            return 1;
        }
    }
    return 0;
}

/* Follows lists, tuples, dicts and their subclasses, depth first as cbor2 does, so that it stops
 * at the cycle where cbor2 will stop. Sets, tags and mappings of other kinds are not followed.
 * Returns FINE, TOO_DEEP, CYCLIC, or -1 with MemoryError set.
 *
 * Works on copies of lists and dicts, which nobody else can change meanwhile. */
static int look_into(PyObject *obj, const level *outer) {
    const level here = {.container = obj,
                        .outer = outer,
                        .depth = outer == NULL ? 0 : outer->depth + 1};
    PyObject *items;
    int status = FINE;

    if (PyList_Check(obj)) {
        items = PyList_AsTuple(obj);
    } else if (PyDict_Check(obj)) {
        PyObject *pairs = PyDict_Items(obj);
        items = pairs == NULL ? NULL : PyList_AsTuple(pairs);
        Py_XDECREF(pairs);
    } else if (PyTuple_Check(obj)) {
        items = Py_NewRef(obj);
    } else {
        return FINE;
    }
    if (items == NULL) {
        return -1;
    }
    if (here.depth >= WFBS_CBOR_HAND_OVER_DEPTH) {
        status = contains_itself(&here) ? CYCLIC : TOO_DEEP;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items) && status == FINE; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        if (PyDict_Check(obj)) {
            status = look_into(PyTuple_GET_ITEM(item, 0), &here);
            item = PyTuple_GET_ITEM(item, 1);
        }
        if (status == FINE) {
            status = look_into(item, &here);
        }
    }
    Py_DECREF(items);
    return status;
}

int wfbs_cbor_check_nesting(PyObject *obj) {
    const int status = look_into(obj, NULL);

    if (status == TOO_DEEP) {
        PyErr_Format(PyExc_ValueError, "cannot encode a value that nests containers more than %d "
                     "levels deep in CBOR", WFBS_CBOR_HAND_OVER_DEPTH);
        return -1;
    }
    return status < 0 ? -1 : 0;
}
