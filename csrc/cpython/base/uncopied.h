/* Large bytes objects that an encoding refers to instead of copying them into its buffer, so that
 * they are copied once, to where the whole message goes. */
#ifndef WFBS_UNCOPIED_H
#define WFBS_UNCOPIED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { WFBS_UNCOPIED_MIN = 16 * 1024, WFBS_MAX_UNCOPIED = 4 };

/* Valid when `count` is 0. */
typedef struct wfbs_uncopied {
    unsigned count;
    size_t size; /* of all of them, <= PY_SSIZE_T_MAX */
    struct {
        size_t at;       /* where they belong: non-decreasing buffer offsets */
        PyObject *bytes; /* owned, exact bytes */
    } items[WFBS_MAX_UNCOPIED];
} wfbs_uncopied;

/* Drops all from the one at `count` on. Cannot fail. */
static inline void
wfbs_uncopied_cut(wfbs_uncopied *a, unsigned count)
{
    while (a->count > count) {
        PyObject *bytes = a->items[--a->count].bytes;
        a->size -= (size_t)PyBytes_GET_SIZE(bytes);
        Py_DECREF(bytes);
    }
}

/* Copies an encoding to `to`: the part of the buffer `data` from `start` to `end`, with the objects
 * from `first` on that belong in it. `to` has room for both. Cannot fail. */
static inline void
wfbs_uncopied_join(const wfbs_uncopied *a, unsigned first, const uint8_t *data, size_t start,
                   size_t end, uint8_t *to)
{
    for (unsigned i = first; i < a->count && a->items[i].at <= end; i++) {
        size_t before = a->items[i].at - start, size = (size_t)PyBytes_GET_SIZE(a->items[i].bytes);
        memcpy(to, data + start, before);
        memcpy(to + before, PyBytes_AS_STRING(a->items[i].bytes), size);
        to += before + size;
        start += before;
    }
    memcpy(to, data + start, end - start);
}

#endif
