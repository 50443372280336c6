/* The module's functions for acceleration: see autobahn_fbs/_accelerate. */
#include "functions.h"

#include "constructors.h"
#include "forward.h"

PyDoc_STRVAR(
    construct_in_c_doc,
    "construct_in_c(cls, /)\n--\n\n"
    "Makes constructor calls of one of Autobahn's message classes go through C, if the result is\n"
    "the same.\n\n"
    ":raises TypeError: it is not such a class, or its constructor is unknown.");

static PyObject *
construct_in_c(PyObject *module, PyObject *cls)
{
    return wfbs_constructor_install(wfbs_state_of(module), cls) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(construct_in_python_doc,
             "construct_in_python(cls, /)\n--\n\n"
             "Undoes construct_in_c().\n\n"
             ":raises TypeError: it is not one of Autobahn's message classes.");

static PyObject *
construct_in_python(PyObject *module, PyObject *cls)
{
    return wfbs_constructor_remove(wfbs_state_of(module), cls) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(is_forwardable_doc,
             "is_forwardable(message, /)\n--\n\n"
             "Whether a received message has args and kwargs that forward() doesn't decode.");

static PyObject *
is_forwardable(PyObject *module, PyObject *message)
{
    return PyBool_FromLong(wfbs_is_forwardable(wfbs_state_of(module), message));
}

PyDoc_STRVAR(
    forward_doc,
    "forward(cls, source, /, *args, **kwargs)\n--\n\n"
    "cls(*args, args=source.args, kwargs=source.kwargs, **kwargs). The payload is decoded on access\n"
    "if source is forwardable and cls is one of Autobahn's message classes.\n\n"
    ":raises Exception: the exception of that call.");

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
