/* TypedCodec: one table as the root of buffers. */
#include "typed.h"

#include <stddef.h>
#include <structmember.h>

#include "../base/input.h"
#include "../base/limits.h"

/* ---- arguments */

/* Keyword arguments of the methods. */
typedef struct {
    const char *identifier; /* 4 bytes, borrowed from the argument; NULL for any */
    int keep_kwargs;
    int sort_keys;
    int strict;
    int form;
} options;

/* Parses one keyword argument. 0, or -1 with TypeError or ValueError. */
static int
option_set(options *o, PyObject *name, PyObject *value)
{
    static const struct {
        const char *name;
        size_t offset;
    } flags[] = {{"keep_kwargs", offsetof(options, keep_kwargs)},
                 {"sort_keys", offsetof(options, sort_keys)},
                 {"strict", offsetof(options, strict)}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (PyUnicode_CompareWithASCIIString(name, flags[i].name) == 0) {
            const int flag = PyObject_IsTrue(value);
            *(int *)(void *)((char *)o + flags[i].offset) = flag > 0;
            return flag < 0 ? -1 : 0;
        }
    }
    if (PyUnicode_CompareWithASCIIString(name, "form") == 0) {
        const long form = PyLong_AsLong(value);
        if (form < WFBS_FORM_INSTANCE || form > WFBS_FORM_TOP) {
            if (!PyErr_Occurred()) {
                PyErr_Format(PyExc_ValueError, "form must be 0 to 3, not %R", value);
            }
            return -1;
        }
        o->form = (int)form;
        return 0;
    }
    if (PyUnicode_CompareWithASCIIString(name, "identifier") == 0) {
        if (value == Py_None) {
            return 0;
        }
        if (!PyBytes_Check(value) || PyBytes_GET_SIZE(value) != 4) {
            PyErr_SetString(PyExc_ValueError, "identifier must have 4 bytes");
            return -1;
        }
        o->identifier = PyBytes_AS_STRING(value);
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "unexpected keyword argument %R", name);
    return -1;
}

/* One positional argument, and options. 0 or -1. */
static int
options_parse(options *o, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    memset(o, 0, sizeof *o);
    if (count != 1) {
        PyErr_Format(PyExc_TypeError, "one argument expected, got %zd", count);
        return -1;
    }
    for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++) {
        if (option_set(o, PyTuple_GET_ITEM(names, i), args[1 + i]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- verified input */

/* Opens bytes and verifies them. 0, and the caller must release in->buffer; or -1. */
static int
open_verified(wfbs_codec_object *c, PyObject *data, const options *o, wfbs_input *in,
              uint32_t *root)
{
    const wfbs_typed_rules rules = {&c->schema->plan, &c->limits, o->strict};
    wfbs_fault fault;
    if (wfbs_input_open(data, PyBUF_FULL_RO, in) < 0) {
        return -1;
    }
    if (!wfbs_typed_verify(&rules, c->object, in->data, in->size, o->identifier, &fault, root)) {
        wfbs_raise_fault(c->schema->typed, &fault, &c->schema->plan, c->object, true);
        Py_CLEAR(in->buffer);
        return -1;
    }
    return 0;
}

/* Creates the classes that decoding and encoding need, on first use: until then, classes can be
 * bound. */
static bool
make_ready(wfbs_codec_object *c)
{
    bool ready;
#ifdef Py_GIL_DISABLED
    Py_BEGIN_CRITICAL_SECTION(c); /* makes objects from other threads visible */
    ready = c->ready;
    Py_END_CRITICAL_SECTION();
#else
    ready = c->ready;
#endif
    if (ready) {
        return true;
    }
    Py_BEGIN_CRITICAL_SECTION(c->schema);
    ready = wfbs_layout_closure(c->schema, c->object) == 0;
    Py_END_CRITICAL_SECTION();
    if (ready) {
        Py_BEGIN_CRITICAL_SECTION(c);
        c->ready = true;
        Py_END_CRITICAL_SECTION();
    }
    return ready;
}

/* ---- the calls */

PyObject *
wfbs_codec_encode(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    wfbs_codec_object *c = (wfbs_codec_object *)self;
    options o;
    if (options_parse(&o, args, count, names) < 0 || !make_ready(c)) {
        return NULL;
    }
    const wfbs_encode_options how = {.identifier = o.identifier,
                                     .limits = &c->limits,
                                     .keep_kwargs = o.keep_kwargs,
                                     .sort_keys = o.sort_keys,
                                     .strict = o.strict};
    return wfbs_encode_root(c->schema, c->object, args[0], &how);
}

static PyObject *
codec_check(PyObject *self, PyObject *value)
{
    wfbs_codec_object *c = (wfbs_codec_object *)self;
    const wfbs_encode_options how = {.limits = &c->limits, .discard = true};
    return make_ready(c) ? wfbs_encode_root(c->schema, c->object, value, &how) : NULL;
}

PyObject *
wfbs_codec_decode(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    wfbs_codec_object *c = (wfbs_codec_object *)self;
    wfbs_input in;
    options o;
    uint32_t root;
    if (options_parse(&o, args, count, names) < 0 || !make_ready(c)
        || open_verified(c, args[0], &o, &in, &root) < 0) {
        return NULL;
    }
    const wfbs_decoding d = {c->schema, in.data, (wfbs_form)o.form, in.buffer};
    PyObject *value = wfbs_decode_table(&d, c->object, root);
    Py_DECREF(in.buffer);
    return value;
}

PyObject *
wfbs_codec_verify(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    wfbs_codec_object *c = (wfbs_codec_object *)self;
    wfbs_input in;
    options o;
    uint32_t root;
    if (options_parse(&o, args, count, names) < 0
        || open_verified(c, args[0], &o, &in, &root) < 0) {
        return NULL;
    }
    Py_DECREF(in.buffer);
    Py_RETURN_NONE;
}

PyObject *
wfbs_codec_lazy(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    wfbs_codec_object *c = (wfbs_codec_object *)self;
    wfbs_input in;
    options o;
    uint32_t root;
    if (options_parse(&o, args, count, names) < 0 || !make_ready(c)
        || open_verified(c, args[0], &o, &in, &root) < 0) {
        return NULL;
    }
    PyObject *lazy = wfbs_lazy_new(c->schema, c->object, in.buffer, in.data, root);
    Py_DECREF(in.buffer);
    return lazy;
}

/* The value at a place that has been found. */
static PyObject *
place_value(wfbs_schema *s, const wfbs_place *place, const uint8_t *data)
{
    const wfbs_decoding d = {s, data, WFBS_FORM_INSTANCE, NULL};
    const wfbs_plan_field *f =
        wfbs_fields_of(&s->plan, &s->plan.objects[place->object]) + place->number;
    const wfbs_member member = {.number = place->number};
    bool present;
    switch (place->kind) {
    case WFBS_PLACE_ABSENT:
        Py_RETURN_NONE;
    case WFBS_PLACE_MEMBER:
        return wfbs_decode_struct_member(&d, f, data + place->at);
    case WFBS_PLACE_ELEMENT:
        return wfbs_decode_element(&d, f, (uint32_t)place->at, place->index);
    default:
        break;
    }
    PyObject *value =
        wfbs_decode_member(&d, s->layouts[place->object], &member, (uint32_t)place->at, &present);
    if (present) {
        return value;
    }
    return f->shape == WFBS_SHAPE_SCALAR && !(f->flags & WFBS_FIELD_OPTIONAL)
               ? wfbs_scalar_object(s, f, f->default_bits, WFBS_ENUM_MEMBERS)
               : Py_NewRef(Py_None);
}

/* Raises the KeyError for a path (borrowed) that the table doesn't have. */
static void
refuse_path(const wfbs_codec_object *c, PyObject *path)
{
    const wfbs_name *name = &c->schema->plan.objects[c->object].name;
    PyObject *table = PyUnicode_DecodeUTF8(name->data, (Py_ssize_t)name->size, "replace");
    PyObject *arguments[] = {(PyObject *)c->schema, table, path};
    PyObject *error =
        table ? wfbs_typed_help(c->schema->typed, "unknown_path", arguments, 3) : NULL;
    if (error) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    }
    Py_XDECREF(error);
    Py_XDECREF(table);
}

PyObject *
wfbs_codec_get(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    wfbs_codec_object *c = (wfbs_codec_object *)self;
    const wfbs_typed_rules rules = {&c->schema->plan, &c->limits, false};
    wfbs_verifier v;
    wfbs_place place;
    wfbs_fault fault;
    wfbs_input in;
    uint32_t root;
    Py_ssize_t size;
    if (count != 2 || !PyUnicode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "data and a path expected");
        return NULL;
    }
    const char *path = PyUnicode_AsUTF8AndSize(args[1], &size);
    if (!path || !make_ready(c) || wfbs_input_open(args[0], PyBUF_FULL_RO, &in) < 0) {
        return NULL;
    }
    PyObject *value = NULL;
    if (wfbs_typed_open(&v, &rules, in.data, in.size, NULL, &fault, &root)
        && wfbs_typed_find(&v, c->object, root, path, (size_t)size, &place)) {
        value = place_value(c->schema, &place, in.data);
    }
    else if (fault.code == WFBS_FAULT_PATH) {
        refuse_path(c, args[1]);
    }
    else if (fault.code == WFBS_FAULT_INDEX) {
        PyErr_Format(PyExc_IndexError, "%U has no element %.200R", c->name, args[1]);
    }
    else {
        wfbs_raise_fault(c->schema->typed, &fault, &c->schema->plan, c->object, true);
    }
    Py_DECREF(in.buffer);
    return value;
}

/* ---- attributes of the codec */

enum { ARGS = 1, KWARGS = 2 };

/* Names of the members that are positional arguments, keyword arguments, or both, as a tuple. */
static PyObject *
codec_get_names(PyObject *self, void *wanted)
{
    const wfbs_codec_object *c = (wfbs_codec_object *)self;
    const wfbs_plan *plan = &c->schema->plan;
    const wfbs_plan_object *object = &plan->objects[c->object];
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < object->field_count; i++) {
        const wfbs_plan_field *f = wfbs_fields_of(plan, object) + i;
        if (wfbs_is_member(f)
            && ((uintptr_t)wanted & (f->flags & WFBS_FIELD_KWARG ? KWARGS : ARGS))) {
            wfbs_names_append(&list, plan->field_names[object->fields + i]);
        }
    }
    return wfbs_names_tuple(list);
}

static PyObject *
codec_get_identifier(PyObject *self, void *Py_UNUSED(unused))
{
    wfbs_codec_object *c = (wfbs_codec_object *)self;
    const wfbs_plan *plan = &c->schema->plan;
    return plan->root == c->object && plan->identifier.size == 4
               ? PyBytes_FromStringAndSize(plan->identifier.data, 4)
               : Py_NewRef(Py_None);
}

static PyObject *
codec_default(PyObject *self, PyObject *name)
{
    wfbs_codec_object *c = (wfbs_codec_object *)self;
    const wfbs_plan *plan = &c->schema->plan;
    const wfbs_plan_object *object = &plan->objects[c->object];
    Py_ssize_t size;
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &size) : NULL;
    const uint32_t number =
        text ? wfbs_plan_find_field(plan, object, text, (size_t)size) : WFBS_NONE;
    if (number == WFBS_NONE || !wfbs_is_member(wfbs_fields_of(plan, object) + number)) {
        PyErr_SetObject(PyExc_KeyError, name);
        return NULL;
    }
    PyObject *value;
    Py_BEGIN_CRITICAL_SECTION(c->schema);
    value = wfbs_absent_value(c->schema, wfbs_fields_of(plan, object) + number);
    Py_END_CRITICAL_SECTION();
    return value;
}

/* ---- life */

PyObject *
wfbs_codec_new(wfbs_schema *schema, uint32_t object)
{
    PyTypeObject *type = schema->typed->codec_type;
    wfbs_codec_object *c = type ? (wfbs_codec_object *)type->tp_alloc(type, 0) : NULL;
    if (!c) {
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    c->schema = (wfbs_schema *)Py_NewRef(schema);
    c->object = object;
    c->limits = wfbs_default_limits;
    c->name = wfbs_name_str(schema->plan.objects[object].name);
    if (!c->name) {
        Py_CLEAR(c);
    }
    return (PyObject *)c;
}

static PyObject *
codec_limited(PyObject *self, PyObject *given)
{
    wfbs_codec_object *c = (wfbs_codec_object *)self;
    wfbs_limits limits;
    PyObject *other =
        wfbs_limits_parse(given, &limits) < 0 ? NULL : wfbs_codec_new(c->schema, c->object);
    if (other) {
        ((wfbs_codec_object *)other)->limits = limits;
    }
    return other;
}

static int
codec_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((wfbs_codec_object *)self)->schema);
    return 0;
}

static void
codec_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((wfbs_codec_object *)self)->schema);
    Py_XDECREF(((wfbs_codec_object *)self)->name);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The limits as a tuple, or None for the defaults. New reference or NULL. */
static PyObject *
limits_object(const wfbs_limits *limits)
{
    if (memcmp(limits, &wfbs_default_limits, sizeof *limits) == 0) {
        Py_RETURN_NONE;
    }
    return Py_BuildValue("(nnnn)", (Py_ssize_t)limits->max_size, (Py_ssize_t)limits->budget_minimum,
                         (Py_ssize_t)limits->budget_factor, (Py_ssize_t)limits->max_tables);
}

static PyObject *
codec_reduce(PyObject *self, PyObject *Py_UNUSED(unused))
{
    wfbs_codec_object *c = (wfbs_codec_object *)self;
    PyObject *limits = limits_object(&c->limits);
    PyObject *arguments[] = {(PyObject *)c->schema, c->name, limits};
    PyObject *reduced =
        limits ? wfbs_typed_help(c->schema->typed, "reduce_codec", arguments, 3) : NULL;
    Py_XDECREF(limits);
    return reduced;
}

static PyMethodDef codec_methods[] = {
    {"encode", FAST(wfbs_codec_encode), "Encodes an instance or a mapping."},
    {"decode", FAST(wfbs_codec_decode), "Decodes a buffer to an instance or a dict."},
    {"verify", FAST(wfbs_codec_verify), "Raises InvalidPayload if a buffer is invalid."},
    {"lazy", FAST(wfbs_codec_lazy), "The root table, whose fields are read on demand."},
    {"check", codec_check, METH_O, "Raises the same errors as encode()."},
    {"get", (PyCFunction)(void (*)(void))wfbs_codec_get, METH_FASTCALL, "One value by its path."},
    {"limited", codec_limited, METH_O, "The same codec with other limits: a Limits."},
    {"default", codec_default, METH_O, "The value of an absent field."},
    {"__reduce__", codec_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef codec_getset[] = {
    {"fields", codec_get_names, NULL, "Names of the fields, by id.",
     (void *)(uintptr_t)(ARGS | KWARGS)},
    {"args", codec_get_names, NULL, "Those that are positional arguments.",
     (void *)(uintptr_t)ARGS},
    {"kwargs", codec_get_names, NULL, "Those that are keyword arguments.",
     (void *)(uintptr_t)KWARGS},
    {"identifier", codec_get_identifier, NULL, "The file identifier of a root table.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef codec_members[] = {
    {"name", T_OBJECT, offsetof(wfbs_codec_object, name), READONLY, "The table's name."},
    {"schema", T_OBJECT, offsetof(wfbs_codec_object, schema), READONLY, "Its schema."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot codec_slots[] = {
    {Py_tp_doc, "One table of a schema as the root of buffers."},
    {Py_tp_dealloc, codec_dealloc},
    {Py_tp_traverse, codec_traverse},
    {Py_tp_methods, codec_methods},
    {Py_tp_getset, codec_getset},
    {Py_tp_members, codec_members},
    {0, NULL},
};

PyType_Spec wfbs_typed_codec_spec = {
    .name = "autobahn_fbs._cpython.TypedCodec",
    .basicsize = sizeof(wfbs_codec_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
             | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = codec_slots,
};
