/* The errors for attributes that can't be written. See convert_errors.h. */
#include "convert_errors.h"

#include "../state.h"

wfbs_converted
wfbs_refuse(const wfbs_attribute *a, PyObject *exception, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PyObject *text = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    if (text) {
        PyErr_Format(exception, "%s.%s: %U", a->cls->type->label, a->field->attribute, text);
        Py_DECREF(text);
    }
    return WFBS_CONVERT_ERROR;
}

/* An addition to the text of an error about args or kwargs that a codec can't encode. New str; or
 * NULL with MemoryError or an exception that doesn't concern a value. */
static PyObject *
advice_on(wfbs_state *state, unsigned codec, PyObject *payload)
{
    PyObject *number = PyLong_FromUnsignedLong(codec);
    PyObject *advice = number ? wfbs_call_helper(state, "advice", number, payload, NULL) : NULL;
    Py_XDECREF(number);
    if (!advice && wfbs_error_is_about_value()) {
        PyErr_Clear();
        advice = PyUnicode_FromString("");
    }
    return advice;
}

/* wfbs_refuse_encoding, or wfbs_refuse_payload if `payload` is not NULL. */
static wfbs_converted
refuse_encoding(const wfbs_attribute *a, unsigned codec, PyObject *payload)
{
    if (!wfbs_error_is_about_value()) {
        return WFBS_CONVERT_ERROR;
    }
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    PyObject *description = wfbs_error_description(error);
    PyObject *advice = !description ? NULL
                       : payload    ? advice_on(a->cls->state, codec, payload)
                                    : PyUnicode_FromString("");
    if (advice) {
        wfbs_refuse(a,
                    PyErr_GivenExceptionMatches(type, PyExc_TypeError) ? PyExc_TypeError
                                                                       : PyExc_ValueError,
                    "can't be encoded: %U%U", description, advice);
    }
    Py_XDECREF(description);
    Py_XDECREF(advice);
    PyObject *new_type, *new_error, *new_traceback;
    PyErr_Fetch(&new_type, &new_error, &new_traceback);
    PyErr_NormalizeException(&new_type, &new_error, &new_traceback);
    PyException_SetCause(new_error, error); /* steals it */
    PyErr_Restore(new_type, new_error, new_traceback);
    Py_DECREF(type);
    Py_XDECREF(traceback);
    return WFBS_CONVERT_ERROR;
}

wfbs_converted
wfbs_refuse_encoding(const wfbs_attribute *a)
{
    return refuse_encoding(a, 0, NULL);
}

wfbs_converted
wfbs_refuse_payload(const wfbs_attribute *a, unsigned codec, PyObject *payload)
{
    return refuse_encoding(a, codec, payload);
}
