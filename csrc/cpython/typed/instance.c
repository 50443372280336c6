/* TypedTable: creating, changing, copying and freeing instances of classes made at run time. */
#include "typed.h"

#include <structmember.h>

#include "../base/type_name.h"

/* The layout of an instance of ours. Sets *held to a new reference to the class that keeps the
 * layout, because code that runs meanwhile can change the instance's class. NULL with an
 * exception. */
static const wfbs_layout *
layout_of(PyObject *self, wfbs_typed_class **held)
{
    wfbs_typed_class *c = wfbs_class_of(Py_TYPE(self));
    if (!c || !c->layout) {
        PyErr_SetString(c ? PyExc_RuntimeError : PyExc_TypeError,
                        c ? "the schema is being unloaded" : "not a class of a schema");
        return NULL;
    }
    *held = (wfbs_typed_class *)Py_NewRef(c);
    return c->layout;
}

/* ---- creating and freeing instances */

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
    holds = true; /* no tracking later, because another thread might do it at the same time */
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

/* Sets the members that aren't set yet to their values if absent. */
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

/* Raises the TypeError for a keyword argument that isn't a member. */
static void
refuse_keyword(PyObject *self, const wfbs_layout *layout, PyObject *name)
{
    wfbs_typed *t = wfbs_typed_of(Py_TYPE(self));
    PyObject *arguments[] = {name, layout->by_attribute};
    PyObject *text = t ? wfbs_typed_help(t, "unexpected_keyword", arguments, 2) : NULL;
    if (text) {
        PyErr_Format(PyExc_TypeError, "%.200s() %U", wfbs_type_name(Py_TYPE(self)), text);
        Py_DECREF(text);
    }
}

/* Sets the member for a keyword argument. 0, or -1 with TypeError. */
static int
set_keyword(PyObject *self, const wfbs_layout *layout, PyObject *name, PyObject *value,
            Py_ssize_t positional)
{
    const wfbs_member *m = NULL;
    Py_ssize_t i;
    for (i = 0; i < (Py_ssize_t)layout->count && !m; i++) { /* names are usually interned */
        m = layout->members[i].name == name ? &layout->members[i] : NULL;
    }
    if (!m) {
        PyObject *number = PyDict_GetItemWithError(layout->by_attribute, name);
        if (!number) {
            if (!PyErr_Occurred()) {
                refuse_keyword(self, layout, name);
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

/* Sets the members for positional arguments. 0, or -1 with TypeError. */
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

static PyObject *instance_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
static int instance_init(PyObject *self, PyObject *args, PyObject *kwargs);

/* Calls a class whose __new__ or __init__ has been set. */
static PyObject *
call_as_type(PyObject *type, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *result = NULL;
    PyObject *positional = PyTuple_New(count), *keywords = PyDict_New();
    bool good = positional && keywords;
    for (Py_ssize_t i = 0; good && i < count; i++) {
        PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
    }
    for (Py_ssize_t i = 0; good && names && i < PyTuple_GET_SIZE(names); i++) {
        good = PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[count + i]) == 0;
    }
    if (good) {
        result = PyType_Type.tp_call(type, positional, keywords);
    }
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return result;
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
    if (((PyTypeObject *)type)->tp_new != instance_tp_new
        || ((PyTypeObject *)type)->tp_init != instance_init) {
        return call_as_type(type, args, count, names);
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
instance_tp_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    wfbs_typed_class *c = wfbs_class_of(type);
    if (!c || !c->layout) {
        PyErr_SetString(PyExc_TypeError, "cannot create 'TypedTable' instances");
        return NULL;
    }
    PyObject *self = type->tp_alloc(type, 0);
    if (self) {
        fill_absent(self, c->layout);
    }
    return self;
}

/* Instances are not tracked until they refer to an object that can refer back. */
static inline void
track(PyObject *self)
{
    if (!PyObject_GC_IsTracked(self)) { /* without a GIL, all are tracked */
        PyObject_GC_Track(self);
    }
}

static int
instance_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    wfbs_typed_class *held = NULL;
    const wfbs_layout *layout = layout_of(self, &held);
    const Py_ssize_t count = PyTuple_GET_SIZE(args);
    PyObject *name, *value;
    Py_ssize_t at = 0;
    if (!layout) {
        return -1;
    }
    track(self);
    int failed = set_positional(self, layout, PySequence_Fast_ITEMS(args), count);
    while (!failed && kwargs && PyDict_Next(kwargs, &at, &name, &value)) {
        failed = set_keyword(self, layout, name, value, count);
    }
    Py_DECREF(held);
    return failed;
}

#ifndef Py_GIL_DISABLED
/* The offset of the slot for an attribute of an instance: 0 if the attribute isn't a slot; -1 with
 * an exception. */
static Py_ssize_t
slot_offset(PyTypeObject *type, const wfbs_typed_class *c, PyObject *name)
{
    if (type == &c->heap.ht_type) { /* the descriptors of its slots are in its own dict */
        PyObject *found = PyDict_GetItemWithError(type->tp_dict, name);
        if (found && Py_TYPE(found) == &PyMemberDescr_Type && PyDescr_TYPE(found) == type) {
            return ((PyMemberDescrObject *)found)->d_member->offset;
        }
        return PyErr_Occurred() ? -1 : 0;
    }
    const int is_field = c->layout ? PyDict_Contains(c->layout->by_attribute, name) : 0;
    if (is_field <= 0) {
        return is_field;
    }
    /* A derived class can have another attribute with this name. */
    const Py_ssize_t offset = wfbs_class_slot(type, name);
    const Py_ssize_t end = (Py_ssize_t)sizeof(PyObject *) * c->slots;
    return offset < (Py_ssize_t)sizeof(PyObject) + end ? offset : 0;
}

/* Only this function writes our slots. Their descriptors can't, because they would not track the
 * instance. */
static int
instance_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    const wfbs_typed_class *c = wfbs_class_of(Py_TYPE(self));
    const Py_ssize_t offset = c ? slot_offset(Py_TYPE(self), c, name) : 0;
    if (offset <= 0) {
        return offset < 0 ? -1 : PyObject_GenericSetAttr(self, name, value);
    }
    PyObject **slot = (PyObject **)(void *)((char *)self + offset), *old = *slot;
    if (!value && !old) {
        PyErr_SetObject(PyExc_AttributeError, name);
        return -1;
    }
    *slot = Py_XNewRef(value);
    if (value && PyObject_IS_GC(value)) {
        track(self);
    }
    Py_XDECREF(old);
    return 0;
}
#endif

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
#ifndef Py_GIL_DISABLED
    wfbs_class_guard(type, layout);
#endif
    type->tp_vectorcall = instance_vectorcall;
}

/* ---- methods of instances */

/* The value of a member as a new reference; None for a deleted one. */
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
    wfbs_typed_class *held = NULL;
    const wfbs_layout *layout = layout_of(self, &held);
    if (!layout) {
        return NULL;
    }
    if (Py_EnterRecursiveCall(" in comparison")) {
        Py_DECREF(held);
        return NULL;
    }
    int equal = 1;
    for (uint32_t i = 0; equal > 0 && i < layout->count; i++) {
        PyObject *a = member_value(self, &layout->members[i]);
        PyObject *b = member_value(other, &layout->members[i]);
        equal = PyObject_RichCompareBool(a, b, Py_EQ);
        Py_DECREF(a);
        Py_DECREF(b);
    }
    Py_LeaveRecursiveCall();
    Py_DECREF(held);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *
instance_repr(PyObject *self)
{
    wfbs_typed_class *held = NULL;
    const wfbs_layout *layout = layout_of(self, &held);
    if (!layout) {
        return NULL;
    }
    const int entered = Py_ReprEnter(self);
    if (entered) {
        Py_DECREF(held);
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
    Py_DECREF(held);
    return text;
}

/* A copy that shares the members; of the exact type, without calling anything. */
static PyObject *
instance_copy(PyObject *self, PyObject *Py_UNUSED(unused))
{
    wfbs_typed_class *held = NULL;
    const wfbs_layout *layout = layout_of(self, &held);
    if (!layout) {
        return NULL;
    }
    /* A __new__ in Python could return any object, which may lack the slots. */
    PyObject *copy = instance_tp_new(Py_TYPE(self), NULL, NULL);
    for (uint32_t i = 0; copy && i < layout->count; i++) {
        PyObject **slot = wfbs_member_of(copy, &layout->members[i]);
        PyObject *value = member_value(self, &layout->members[i]);
        Py_XSETREF(*slot, value);
    }
    Py_DECREF(held);
    return copy;
}

/* copy.replace(): a copy with some members changed. */
static PyObject *
instance_replace(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *copy, *name, *value;
    Py_ssize_t at = 0;
    if (PyTuple_GET_SIZE(args)) {
        PyErr_SetString(PyExc_TypeError, "__replace__() takes only keyword arguments");
        return NULL;
    }
    wfbs_typed_class *held = NULL;
    copy = instance_copy(self, NULL);
    const wfbs_layout *layout = copy ? layout_of(copy, &held) : NULL;
    if (!layout) {
        Py_CLEAR(copy);
    }
    while (copy && kwargs && PyDict_Next(kwargs, &at, &name, &value)) {
        if (set_keyword(copy, layout, name, value, 0) < 0) {
            Py_CLEAR(copy);
        }
    }
    Py_XDECREF(held);
    return copy;
}

static PyObject *
instance_reduce(PyObject *self, PyObject *Py_UNUSED(unused))
{
    wfbs_typed_class *c = NULL;
    const wfbs_layout *layout = layout_of(self, &c);
    if (!layout) {
        return NULL;
    }
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
    Py_DECREF(c);
    return reduced;
}

static PyObject *
instance_to_dict(PyObject *self, PyObject *Py_UNUSED(unused))
{
    wfbs_typed_class *held = NULL;
    if (!layout_of(self, &held)) {
        return NULL;
    }
    wfbs_schema *schema = held->schema;
    PyObject *dict =
        PyObject_CallMethodOneArg((PyObject *)schema, schema->typed->str_to_dict, self);
    Py_DECREF(held);
    return dict;
}

static PyMethodDef instance_methods[] = {
    {"to_dict", instance_to_dict, METH_NOARGS,
     "The fields that aren't None, by their names in the schema, including nested ones."},
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
#ifndef Py_GIL_DISABLED
    {Py_tp_setattro, instance_setattro},
#endif
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
