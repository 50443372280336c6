/* Reads a dict that other threads may change. */
#ifndef WFBS_DICT_H
#define WFBS_DICT_H

#include <Python.h>

/* The value for `key`: a new reference; NULL if there is none, or with an exception. */
static inline PyObject *
wfbs_dict_find(PyObject *dict, PyObject *key)
{
#if PY_VERSION_HEX >= 0x030d0000
    PyObject *value;
    return PyDict_GetItemRef(dict, key, &value) > 0 ? value : NULL;
#else
    return Py_XNewRef(PyDict_GetItemWithError(dict, key));
#endif
}

#endif
