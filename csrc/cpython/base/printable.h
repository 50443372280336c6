/* Texts for errors, which may quote what a peer sent. */
#ifndef WFBS_PRINTABLE_H
#define WFBS_PRINTABLE_H

#include <Python.h>

/* The text if all its characters are printable. Otherwise with escapes as in a Python literal, so
 * that nothing in it controls a terminal or begins a line of a log. Steals `text`, which may be NULL
 * with an exception. New reference; or NULL with that exception or MemoryError. */
static inline PyObject *
wfbs_printable(PyObject *text)
{
    Py_ssize_t i = 0, length = text ? PyUnicode_GET_LENGTH(text) : 0;
    while (i < length && Py_UNICODE_ISPRINTABLE(PyUnicode_READ_CHAR(text, i))) {
        i++;
    }
    if (i == length) {
        return text;
    }
    PyObject *bytes = PyUnicode_AsUnicodeEscapeString(text);
    Py_DECREF(text);
    text = bytes ? PyUnicode_DecodeASCII(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), NULL)
                 : NULL;
    Py_XDECREF(bytes);
    return text;
}

#endif
