/* The module's functions for acceleration: see autobahn_fbs/_accelerate. */
#include "functions.h"

#include "constructors.h"
#include "forward.h"

PyDoc_STRVAR(
    construct_in_c_doc,
    "construct_in_c(cls, /)\n--\n\n"
    "Makes calls of one of Autobahn's message classes go through C where that makes no difference.\n\n"
    ":raises TypeError: it is no such class, or one whose constructor is not understood.");

static PyObject *
construct_in_c(PyObject *module, PyObject *cls)
{
    return wfbs_constructor_install(wfbs_state_of(module), cls) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(construct_in_python_doc,
             "construct_in_python(cls, /)\n--\n\n"
             "Takes construct_in_c() back.\n\n"
             ":raises TypeError: it is not one of Autobahn's message classes.");

static PyObject *
construct_in_python(PyObject *module, PyObject *cls)
{
    return wfbs_constructor_remove(wfbs_state_of(module), cls) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(
    is_forwardable_doc,
    "is_forwardable(message, /)\n--\n\n"
    "Whether a message came in with args and kwargs that can be forwarded without decoding them.");

static PyObject *
is_forwardable(PyObject *module, PyObject *message)
{
    return PyBool_FromLong(wfbs_is_forwardable(wfbs_state_of(module), message));
}

PyDoc_STRVAR(
    forward_doc,
    "forward(cls, source, /, *args, **kwargs)\n--\n\n"
    "cls(*args, args=source.args, kwargs=source.kwargs, **kwargs), with a payload that is decoded when\n"
    "it is read, if source is forwardable and cls one of Autobahn's message classes.\n\n"
    ":raises Exception: what that call raises.");

static PyObject *
forward(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    if (count < 2) {
        PyErr_SetString(PyExc_TypeError, "forward() takes a class and a message");
        return NULL;
    }
    return wfbs_forward(wfbs_state_of(module), args[0], args[1], args + 2, (size_t)count - 2,
                        names);
}

PyMethodDef wfbs_acceleration_functions[] = {
    {"construct_in_c", construct_in_c, METH_O, construct_in_c_doc},
    {"construct_in_python", construct_in_python, METH_O, construct_in_python_doc},
    {"is_forwardable", is_forwardable, METH_O, is_forwardable_doc},
    {"forward", (PyCFunction)(void (*)(void))forward, METH_FASTCALL | METH_KEYWORDS, forward_doc},
    {NULL, NULL, 0, NULL},
};
