/* Private copies of values that other threads can change while they are converted. */
#ifndef WFBS_PRIVATE_COPY_H
#define WFBS_PRIVATE_COPY_H

#include "../message.h"

#ifdef Py_GIL_DISABLED

/* A private copy of a list, and of the dicts in it, or NULL with MemoryError. */
static inline PyObject *
wfbs_copy_hops(PyObject *list)
{
    PyObject *copy = PyList_GetSlice(list, 0, PY_SSIZE_T_MAX);
    for (Py_ssize_t i = 0; copy && i < PyList_GET_SIZE(copy); i++) {
        PyObject *hop = PyList_GET_ITEM(copy, i);
        hop = PyDict_Check(hop) ? PyDict_Copy(hop) : Py_NewRef(hop);
        if (!hop || PyList_SetItem(copy, i, hop) < 0) {
            Py_CLEAR(copy);
        }
    }
    return copy;
}

/* The value of an attribute (stolen), or a private copy if other threads can change it while it is
 * converted, because conversion borrows from it. NULL with MemoryError. */
static inline PyObject *
wfbs_private_copy(const wfbs_attribute *a, PyObject *value)
{
    PyObject *copy;
    if (a->field->use == WFBS_USE_PRINCIPALS && (PyList_Check(value) || PyTuple_Check(value))) {
        PyObject *list = PyList_Check(value) ? Py_NewRef(value) : PySequence_List(value);
        copy = list ? wfbs_copy_hops(list) : NULL;
        Py_XDECREF(list);
    }
    else if (PyList_Check(value)) {
        copy = PyList_GetSlice(value, 0, PY_SSIZE_T_MAX);
    }
    else if (PyDict_Check(value)) {
        copy = PyDict_Copy(value);
    }
    else {
        return value;
    }
    Py_DECREF(value);
    return copy;
}

#else

static inline PyObject *
wfbs_private_copy(const wfbs_attribute *a, PyObject *value)
{
    (void)a;
    return value;
}

#endif

#endif
