/* TypedLazy: a table of verified bytes, whose fields are read on access. */
#include "typed.h"

#include <stddef.h>

#include "../base/list.h"

typedef struct {
    PyObject_HEAD
    wfbs_schema *schema; /* owned */
    PyObject *buffer;    /* owned bytes */
    const uint8_t *data; /* the FlatBuffer in the bytes */
    uint32_t object;
    uint32_t table;
} lazy_object;

PyObject *
wfbs_lazy_new(wfbs_schema *schema, uint32_t object, PyObject *buffer, const uint8_t *data,
              uint32_t table)
{
    PyTypeObject *type = schema->typed->lazy_type;
    lazy_object *lazy = type ? (lazy_object *)type->tp_alloc(type, 0) : NULL;
    if (!lazy) {
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    lazy->schema = (wfbs_schema *)Py_NewRef(schema);
    lazy->buffer = Py_NewRef(buffer);
    lazy->data = data;
    lazy->object = object;
    lazy->table = table;
    return (PyObject *)lazy;
}

/* The format of memoryview.cast for scalars. */
static const char *
format_of(unsigned base)
{
    static const char *const formats[WFBS_BASE_COUNT] = {
        [WFBS_BASE_BOOL] = "?",  [WFBS_BASE_BYTE] = "b",   [WFBS_BASE_UBYTE] = "B",
        [WFBS_BASE_SHORT] = "h", [WFBS_BASE_USHORT] = "H", [WFBS_BASE_INT] = "i",
        [WFBS_BASE_UINT] = "I",  [WFBS_BASE_LONG] = "q",   [WFBS_BASE_ULONG] = "Q",
        [WFBS_BASE_FLOAT] = "f", [WFBS_BASE_DOUBLE] = "d",
    };
    return formats[base];
}

/* A view of scalars in the buffer, as from memoryview.cast. New reference or NULL. */
static PyObject *
scalar_view(const lazy_object *lazy, const wfbs_plan_field *f, uint32_t at)
{
    uint32_t count;
    const uint32_t elements = wfbs_walk_vector(lazy->data, at, &count);
    const Py_ssize_t start =
        lazy->data - (const uint8_t *)PyBytes_AS_STRING(lazy->buffer) + (Py_ssize_t)elements;
    PyObject *whole = PyMemoryView_FromObject(lazy->buffer);
    PyObject *part =
        whole ? PySequence_GetSlice(whole, start, start + (Py_ssize_t)count * (Py_ssize_t)f->stride)
              : NULL;
    PyObject *view = part;
    if (part && f->scalar != WFBS_BASE_UBYTE) {
        view = PyObject_CallMethod(part, "cast", "s", format_of(f->scalar));
        Py_DECREF(part);
    }
    Py_XDECREF(whole);
    return view;
}

/* A vector of tables as a list of lazy tables. */
static PyObject *
table_list(const lazy_object *lazy, const wfbs_plan_field *f, uint32_t at)
{
    uint32_t count;
    const uint32_t elements = wfbs_walk_vector(lazy->data, at, &count);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (uint32_t i = 0; list && i < count; i++) {
        PyObject *element = wfbs_lazy_new(lazy->schema, f->index, lazy->buffer, lazy->data,
                                          wfbs_follow(lazy->data, elements + 4 * i));
        wfbs_list_fill(&list, (Py_ssize_t)i, element);
    }
    return list;
}

/* A union's member that is a table, as a lazy table; NULL without an exception for any other
 * member. */
static PyObject *
union_table(const lazy_object *lazy, const wfbs_plan_field *f, uint32_t at)
{
    const wfbs_plan *plan = &lazy->schema->plan;
    const wfbs_plan_enum *type = &plan->enums[f->index];
    const uint32_t tag = wfbs_walk_slot(lazy->data, lazy->table, f - 1);
    const uint32_t number = tag ? wfbs_plan_find_value(plan, type, lazy->data[tag]) : WFBS_NONE;
    if (number == WFBS_NONE || type->is_ambiguous
        || plan->values[type->values + number].shape != WFBS_SHAPE_TABLE) {
        return NULL;
    }
    return wfbs_lazy_new(lazy->schema, plan->values[type->values + number].index, lazy->buffer,
                         lazy->data, wfbs_follow(lazy->data, at));
}

static PyObject *
lazy_member(const lazy_object *lazy, const wfbs_layout *layout, const wfbs_member *m)
{
    const wfbs_plan *plan = &lazy->schema->plan;
    const wfbs_plan_field *f = wfbs_fields_of(plan, &plan->objects[lazy->object]) + m->number;
    const uint32_t at = wfbs_walk_slot(lazy->data, lazy->table, f);
    if (!at) {
        return Py_NewRef(m->absent);
    }
    if (f->shape == WFBS_SHAPE_TABLE) {
        return wfbs_lazy_new(lazy->schema, f->index, lazy->buffer, lazy->data,
                             wfbs_follow(lazy->data, at));
    }
    if (f->shape == WFBS_SHAPE_VECTOR) {
        if (f->element == WFBS_SHAPE_SCALAR && f->index == WFBS_NONE && !WFBS_BIG_ENDIAN) {
            return scalar_view(lazy, f, at);
        }
        if (f->element == WFBS_SHAPE_TABLE) {
            return table_list(lazy, f, at);
        }
    }
    if (f->shape == WFBS_SHAPE_UNION) {
        PyObject *member = union_table(lazy, f, at);
        if (member || PyErr_Occurred()) {
            return member;
        }
    }
    const wfbs_decoding d = {lazy->schema, lazy->data, WFBS_FORM_INSTANCE, lazy->buffer};
    bool present;
    PyObject *value = wfbs_decode_member(&d, layout, m, lazy->table, &present);
    return present ? value : Py_NewRef(m->absent);
}

static PyObject *
lazy_getattro(PyObject *self, PyObject *name)
{
    const lazy_object *lazy = (const lazy_object *)self;
    const wfbs_layout *layout = lazy->schema->layouts[lazy->object];
    PyObject *number = PyDict_GetItemWithError(layout->by_attribute, name);
    if (number) {
        return lazy_member(lazy, layout, &layout->members[PyLong_AsSize_t(number)]);
    }
    return PyErr_Occurred() ? NULL : PyObject_GenericGetAttr(self, name);
}

static PyObject *
lazy_decode(PyObject *self, PyObject *Py_UNUSED(unused))
{
    const lazy_object *lazy = (const lazy_object *)self;
    const wfbs_decoding d = {lazy->schema, lazy->data, WFBS_FORM_INSTANCE, lazy->buffer};
    return wfbs_decode_table(&d, lazy->object, lazy->table);
}

static PyObject *
lazy_to_dict(PyObject *self, PyObject *Py_UNUSED(unused))
{
    const lazy_object *lazy = (const lazy_object *)self;
    const wfbs_decoding d = {lazy->schema, lazy->data, WFBS_FORM_FULL, lazy->buffer};
    return wfbs_decode_table(&d, lazy->object, lazy->table);
}

static PyObject *
lazy_dir(PyObject *self, PyObject *Py_UNUSED(unused))
{
    const lazy_object *lazy = (const lazy_object *)self;
    PyObject *names = PyDict_Keys(lazy->schema->layouts[lazy->object]->by_attribute);
    PyObject *methods = names ? Py_BuildValue("(ss)", "decode", "to_dict") : NULL;
    PyObject *all = methods ? PySequence_InPlaceConcat(names, methods) : NULL;
    Py_XDECREF(names);
    Py_XDECREF(methods);
    return all;
}

static PyObject *
lazy_repr(PyObject *self)
{
    const lazy_object *lazy = (const lazy_object *)self;
    PyObject *name = wfbs_name_str(lazy->schema->plan.objects[lazy->object].name);
    PyObject *text = name ? PyUnicode_FromFormat("<TypedLazy %U>", name) : NULL;
    Py_XDECREF(name);
    return text;
}

static int
lazy_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((lazy_object *)self)->schema);
    return 0;
}

static void
lazy_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((lazy_object *)self)->schema);
    Py_XDECREF(((lazy_object *)self)->buffer);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef lazy_methods[] = {
    {"decode", lazy_decode, METH_NOARGS, "The whole table as an instance."},
    {"to_dict", lazy_to_dict, METH_NOARGS, "The whole table as a dict, like TypedTable.to_dict()."},
    {"__dir__", lazy_dir, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot lazy_slots[] = {
    {Py_tp_doc, "A table of a verified buffer. Its fields are read on access."},
    {Py_tp_dealloc, lazy_dealloc},
    {Py_tp_traverse, lazy_traverse},
    {Py_tp_getattro, lazy_getattro},
    {Py_tp_repr, lazy_repr},
    {Py_tp_methods, lazy_methods},
    {0, NULL},
};

PyType_Spec wfbs_typed_lazy_spec = {
    .name = "autobahn_fbs._cpython.TypedLazy",
    .basicsize = sizeof(lazy_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
             | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lazy_slots,
};
