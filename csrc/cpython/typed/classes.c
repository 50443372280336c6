/* Classes made at run time: their metaclass, and the positions of their slots. */
#include "typed.h"

#include <stddef.h>
#include <structmember.h>

static PyObject *meta_new(PyTypeObject *meta, PyObject *args, PyObject *kwargs);

static inline bool
is_adopted(PyTypeObject *type)
{
    return Py_TYPE(type)->tp_new == meta_new && ((wfbs_typed_class *)type)->adopted;
}

wfbs_typed_class *
wfbs_class_of(PyTypeObject *type)
{
    for (; type; type = type->tp_base) {
        if (is_adopted(type)) {
            return (wfbs_typed_class *)type;
        }
    }
    return NULL;
}

static PyObject *
meta_new(PyTypeObject *meta, PyObject *args, PyObject *kwargs)
{
    return PyType_Type.tp_new(meta, args, kwargs); /* our part is zeroed */
}

static int
meta_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((wfbs_typed_class *)self)->schema);
    return PyType_Type.tp_traverse(self, visit, arg);
}

static int
meta_clear(PyObject *self)
{
    ((wfbs_typed_class *)self)->layout = NULL;
    Py_CLEAR(((wfbs_typed_class *)self)->schema);
    return PyType_Type.tp_clear(self);
}

static void
meta_dealloc(PyObject *self)
{
    PyTypeObject *meta = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    ((wfbs_typed_class *)self)->layout = NULL;
    Py_CLEAR(((wfbs_typed_class *)self)->schema);
    PyObject_GC_Track(self); /* as type's own dealloc expects */
    Py_INCREF(meta);
    PyType_Type.tp_dealloc(self);
    Py_DECREF(meta);
    Py_DECREF(meta);
}

static PyType_Slot meta_slots[] = {
    {Py_tp_doc, "The class of classes made for the tables of a schema."},
    {Py_tp_new, meta_new},
    {Py_tp_traverse, meta_traverse},
    {Py_tp_clear, meta_clear},
    {Py_tp_dealloc, meta_dealloc},
    {0, NULL},
};

PyType_Spec wfbs_typed_meta_spec = {
    .name = "autobahn_fbs._cpython.TypedMeta",
    .basicsize = sizeof(wfbs_typed_class),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC
             | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_TYPE_SUBCLASS,
    .slots = meta_slots,
};

Py_ssize_t
wfbs_class_slot(PyTypeObject *type, PyObject *attribute)
{
    PyObject *found = PyObject_GetAttr((PyObject *)type, attribute);
    Py_ssize_t offset = 0;
    if (!found) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    /* An attribute can be the descriptor of an unrelated class, whose instances have another
     * size. */
    if (Py_TYPE(found) == &PyMemberDescr_Type && PyType_IsSubtype(type, PyDescr_TYPE(found))) {
        const PyMemberDef *member = ((PyMemberDescrObject *)found)->d_member;
        const bool writable = !(member->flags & READONLY) || is_adopted(PyDescr_TYPE(found));
        if (member->type == T_OBJECT_EX && writable) {
            offset = member->offset;
        }
    }
    Py_DECREF(found);
    return offset;
}

PyTypeObject *
wfbs_class_new(wfbs_schema *schema, uint32_t object, PyObject *wire, PyObject *attributes)
{
    PyObject *name = wfbs_name_str(schema->plan.objects[object].name);
    PyObject *arguments[] = {(PyObject *)schema->typed->meta_type,
                             (PyObject *)schema->typed->table_type,
                             (PyObject *)schema,
                             name,
                             wire,
                             attributes};
    PyObject *type = name ? wfbs_typed_help(schema->typed, "make_class", arguments, 6) : NULL;
    Py_XDECREF(name);
    if (type && (!PyType_Check(type) || Py_TYPE(type)->tp_new != meta_new)) {
        PyErr_SetString(PyExc_SystemError, "make_class() returned something else");
        Py_CLEAR(type);
    }
    return (PyTypeObject *)type;
}

void
wfbs_class_guard(PyTypeObject *type, const wfbs_layout *layout)
{
    for (uint32_t i = 0; i < layout->count; i++) {
        PyObject *found = PyObject_GetAttr((PyObject *)type, layout->members[i].name);
        if (!found) {
            PyErr_Clear(); /* it was there a moment ago, so memory is exhausted: it stays writable */
        }
        else if (Py_TYPE(found) == &PyMemberDescr_Type) {
            ((PyMemberDescrObject *)found)->d_member->flags |= READONLY;
        }
        Py_XDECREF(found);
    }
}
