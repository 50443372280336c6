/* Shared by the fuzz targets with an embedded interpreter. */
#ifndef WFBS_FUZZ_EMBEDDED_H
#define WFBS_FUZZ_EMBEDDED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Values that are nested deeper (cbor2's tags 28 and 29 can make cycles) are not followed
 * further. */
enum { SAME_DEPTH = 450 };

/* Prints the error, and ends the process so that libFuzzer notices. */
_Noreturn static inline void
fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    if (PyErr_Occurred()) {
        PyErr_Print();
    }
    abort();
}

/* Clears the pending exception; returns its type, a new reference, or NULL for none. */
static inline PyObject *
take_error(void)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    return type;
}

static int same(PyObject *a, PyObject *b, int ordered, int depth);

static inline int
same_dicts(PyObject *a, PyObject *b, int ordered, int depth)
{
    PyObject *key_a, *key_b, *value_a, *value_b;
    Py_ssize_t at_a = 0, at_b = 0;
    if (PyDict_GET_SIZE(a) != PyDict_GET_SIZE(b)) {
        return 0;
    }
    while (PyDict_Next(a, &at_a, &key_a, &value_a)) {
        if (!ordered) { /* in this case, keys are exact str, and looking them up runs no code */
            value_b = PyDict_GetItemWithError(b, key_a);
            if (!value_b || !same(value_a, value_b, ordered, depth)) {
                return 0;
            }
        }
        else if (!PyDict_Next(b, &at_b, &key_b, &value_b) || !same(key_a, key_b, ordered, depth)
                 || !same(value_a, value_b, ordered, depth)) {
            return 0;
        }
    }
    return 1;
}

/* Whether two values are equal in type and, for types that our codecs create, in content and bits;
 * and, if `ordered`, in the order of dicts. */
static inline int
same(PyObject *a, PyObject *b, int ordered, int depth)
{
    if (Py_TYPE(a) != Py_TYPE(b)) {
        return 0;
    }
    if (a == b || depth > SAME_DEPTH) {
        return 1;
    }
    if (PyFloat_CheckExact(a)) {
        double x = PyFloat_AS_DOUBLE(a), y = PyFloat_AS_DOUBLE(b);
        return !memcmp(&x, &y, sizeof x);
    }
    if (PyDict_CheckExact(a)) {
        return same_dicts(a, b, ordered, depth + 1);
    }
    if (PyList_CheckExact(a) || PyTuple_CheckExact(a)) {
        Py_ssize_t count = PySequence_Fast_GET_SIZE(a);
        if (count != PySequence_Fast_GET_SIZE(b)) {
            return 0;
        }
        for (Py_ssize_t i = 0; i < count; i++) {
            if (!same(PySequence_Fast_GET_ITEM(a, i), PySequence_Fast_GET_ITEM(b, i), ordered,
                      depth + 1)) {
                return 0;
            }
        }
        return 1;
    }
    if (PyLong_CheckExact(a) || PyUnicode_CheckExact(a) || PyBytes_CheckExact(a)) {
        return PyObject_RichCompareBool(a, b, Py_EQ) == 1;
    }
    return 1; /* only cbor2 creates such values, and not all of them support equality */
}

#endif
