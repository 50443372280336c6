/* A str as UTF-8 without CPython's help, which would keep the UTF-8 with the str as long as that
 * lives, make a copy of it, or raise. */
#ifndef WFBS_UTF8_H
#define WFBS_UTF8_H

#include "buffer.h"

/* How many bytes UTF-8 takes for `length` code points, or SIZE_MAX where a surrogate is among
 * them. A code point kept in 1, 2 or 4 bytes takes at most twice as many, so the count of what is
 * in memory can't reach SIZE_MAX. Inlined for a constant `kind`. */
static inline size_t
wfbs_utf8_size_of_kind(int kind, const void *data, Py_ssize_t length)
{
    size_t size = (size_t)length;
    int surrogates = 0;

    for (Py_ssize_t i = 0; i < length; i++) { /* no branches, for the sake of vectorization */
        const Py_UCS4 c = PyUnicode_READ(kind, data, i);
        size += (size_t)(c > 0x7f) + (size_t)(c > 0x7ff) + (size_t)(c > 0xffff);
        surrogates |= c - 0xd800 < 0x800; /* unsigned, so less than 0xd800 wraps to a lot */
    }
    return surrogates ? SIZE_MAX : size;
}

/* Writes the UTF-8 to `p`, where there is room for it; the same data without surrogates. */
static inline void
wfbs_utf8_put_kind(uint8_t *p, int kind, const void *data, Py_ssize_t length)
{
    for (Py_ssize_t i = 0; i < length; i++) {
        const Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c <= 0x7f) {
            *p++ = (uint8_t)c;
            continue;
        }
        if (c <= 0x7ff) {
            *p++ = (uint8_t)(0xc0 | c >> 6);
        } else {
            if (c <= 0xffff) {
                *p++ = (uint8_t)(0xe0 | c >> 12);
            } else {
                *p++ = (uint8_t)(0xf0 | c >> 18);
                *p++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
            }
            *p++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        }
        *p++ = (uint8_t)(0x80 | (c & 0x3f));
    }
}

/* wfbs_utf8_size_of_kind for a str (borrowed, ready). */
static inline size_t
wfbs_utf8_size(PyObject *text)
{
    const void *data = PyUnicode_DATA(text);
    const Py_ssize_t length = PyUnicode_GET_LENGTH(text);

    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
        return wfbs_utf8_size_of_kind(PyUnicode_1BYTE_KIND, data, length);
    case PyUnicode_2BYTE_KIND:
        return wfbs_utf8_size_of_kind(PyUnicode_2BYTE_KIND, data, length);
    default:
        return wfbs_utf8_size_of_kind(PyUnicode_4BYTE_KIND, data, length);
    }
}

/* wfbs_utf8_put_kind for the same str. */
static inline void
wfbs_utf8_put(uint8_t *p, PyObject *text)
{
    const void *data = PyUnicode_DATA(text);
    const Py_ssize_t length = PyUnicode_GET_LENGTH(text);

    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
        wfbs_utf8_put_kind(p, PyUnicode_1BYTE_KIND, data, length);
        break;
    case PyUnicode_2BYTE_KIND:
        wfbs_utf8_put_kind(p, PyUnicode_2BYTE_KIND, data, length);
        break;
    default:
        wfbs_utf8_put_kind(p, PyUnicode_4BYTE_KIND, data, length);
    }
}

#endif
