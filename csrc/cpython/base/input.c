/* Input bytes. See input.h. */
#include "input.h"

int
wfbs_input_open(PyObject *object, int flags, wfbs_input *in)
{
    if (PyBytes_CheckExact(object)) {
        in->buffer = Py_NewRef(object);
        in->data = (const uint8_t *)PyBytes_AS_STRING(object);
        in->size = (size_t)PyBytes_GET_SIZE(object);
        return 0;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, flags) < 0) {
        return -1;
    }
    int result = -1;
    if (view.obj && PyMemoryView_Check(object)) {
        PyObject *base = PyMemoryView_GET_BUFFER(object)->obj;
        if (base && PyBytes_CheckExact(base) && PyBuffer_IsContiguous(&view, 'C')) {
            in->buffer = Py_NewRef(base);
            in->data = view.buf;
            in->size = (size_t)view.len;
            PyBuffer_Release(&view);
            return 0;
        }
    }
    in->buffer = PyBytes_FromStringAndSize(NULL, view.len);
    if (in->buffer
        && PyBuffer_ToContiguous(PyBytes_AS_STRING(in->buffer), &view, view.len, 'C') == 0) {
        in->data = (const uint8_t *)PyBytes_AS_STRING(in->buffer);
        in->size = (size_t)view.len;
        result = 0;
    }
    else {
        Py_CLEAR(in->buffer);
    }
    PyBuffer_Release(&view);
    return result;
}
