/* TypedTable: the classes made at run time, and the life of their instances. */
#include "typed.h"

#include <stddef.h>
#include <structmember.h>

#include "../base/type_name.h"

/* ---- classes */

static PyObject *meta_new(PyTypeObject *meta, PyObject *args, PyObject *kwargs);

wfbs_typed_class *
wfbs_class_of(PyTypeObject *type)
{
    for (; type; type = type->tp_base) {
        if (Py_TYPE(type)->tp_new == meta_new && ((wfbs_typed_class *)type)->adopted) {
            return (wfbs_typed_class *)type;
        }
    }
    return NULL;
}

/* The layout behind an instance of ours. NULL with RuntimeError if the collector was here. */
static const wfbs_layout *
layout_of(PyObject *self)
{
    wfbs_typed_class *c = wfbs_class_of(Py_TYPE(self));
    if (!c || !c->layout) {
        PyErr_SetString(c ? PyExc_RuntimeError : PyExc_TypeError,
                        c ? "the schema is being unloaded" : "not a class of a schema");
        return NULL;
    }
    return c->layout;
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
    PyObject_GC_Track(self); /* as type's own dealloc expects it */
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
    if (Py_TYPE(found) == &PyMemberDescr_Type) {
        const PyMemberDef *member = ((PyMemberDescrObject *)found)->d_member;
        if (member->type == T_OBJECT_EX && !(member->flags & READONLY)) {
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

/* ---- making and freeing instances */

PyObject *
wfbs_instance_new(PyTypeObject *type)
{
    PyObject *self = (PyObject *)PyObject_GC_New(PyObject, type);
    if (self) {
        memset((char *)self + sizeof(PyObject), 0, (size_t)type->tp_basicsize - sizeof(PyObject));
    }
    return self;
}

void
wfbs_instance_finish(PyObject *self, bool holds)
{
#ifdef Py_GIL_DISABLED
    holds = true; /* no tracking later, which another thread might do at the same time */
#endif
    if (holds) {
        PyObject_GC_Track(self);
    }
}

static inline PyObject **
slots_of(PyObject *self)
{
    return (PyObject **)((char *)self + sizeof(PyObject));
}

static int
instance_traverse(PyObject *self, visitproc visit, void *arg)
{
    const wfbs_typed_class *c = wfbs_class_of(Py_TYPE(self));
    Py_VISIT(Py_TYPE(self));
    for (Py_ssize_t i = 0; c && i < c->slots; i++) {
        Py_VISIT(slots_of(self)[i]);
    }
    return 0;
}

static int
instance_clear(PyObject *self)
{
    const wfbs_typed_class *c = wfbs_class_of(Py_TYPE(self));
    for (Py_ssize_t i = 0; c && i < c->slots; i++) {
        Py_CLEAR(slots_of(self)[i]);
    }
    return 0;
}

static void
instance_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    const wfbs_typed_class *c = wfbs_class_of(type);
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, instance_dealloc)
    for (Py_ssize_t i = 0; c && i < c->slots; i++) {
        Py_XDECREF(slots_of(self)[i]);
    }
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

/* Sets what isn't set yet to what absence means. */
static void
fill_absent(PyObject *self, const wfbs_layout *layout)
{
    for (uint32_t i = 0; i < layout->count; i++) {
        const wfbs_member *m = &layout->members[i];
        PyObject **slot = wfbs_member_of(self, m);
        if (!*slot) {
            *slot = Py_NewRef(m->absent);
        }
    }
}

/* Sets the member of a keyword. 0, or -1 with TypeError. */
static int
set_keyword(PyObject *self, const wfbs_layout *layout, PyObject *name, PyObject *value,
            Py_ssize_t positional)
{
    const wfbs_member *m = NULL;
    Py_ssize_t i;
    for (i = 0; i < (Py_ssize_t)layout->count && !m; i++) { /* names are interned, mostly */
        m = layout->members[i].name == name ? &layout->members[i] : NULL;
    }
    if (!m) {
        PyObject *number = PyDict_GetItemWithError(layout->by_attribute, name);
        if (!number) {
            if (!PyErr_Occurred()) {
                PyErr_Format(PyExc_TypeError, "%.200s() got an unexpected keyword argument %R",
                             wfbs_type_name(Py_TYPE(self)), name);
            }
            return -1;
        }
        i = PyLong_AsSsize_t(number) + 1;
        m = &layout->members[i - 1];
    }
    if (i <= positional) {
        PyErr_Format(PyExc_TypeError, "%.200s() got multiple values for argument %R",
                     wfbs_type_name(Py_TYPE(self)), name);
        return -1;
    }
    PyObject **slot = wfbs_member_of(self, m);
    Py_XSETREF(*slot, Py_NewRef(value));
    return 0;
}

/* Sets the members that are given by position. 0, or -1 with TypeError. */
static int
set_positional(PyObject *self, const wfbs_layout *layout, PyObject *const *args, Py_ssize_t count)
{
    if (count > (Py_ssize_t)layout->count) {
        PyErr_Format(PyExc_TypeError, "%.200s() takes at most %u arguments (%zd given)",
                     wfbs_type_name(Py_TYPE(self)), layout->count, count);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject **slot = wfbs_member_of(self, &layout->members[i]);
        Py_XSETREF(*slot, Py_NewRef(args[i]));
    }
    return 0;
}

static PyObject *
instance_vectorcall(PyObject *type, PyObject *const *args, size_t flags, PyObject *names)
{
    const Py_ssize_t count = PyVectorcall_NARGS(flags);
    const wfbs_layout *layout = ((wfbs_typed_class *)type)->layout;
    if (!layout) {
        PyErr_SetString(PyExc_RuntimeError, "the schema is being unloaded");
        return NULL;
    }
    PyObject *self = wfbs_instance_new((PyTypeObject *)type);
    if (!self) {
        return NULL;
    }
    int failed = set_positional(self, layout, args, count);
    for (Py_ssize_t i = 0; !failed && names && i < PyTuple_GET_SIZE(names); i++) {
        failed = set_keyword(self, layout, PyTuple_GET_ITEM(names, i), args[count + i], count);
    }
    if (failed) {
        Py_DECREF(self);
        return NULL;
    }
    fill_absent(self, layout);
    wfbs_instance_finish(self, true);
    return self;
}

static PyObject *
instance_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    wfbs_typed_class *c = wfbs_class_of(type);
    if (!c || !c->layout) {
        PyErr_SetString(PyExc_TypeError, "TypedTable itself has no instances");
        return NULL;
    }
    PyObject *self = type->tp_alloc(type, 0);
    if (self) {
        fill_absent(self, c->layout);
    }
    return self;
}

static int
instance_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    const wfbs_layout *layout = layout_of(self);
    const Py_ssize_t count = PyTuple_GET_SIZE(args);
    PyObject *name, *value;
    Py_ssize_t at = 0;
    int failed = layout ? set_positional(self, layout, PySequence_Fast_ITEMS(args), count) : -1;
    while (!failed && kwargs && PyDict_Next(kwargs, &at, &name, &value)) {
        failed = set_keyword(self, layout, name, value, count);
    }
    return failed;
}

static int
instance_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    const int failed = PyObject_GenericSetAttr(self, name, value);
#ifndef Py_GIL_DISABLED
    if (!failed && value && PyObject_IS_GC(value) && !PyObject_GC_IsTracked(self)) {
        PyObject_GC_Track(self);
    }
#endif
    return failed;
}

void
wfbs_class_adopt(PyTypeObject *type, wfbs_schema *schema, wfbs_layout *layout)
{
    wfbs_typed_class *c = (wfbs_typed_class *)type;
    c->schema = (wfbs_schema *)Py_NewRef(schema);
    c->layout = layout;
    c->slots = (type->tp_basicsize - (Py_ssize_t)sizeof(PyObject)) / (Py_ssize_t)sizeof(PyObject *);
    c->adopted = true;
    type->tp_dealloc = instance_dealloc;
    type->tp_traverse = instance_traverse;
    type->tp_clear = instance_clear;
    type->tp_setattro = instance_setattro;
    type->tp_vectorcall = instance_vectorcall;
}

/* ---- what instances do */

/* The value of a member as a new reference; None for one that was deleted. */
static PyObject *
member_value(PyObject *self, const wfbs_member *m)
{
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(self);
    value = *wfbs_member_of(self, m);
    value = Py_NewRef(value ? value : Py_None);
    Py_END_CRITICAL_SECTION();
    return value;
}

static PyObject *
instance_richcompare(PyObject *self, PyObject *other, int op)
{
    if ((op != Py_EQ && op != Py_NE) || Py_TYPE(self) != Py_TYPE(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    const wfbs_layout *layout = layout_of(self);
    int equal = layout ? 1 : -1;
    if (layout && Py_EnterRecursiveCall(" in comparison")) {
        return NULL;
    }
    for (uint32_t i = 0; equal > 0 && i < layout->count; i++) {
        PyObject *a = member_value(self, &layout->members[i]);
        PyObject *b = member_value(other, &layout->members[i]);
        equal = PyObject_RichCompareBool(a, b, Py_EQ);
        Py_DECREF(a);
        Py_DECREF(b);
    }
    if (layout) {
        Py_LeaveRecursiveCall();
    }
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *
instance_repr(PyObject *self)
{
    const wfbs_layout *layout = layout_of(self);
    if (!layout) {
        return NULL;
    }
    const int entered = Py_ReprEnter(self);
    if (entered) {
        return entered > 0 ? PyUnicode_FromString("...") : NULL;
    }
    PyObject *parts = PyList_New(0);
    for (uint32_t i = 0; parts && i < layout->count; i++) {
        PyObject *value = member_value(self, &layout->members[i]);
        PyObject *part = PyUnicode_FromFormat("%U=%R", layout->members[i].name, value);
        if (!part || PyList_Append(parts, part) < 0) {
            Py_CLEAR(parts);
        }
        Py_XDECREF(part);
        Py_DECREF(value);
    }
    PyObject *comma = parts ? PyUnicode_FromString(", ") : NULL;
    PyObject *joined = comma ? PyUnicode_Join(comma, parts) : NULL;
    PyObject *text =
        joined ? PyUnicode_FromFormat("%s(%U)", wfbs_type_name(Py_TYPE(self)), joined) : NULL;
    Py_XDECREF(joined);
    Py_XDECREF(comma);
    Py_XDECREF(parts);
    Py_ReprLeave(self);
    return text;
}

/* A copy that shares the members; of the exact type, without calling anything. */
static PyObject *
instance_copy(PyObject *self, PyObject *unused)
{
    (void)unused;
    const wfbs_layout *layout = layout_of(self);
    if (!layout) {
        return NULL;
    }
    /* A __new__ in Python could return anything, which has no such slots. */
    PyObject *copy = instance_tp_new(Py_TYPE(self), NULL, NULL);
    for (uint32_t i = 0; copy && i < layout->count; i++) {
        PyObject **slot = wfbs_member_of(copy, &layout->members[i]);
        PyObject *value = member_value(self, &layout->members[i]);
        Py_XSETREF(*slot, value);
    }
    return copy;
}

/* copy.replace(): a copy with other values of some members. */
static PyObject *
instance_replace(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *copy, *name, *value;
    Py_ssize_t at = 0;
    if (PyTuple_GET_SIZE(args)) {
        PyErr_SetString(PyExc_TypeError, "__replace__() takes keyword arguments only");
        return NULL;
    }
    copy = instance_copy(self, NULL);
    while (copy && kwargs && PyDict_Next(kwargs, &at, &name, &value)) {
        if (set_keyword(copy, layout_of(copy), name, value, 0) < 0) {
            Py_CLEAR(copy);
        }
    }
    return copy;
}

static PyObject *
instance_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    const wfbs_layout *layout = layout_of(self);
    if (!layout) {
        return NULL;
    }
    wfbs_typed_class *c = wfbs_class_of(Py_TYPE(self));
    PyObject *values = PyTuple_New(layout->count);
    for (uint32_t i = 0; values && i < layout->count; i++) {
        PyTuple_SET_ITEM(values, i, member_value(self, &layout->members[i]));
    }
    PyObject *arguments[] = {
        (PyObject *)c->schema, wfbs_name_str(c->schema->plan.objects[layout->object].name),
        Py_TYPE(self) == &c->heap.ht_type ? Py_None : (PyObject *)Py_TYPE(self), values};
    PyObject *reduced = NULL;
    if (values && arguments[1]) {
        reduced = wfbs_typed_help(c->schema->typed, "reduce_instance", arguments, 4);
    }
    Py_XDECREF(arguments[1]);
    Py_XDECREF(values);
    return reduced;
}

static PyObject *
instance_to_dict(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (!layout_of(self)) {
        return NULL;
    }
    wfbs_schema *schema = wfbs_class_of(Py_TYPE(self))->schema;
    return PyObject_CallMethodOneArg((PyObject *)schema, schema->typed->str_to_dict, self);
}

static PyMethodDef instance_methods[] = {
    {"to_dict", instance_to_dict, METH_NOARGS,
     "The fields that are not None as a dict, all the way down, as flatc's JSON has them."},
    {"__copy__", instance_copy, METH_NOARGS, NULL},
    {"__replace__", (PyCFunction)(void (*)(void))instance_replace, METH_VARARGS | METH_KEYWORDS,
     NULL},
    {"__reduce__", instance_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(table_doc, "An instance of a table or struct of a schema.");

static PyType_Slot table_slots[] = {
    {Py_tp_doc, (void *)table_doc},
    {Py_tp_new, instance_tp_new},
    {Py_tp_init, instance_init},
    {Py_tp_dealloc, instance_dealloc},
    {Py_tp_traverse, instance_traverse},
    {Py_tp_clear, instance_clear},
    {Py_tp_richcompare, instance_richcompare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_repr, instance_repr},
    {Py_tp_methods, instance_methods},
    {0, NULL},
};

PyType_Spec wfbs_typed_table_spec = {
    .name = "autobahn_fbs._cpython.TypedTable",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = table_slots,
};
