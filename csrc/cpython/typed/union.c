/* TypedUnion: a member of a union with its name, for members whose class doesn't identify them. */
#include "typed.h"

static PyObject *
union_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"type", "value", NULL};
    PyObject *name, *value;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:TypedUnion", names, &name, &value)) {
        return NULL;
    }
    PyObject *items = Py_BuildValue("((OO))", name, value);
    PyObject *self = items ? PyTuple_Type.tp_new(type, items, NULL) : NULL;
    Py_XDECREF(items);
    return self;
}

static PyObject *
union_get_type(PyObject *self, void *Py_UNUSED(unused))
{
    return Py_NewRef(PyTuple_GET_ITEM(self, 0));
}

static PyObject *
union_get_value(PyObject *self, void *Py_UNUSED(unused))
{
    return Py_NewRef(PyTuple_GET_ITEM(self, 1));
}

static PyObject *
union_repr(PyObject *self)
{
    return PyUnicode_FromFormat("TypedUnion(type=%R, value=%R)", PyTuple_GET_ITEM(self, 0),
                                PyTuple_GET_ITEM(self, 1));
}

static PyObject *
union_newargs(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return PyTuple_Pack(2, PyTuple_GET_ITEM(self, 0), PyTuple_GET_ITEM(self, 1));
}

static int
union_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self)); /* which tuple's own traverse doesn't visit */
    return PyTuple_Type.tp_traverse(self, visit, arg);
}

static PyMethodDef union_methods[] = {
    {"__getnewargs__", union_newargs, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef union_getset[] = {
    {"type", union_get_type, NULL, "The member's name in the union.", NULL},
    {"value", union_get_value, NULL, "Its value.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot union_slots[] = {
    {Py_tp_doc, "A member of a union: its name in the union, and its value."},
    {Py_tp_new, union_new},
    {Py_tp_traverse, union_traverse},
    {Py_tp_repr, union_repr},
    {Py_tp_methods, union_methods},
    {Py_tp_getset, union_getset},
    {0, NULL},
};

/* A subclass of tuple, with its size and layout. */
static PyType_Spec union_spec = {
    .name = "autobahn_fbs._cpython.TypedUnion",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = union_slots,
};

PyTypeObject *
wfbs_union_type(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &union_spec, (PyObject *)&PyTuple_Type);
    PyObject *names = type ? Py_BuildValue("(ss)", "type", "value") : NULL;
    if (!names || PyObject_SetAttrString(type, "__match_args__", names) < 0) {
        Py_CLEAR(type);
    }
    Py_XDECREF(names);
    return (PyTypeObject *)type;
}

PyObject *
wfbs_union_new(wfbs_typed *t, PyObject *name, PyObject *value)
{
    return PyObject_CallFunctionObjArgs((PyObject *)t->union_type, name, value, NULL);
}
