/* Refused bytes that aren't a message. The texts are in autobahn_fbs._refusal_hint. */
#include "refusal_hint.h"

#include "../../core/valid_settings.h"

/* An addition to the error's text. New str, or NULL with an exception. */
static PyObject *
hint(wfbs_state *state, const wfbs_receiver *r, const wfbs_input *in)
{
    const unsigned settings = (r->batched ? WFBS_SETTING_BATCHED : 0u)
                              | (r->dialect == WFBS_DIALECT_SCHEMA ? WFBS_SETTING_SCHEMA : 0u);
    const size_t shown = in->size < WFBS_HINT_BYTES ? in->size : WFBS_HINT_BYTES;
    PyObject *start = PyBytes_FromStringAndSize((const char *)in->data, (Py_ssize_t)shown);
    PyObject *own = PyLong_FromUnsignedLong(settings);
    PyObject *readable =
        PyLong_FromUnsignedLong(wfbs_valid_settings(in->data, in->size, r->limits));
    PyObject *text = start && own && readable
                         ? wfbs_call_helper(state, "refusal_hint", start, own, readable)
                         : NULL;
    Py_XDECREF(start);
    Py_XDECREF(own);
    Py_XDECREF(readable);
    return text;
}

void
wfbs_add_refusal_hint(wfbs_state *state, const wfbs_receiver *r, const wfbs_input *in)
{
    PyObject *type, *error, *traceback;
    if (!PyErr_ExceptionMatches(state->protocol_error)) {
        return;
    }
    PyErr_Fetch(&type, &error, &traceback);
    PyObject *text = hint(state, r, in);
    if (text && PyUnicode_Check(text) && PyUnicode_GET_LENGTH(text)) {
        PyErr_NormalizeException(&type, &error, &traceback);
        PyErr_Format(state->protocol_error, "%S%U", error, text);
        Py_CLEAR(type);
        Py_CLEAR(error);
        Py_CLEAR(traceback);
    }
    else if (text || wfbs_error_is_about_value()) {
        PyErr_Restore(type, error, traceback); /* instead of an offset from the hint */
        type = error = traceback = NULL;
    }
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
}
