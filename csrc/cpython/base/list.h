/* Fills a new list. */
#ifndef WFBS_LIST_H
#define WFBS_LIST_H

#include <Python.h>

/* Makes `item` (stolen) the item `i` of a list that only the caller has. If `item` is NULL, releases
 * the list and sets it to NULL, with the exception that is pending. */
static inline void
wfbs_list_fill(PyObject **list, Py_ssize_t i, PyObject *item)
{
    if (item) {
        PyList_SET_ITEM(*list, i, item);
    }
    else {
        Py_CLEAR(*list);
    }
}

#endif
