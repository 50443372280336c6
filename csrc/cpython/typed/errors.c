/* Refusals of values, and InvalidPayload with the place of the error. */
#include "typed.h"

#include <stdarg.h>
#include <stdio.h>

#include "../base/printable.h"
#include "../base/type_name.h"

/* ---- refusals */

bool
wfbs_refuse_value(wfbs_fault *fault, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    fault->code = WFBS_FAULT_VALUE;
    return false;
}

bool
wfbs_refuse_type(wfbs_fault *fault, const char *expected, PyObject *got)
{
    return wfbs_refuse_value(fault, "%s expected, got %.100s", expected,
                             got == Py_None ? "None" : wfbs_type_name(Py_TYPE(got)));
}

bool
wfbs_refuse_room(wfbs_encoding *e)
{
    if (!PyErr_Occurred()) {
        e->fault->code = WFBS_FAULT_ROOM;
    }
    return false;
}

bool
wfbs_refuse_named(wfbs_encoding *e, const char *helper, PyObject *const *args, size_t count)
{
    PyObject *text = wfbs_typed_help(e->schema->typed, helper, args, count);
    const char *reason = text ? PyUnicode_AsUTF8(text) : NULL;
    if (reason) {
        wfbs_refuse_value(e->fault, "%s", reason);
    }
    Py_XDECREF(text);
    return false;
}

/* ---- the exception */

/* Sets an attribute of an exception; steals the value. Ignores failure, because the text has the
 * same information. */
static void
set_detail(PyObject *error, const char *name, PyObject *value)
{
    if (!value || PyObject_SetAttrString(error, name, value) < 0) {
        PyErr_Clear();
    }
    Py_XDECREF(value);
}

PyObject *
wfbs_raise_fault(wfbs_typed *t, const wfbs_fault *fault, const wfbs_plan *plan, uint32_t root,
                 bool bytes)
{
    char path[1024], reason[sizeof fault->text];
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (!t->invalid_payload) { /* when the interpreter ends */
        PyErr_SetString(PyExc_RuntimeError, "autobahn_fbs._cpython is being unloaded");
        return NULL;
    }
    wfbs_fault_path(fault, plan, root, path, sizeof path);
    wfbs_fault_reason(fault, reason, sizeof reason);
    /* The reason can quote a key of a peer's map, the path a hostile schema's names. */
    PyObject *why =
        wfbs_printable(PyUnicode_DecodeUTF8(reason, (Py_ssize_t)strlen(reason), "replace"));
    PyObject *where =
        wfbs_printable(PyUnicode_DecodeUTF8(path, (Py_ssize_t)strlen(path), "replace"));
    PyObject *text = NULL;
    if (why && where) {
        text = bytes ? PyUnicode_FromFormat("%U: %U (at byte %llu)", where, why,
                                            (unsigned long long)fault->at)
                     : PyUnicode_FromFormat("%U: %U", where, why);
    }
    PyObject *error = text ? PyObject_CallOneArg(t->invalid_payload, text) : NULL;
    if (error) {
        set_detail(error, "path", Py_NewRef(where));
        set_detail(error, "reason", Py_NewRef(why));
        set_detail(error, "code", PyUnicode_FromString(wfbs_fault_name(fault->code)));
        set_detail(error, "offset",
                   bytes ? PyLong_FromUnsignedLongLong(fault->at) : Py_NewRef(Py_None));
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
    Py_XDECREF(text);
    Py_XDECREF(where);
    Py_XDECREF(why);
    return NULL;
}
