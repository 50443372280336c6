/* The limits for verifying, from Python. */
#ifndef WFBS_BASE_LIMITS_H
#define WFBS_BASE_LIMITS_H

#include <Python.h>

#include "../../core/verify.h"
#include "type_name.h"

/* Converts a tuple in the order of autobahn_fbs.limits.Limits, which has checked its values. 0, or
 * -1 with TypeError or ValueError. */
static inline int
wfbs_limits_parse(PyObject *given, wfbs_limits *limits)
{
    Py_ssize_t size, minimum, factor, tables;
    if (!PyTuple_Check(given)) {
        PyErr_Format(PyExc_TypeError, "limits must be a tuple, not %.100s",
                     wfbs_type_name(Py_TYPE(given)));
        return -1;
    }
    if (!PyArg_ParseTuple(given, "nnnn;limits", &size, &minimum, &factor, &tables)) {
        return -1;
    }
    if (size < 8 || size > INT32_MAX || minimum < 0 || factor < 1 || factor > INT32_MAX
        || tables < 1) {
        PyErr_SetString(PyExc_ValueError, "a limit is out of its range");
        return -1;
    }
    *limits = (wfbs_limits){(size_t)size, (size_t)minimum, (size_t)factor, (size_t)tables};
    return 0;
}

#endif
