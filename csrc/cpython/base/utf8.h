/* Converts str to UTF-8 and back without CPython's functions. Those keep the UTF-8 as long as the
 * str exists, or copy it, or raise; and they take twice as long for non-ASCII text. */
#ifndef WFBS_UTF8_H
#define WFBS_UTF8_H

#include "buffer.h"

/* The size of `length` code points in UTF-8, or SIZE_MAX if there is a surrogate among them. A code
 * point stored in 1, 2 or 4 bytes takes at most twice as many, so the result for data in memory
 * can't reach SIZE_MAX. Inlined for a constant `kind`. */
static inline size_t
wfbs_utf8_size_of_kind(int kind, const void *data, Py_ssize_t length)
{
    size_t size = (size_t)length;
    int surrogates = 0;

    for (Py_ssize_t i = 0; i < length; i++) { /* without branches, so that compilers vectorize it */
        const Py_UCS4 c = PyUnicode_READ(kind, data, i);
        size += (size_t)(c > 0x7f) + (size_t)(c > 0x7ff) + (size_t)(c > 0xffff);
        surrogates |= c - 0xd800 < 0x800; /* unsigned, so values below 0xd800 wrap to large ones */
    }
    return surrogates ? SIZE_MAX : size;
}

/* Writes the UTF-8 to `p`, which must have enough room: 4 bytes for each code point suffice.
 * Returns its end, or NULL at a surrogate. */
static inline uint8_t *
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
        }
        else {
            if (c - 0xd800 < 0x800) { /* as above */
                return NULL;
            }
            if (c <= 0xffff) {
                *p++ = (uint8_t)(0xe0 | c >> 12);
            }
            else {
                *p++ = (uint8_t)(0xf0 | c >> 18);
                *p++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
            }
            *p++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        }
        *p++ = (uint8_t)(0x80 | (c & 0x3f));
    }
    return p;
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

/* wfbs_utf8_put_kind for a str (borrowed, ready). */
static inline uint8_t *
wfbs_utf8_put(uint8_t *p, PyObject *text)
{
    const void *data = PyUnicode_DATA(text);
    const Py_ssize_t length = PyUnicode_GET_LENGTH(text);

    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
        return wfbs_utf8_put_kind(p, PyUnicode_1BYTE_KIND, data, length);
    case PyUnicode_2BYTE_KIND:
        return wfbs_utf8_put_kind(p, PyUnicode_2BYTE_KIND, data, length);
    default:
        return wfbs_utf8_put_kind(p, PyUnicode_4BYTE_KIND, data, length);
    }
}

/* Fills a new str with the code points of valid UTF-8. Inlined for a constant `kind`. */
static inline void
wfbs_utf8_fill_kind(int kind, void *data, const uint8_t *p, const uint8_t *end)
{
    for (Py_ssize_t i = 0; p < end; i++) {
        Py_UCS4 c = *p++;
        if (c >= 0xf0) {
            c = (c & 0x07) << 18 | (Py_UCS4)(p[0] & 0x3f) << 12 | (Py_UCS4)(p[1] & 0x3f) << 6
                | (p[2] & 0x3f);
            p += 3;
        }
        else if (c >= 0xe0) {
            c = (c & 0x0f) << 12 | (Py_UCS4)(p[0] & 0x3f) << 6 | (p[1] & 0x3f);
            p += 2;
        }
        else if (c >= 0xc0) {
            c = (c & 0x1f) << 6 | (*p++ & 0x3f);
        }
        PyUnicode_WRITE(kind, data, i, c);
    }
}

/* A new str of `size` bytes of valid UTF-8 (see wfbs_utf8_is_valid). NULL with MemoryError. */
static inline PyObject *
wfbs_utf8_decode_valid(const uint8_t *p, size_t size)
{
    Py_ssize_t length = 0;
    uint8_t top = 0;

    for (size_t i = 0; i < size; i++) { /* without branches, so that compilers vectorize it */
        length += (p[i] & 0xc0) != 0x80;
        top = p[i] > top ? p[i] : top;
    }
    /* The greatest byte is the first one of the greatest code point: up to C3 for code points below
     * 256, up to EF for those below 65536. */
    PyObject *text = PyUnicode_New(length, top < 0x80   ? 0x7f
                                           : top < 0xc4 ? 0xff
                                           : top < 0xf0 ? 0xffff
                                                        : 0x10ffff);
    if (text) {
        switch (PyUnicode_KIND(text)) {
        case PyUnicode_1BYTE_KIND:
            wfbs_utf8_fill_kind(PyUnicode_1BYTE_KIND, PyUnicode_DATA(text), p, p + size);
            break;
        case PyUnicode_2BYTE_KIND:
            wfbs_utf8_fill_kind(PyUnicode_2BYTE_KIND, PyUnicode_DATA(text), p, p + size);
            break;
        default:
            wfbs_utf8_fill_kind(PyUnicode_4BYTE_KIND, PyUnicode_DATA(text), p, p + size);
        }
    }
    return text;
}

#endif
