/* The payload codecs: CBOR and FlexBuffers in C, all others through
 * autobahn_fbs._helpers. */
#include "payload.h"

#include "../base/type_name.h"
#include "details.h"

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
wfbs_payload_encode(wfbs_state *state, wfbs_codec codec, PyObject *value, wfbs_buffer *out)
{
    if (wfbs_codec_is_cbor(codec.number)) {
        return wfbs_cbor_encode(&state->cbor, out, value);
    }
    if (codec.number == WFBS_CODEC_FLEXBUFFERS) {
        return wfbs_flex_encode(&state->flex, out, value);
    }
    PyObject *number = PyLong_FromUnsignedLong(codec.number);
    PyObject *bytes = number ? wfbs_call_helper(state, "payload_dumps", number,
                                                codec.name ? codec.name : Py_None, value)
                             : NULL;
    Py_XDECREF(number);
    if (!bytes) {
        return -1;
    }
    if (!PyBytes_Check(bytes)) {
        PyErr_Format(PyExc_TypeError, "payload codec returned %s, not bytes",
                     wfbs_type_name(Py_TYPE(bytes)));
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

int
wfbs_payload_codec(const wfbs_class *c, const wfbs_received *r, wfbs_codec *codec)
{
    codec->number = wfbs_received_u8(c, r, WFBS_USE_ENC_SERIALIZER);
    codec->name = NULL;
    if (codec->number != WFBS_CODEC_NAMED) {
        return 0;
    }
    PyObject *name = wfbs_details_codec(c, r);
    if (!name) {
        return -1;
    }
    if (name == Py_None) {
        Py_DECREF(name);
    }
    else {
        codec->name = name;
    }
    return 0;
}

PyObject *
wfbs_payload_decode(const wfbs_class *c, const wfbs_received *r, wfbs_span span)
{
    wfbs_state *state = c->state;
    wfbs_codec codec;
    if (wfbs_payload_codec(c, r, &codec) < 0) {
        return NULL;
    }
    if (wfbs_codec_is_cbor(codec.number)) {
        return wfbs_cbor_decode(&state->cbor, span.data, span.size);
    }
    if (codec.number == WFBS_CODEC_FLEXBUFFERS) {
        return wfbs_flex_decode(&state->flex, span.data, span.size);
    }
    PyObject *number = PyLong_FromUnsignedLong(codec.number);
    PyObject *view = number ? wfbs_payload_view(r->buffer, span) : NULL;
    PyObject *value = view ? wfbs_call_helper(state, "payload_loads", number,
                                              codec.name ? codec.name : Py_None, view)
                           : NULL;
    Py_XDECREF(codec.name);
    Py_XDECREF(number);
    Py_XDECREF(view);
    return value;
}
