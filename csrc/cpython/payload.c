/* The payload codecs: CBOR here, all others through autobahn_fbs._helpers. */
#include "module.h"

PyObject *
wfbs_payload_view(PyObject *buffer, wfbs_span span)
{
    PyObject *whole = PyMemoryView_FromObject(buffer);
    if (!whole) {
        return NULL;
    }
    Py_ssize_t start = (const char *)span.data - PyBytes_AS_STRING(buffer);
    PyObject *view = PySequence_GetSlice(whole, start, start + (Py_ssize_t)span.size);
    Py_DECREF(whole);
    return view;
}

int
wfbs_payload_encode(wfbs_state *state, unsigned codec, PyObject *value, wfbs_buffer *out)
{
    if (codec == WFBS_CODEC_CBOR || codec == WFBS_CODEC_CBOR_NAMED) {
        return wfbs_cbor_encode(&state->cbor, out, value);
    }
    PyObject *number = PyLong_FromUnsignedLong(codec);
    PyObject *bytes = number ? wfbs_call_helper(state, "payload_dumps", number, value, NULL) : NULL;
    Py_XDECREF(number);
    if (!bytes) {
        return -1;
    }
    if (!PyBytes_Check(bytes)) {
        PyErr_Format(PyExc_TypeError, "payload codec %u returned %s, not bytes", codec,
                     Py_TYPE(bytes)->tp_name);
        Py_DECREF(bytes);
        return -1;
    }
    size_t size = (size_t)PyBytes_GET_SIZE(bytes);
    int failed = wfbs_buffer_reserve(out, size);
    if (!failed && size) {
        memcpy(out->data + out->size, PyBytes_AS_STRING(bytes), size);
        out->size += size;
    }
    Py_DECREF(bytes);
    return failed;
}

PyObject *
wfbs_payload_decode(wfbs_state *state, unsigned codec, PyObject *buffer, wfbs_span span)
{
    if (codec == WFBS_CODEC_CBOR || codec == WFBS_CODEC_CBOR_NAMED) {
        return wfbs_cbor_decode(&state->cbor, span.data, span.size);
    }
    PyObject *view = wfbs_payload_view(buffer, span);
    PyObject *number = view ? PyLong_FromUnsignedLong(codec) : NULL;
    PyObject *value = number ? wfbs_call_helper(state, "payload_loads", number, view, NULL) : NULL;
    Py_XDECREF(view);
    Py_XDECREF(number);
    return value;
}
