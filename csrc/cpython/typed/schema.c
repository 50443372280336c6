/* TypedSchema: a .bfbs, its plan, and objects created from it on demand. */
#include "typed.h"

#include <stddef.h>
#include <structmember.h>

#include "../base/type_name.h"

/* ---- life */

static int
schema_traverse(PyObject *self, visitproc visit, void *arg)
{
    wfbs_schema *s = (wfbs_schema *)self;
    Py_VISIT(Py_TYPE(self));
    for (uint32_t i = 0; s->layouts && i < s->plan.object_count; i++) {
        const wfbs_layout *layout = s->layouts[i];
        Py_VISIT(s->codecs[i]);
        if (layout) {
            Py_VISIT(layout->type);
        }
        for (uint32_t k = 0; layout && k < layout->count; k++) {
            Py_VISIT(layout->members[k].absent); /* can be a member of one of the enums */
        }
    }
    for (uint32_t i = 0; s->enums && i < s->plan.enum_count; i++) {
        Py_VISIT(s->enums[i].type);
        for (uint32_t k = 0; s->enums[i].values && k < s->plan.enums[i].value_count; k++) {
            Py_VISIT(s->enums[i].values[k]);
        }
    }
    return 0;
}

/* Breaks the cycle with the codecs. The cycle with the classes is broken on their side, because
 * existing instances still need the layouts. */
static int
schema_clear(PyObject *self)
{
    wfbs_schema *s = (wfbs_schema *)self;
    for (uint32_t i = 0; s->codecs && i < s->plan.object_count; i++) {
        Py_CLEAR(s->codecs[i]);
    }
    return 0;
}

static void
schema_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    wfbs_schema *s = (wfbs_schema *)self;
    PyObject_GC_UnTrack(self);
    if (s->weakrefs) {
        PyObject_ClearWeakRefs(self);
    }
    schema_clear(self);
    for (uint32_t i = 0; s->layouts && i < s->plan.object_count; i++) {
        wfbs_layout_free(s->layouts[i]);
    }
    for (uint32_t i = 0; s->enums && i < s->plan.enum_count; i++) {
        wfbs_enum_free(&s->enums[i], s->plan.enums[i].value_count);
    }
    PyMem_Free(s->layouts);
    PyMem_Free(s->codecs);
    PyMem_Free(s->enums);
    PyMem_Free(s->memory);
    Py_XDECREF(s->data);
    type->tp_free(self);
    Py_DECREF(type);
}

/* Compiles the plan. 0 or -1. */
static int
schema_load(wfbs_schema *s, bool words_in_memory_order)
{
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(s->data);
    const size_t size = (size_t)PyBytes_GET_SIZE(s->data);
    wfbs_plan plan;
    wfbs_fault fault;
    const size_t room = wfbs_plan_measure(data, size, &fault);
    s->memory = room ? PyMem_Malloc(room) : NULL;
    if (room && !s->memory) {
        PyErr_NoMemory();
        return -1;
    }
    if (!room || !wfbs_plan_load(data, size, words_in_memory_order, s->memory, &plan, &fault)) {
        wfbs_raise_fault(s->typed, &fault, &wfbs_reflection, WFBS_REFLECTION_SCHEMA, true);
        return -1;
    }
    s->layouts = PyMem_Calloc(plan.object_count + 1, sizeof *s->layouts);
    s->codecs = PyMem_Calloc(plan.object_count + 1, sizeof *s->codecs);
    s->enums = PyMem_Calloc(plan.enum_count + 1, sizeof *s->enums);
    if (!s->layouts || !s->codecs || !s->enums) {
        PyErr_NoMemory();
        return -1;
    }
    s->plan = plan;
    return 0;
}

static PyObject *
schema_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", "words", NULL};
    PyObject *data;
    const char *words = "rfc";
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$s:TypedSchema", names, &data, &words)) {
        return NULL;
    }
    const bool memory = strcmp(words, "memory") == 0;
    if (!memory && strcmp(words, "rfc") != 0) {
        return PyErr_Format(PyExc_ValueError, "words must be 'rfc' or 'memory', not '%.100s'",
                            words);
    }
    wfbs_schema *s = (wfbs_schema *)type->tp_alloc(type, 0);
    if (!s) {
        return NULL;
    }
    s->typed = wfbs_typed_of(type);
    if (!s->typed) {
        Py_DECREF(s);
        return NULL;
    }
    s->data = PyBytes_CheckExact(data) ? Py_NewRef(data) : PyBytes_FromObject(data);
    if (!s->data || schema_load(s, memory) < 0) {
        Py_CLEAR(s);
    }
    return (PyObject *)s;
}

/* ---- descriptions */

/* Names of the structs, or of the tables if `structs` is NULL, as a tuple. */
static PyObject *
schema_get_objects(PyObject *self, void *structs)
{
    const wfbs_plan *plan = &((wfbs_schema *)self)->plan;
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < plan->object_count; i++) {
        if (plan->objects[i].is_struct == (structs != NULL)) {
            wfbs_names_append(&list, plan->objects[i].name);
        }
    }
    return wfbs_names_tuple(list);
}

static PyObject *
schema_get_enums(PyObject *self, void *Py_UNUSED(unused))
{
    const wfbs_plan *plan = &((wfbs_schema *)self)->plan;
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < plan->enum_count; i++) {
        wfbs_names_append(&list, plan->enums[i].name);
    }
    return wfbs_names_tuple(list);
}

/* The reason why an object is refused: a new str. */
static PyObject *
refusal_of(const wfbs_plan *plan, const wfbs_plan_object *object)
{
    const char *text = wfbs_refusal_text((wfbs_refusal)object->refused);
    if (object->refused_by == WFBS_NONE) {
        return PyUnicode_FromString(text);
    }
    PyObject *field = wfbs_name_str(plan->field_names[object->fields + object->refused_by]);
    PyObject *reason = field ? PyUnicode_FromFormat("field %U: %s", field, text) : NULL;
    Py_XDECREF(field);
    return reason;
}

static PyObject *
schema_get_refused(PyObject *self, void *Py_UNUSED(unused))
{
    const wfbs_plan *plan = &((wfbs_schema *)self)->plan;
    PyObject *dict = PyDict_New();
    for (uint32_t i = 0; dict && i < plan->object_count; i++) {
        if (!plan->objects[i].refused) {
            continue;
        }
        PyObject *name = wfbs_name_str(plan->objects[i].name);
        PyObject *reason = name ? refusal_of(plan, &plan->objects[i]) : NULL;
        if (!reason || PyDict_SetItem(dict, name, reason) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(reason);
        Py_XDECREF(name);
    }
    return dict;
}

static PyObject *
schema_get_root(PyObject *self, void *Py_UNUSED(unused))
{
    const wfbs_plan *plan = &((wfbs_schema *)self)->plan;
    return plan->root == WFBS_NONE ? Py_NewRef(Py_None)
                                   : wfbs_name_str(plan->objects[plan->root].name);
}

static PyObject *
schema_get_identifier(PyObject *self, void *Py_UNUSED(unused))
{
    const wfbs_plan *plan = &((wfbs_schema *)self)->plan;
    return plan->identifier.size == 4 ? PyBytes_FromStringAndSize(plan->identifier.data, 4)
                                      : Py_NewRef(Py_None);
}

static PyObject *
schema_get_words(PyObject *self, void *Py_UNUSED(unused))
{
    return PyUnicode_FromString(((wfbs_schema *)self)->plan.words_in_memory_order ? "memory"
                                                                                  : "rfc");
}

/* ---- its types */

/* The usable object with a name. WFBS_NONE with KeyError or InvalidPayload. */
static uint32_t
usable_object(wfbs_schema *s, PyObject *name)
{
    Py_ssize_t size;
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &size) : NULL;
    const uint32_t found = text ? wfbs_plan_find_object(&s->plan, text, (size_t)size) : WFBS_NONE;
    if (found == WFBS_NONE) {
        if (!PyErr_Occurred()) {
            PyErr_SetObject(PyExc_KeyError, name);
        }
        return WFBS_NONE;
    }
    const wfbs_plan_object *object = &s->plan.objects[found];
    if (object->refused) {
        wfbs_fault fault;
        wfbs_fault_init(&fault);
        wfbs_refuse_value(&fault, "%s", wfbs_refusal_text((wfbs_refusal)object->refused));
        if (object->refused_by != WFBS_NONE) {
            wfbs_fault_step(&fault, found, object->refused_by);
        }
        wfbs_raise_fault(s->typed, &fault, &s->plan, found, false);
        return WFBS_NONE;
    }
    return found;
}

static PyObject *
schema_codec(PyObject *self, PyObject *name)
{
    wfbs_schema *s = (wfbs_schema *)self;
    const uint32_t object = usable_object(s, name);
    if (object == WFBS_NONE) {
        return NULL;
    }
    if (s->plan.objects[object].is_struct) {
        return PyErr_Format(PyExc_KeyError, "%U is a struct", name);
    }
    PyObject *codec = NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (!s->codecs[object]) {
        codec = wfbs_codec_new(s, object);
        if (codec && !s->codecs[object]) {
            s->codecs[object] = Py_NewRef(codec);
        }
        Py_XDECREF(codec);
    }
    codec = Py_XNewRef(s->codecs[object]);
    Py_END_CRITICAL_SECTION();
    return codec;
}

static PyObject *
schema_type(PyObject *self, PyObject *name)
{
    wfbs_schema *s = (wfbs_schema *)self;
    Py_ssize_t size;
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &size) : NULL;
    const uint32_t index = text ? wfbs_plan_find_enum(&s->plan, text, (size_t)size) : WFBS_NONE;
    PyObject *type = NULL;
    if (index != WFBS_NONE) {
        Py_BEGIN_CRITICAL_SECTION(self);
        wfbs_enum_objects *objects = wfbs_enum_of(s, index);
        type = objects ? Py_NewRef(objects->type) : NULL;
        Py_END_CRITICAL_SECTION();
        return type;
    }
    const uint32_t object = PyErr_Occurred() ? WFBS_NONE : usable_object(s, name);
    if (object == WFBS_NONE) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(self);
    if (wfbs_layout_closure(s, object) == 0) {
        type = Py_NewRef(s->layouts[object]->type);
    }
    Py_END_CRITICAL_SECTION();
    return type;
}

static PyObject *
schema_bind(PyObject *self, PyObject *args)
{
    PyObject *name, *type;
    wfbs_schema *s = (wfbs_schema *)self;
    if (!PyArg_ParseTuple(args, "UO!:bind", &name, &PyType_Type, &type)) {
        return NULL;
    }
    const uint32_t object = usable_object(s, name);
    if (object == WFBS_NONE) {
        return NULL;
    }
    int failed;
    Py_BEGIN_CRITICAL_SECTION(self);
    failed = wfbs_layout_bind(s, object, (PyTypeObject *)type);
    Py_END_CRITICAL_SECTION();
    return failed ? NULL : Py_NewRef(Py_None);
}

/* A value of a table or struct as a nested dict without None: the dict that its bytes would decode
 * to. New reference or NULL. */
static PyObject *
dict_of(wfbs_schema *schema, uint32_t object, PyObject *value)
{
    const wfbs_plan_object *of = &schema->plan.objects[object];
    if (of->is_struct) {
        return wfbs_struct_dict(schema, object, value);
    }
    const wfbs_encode_options how = {0};
    PyObject *bytes = wfbs_encode_root(schema, object, value, &how);
    if (!bytes) {
        return NULL;
    }
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(bytes);
    const wfbs_decoding d = {schema, data, WFBS_FORM_FULL, NULL};
    PyObject *dict = wfbs_decode_table(&d, object, wfbs_load_u32(data));
    Py_DECREF(bytes);
    return dict;
}

static PyObject *
schema_to_dict(PyObject *self, PyObject *value)
{
    wfbs_schema *s = (wfbs_schema *)self;
    wfbs_typed_class *c = wfbs_class_of(Py_TYPE(value));
    if (!c || c->schema != s || !c->layout) {
        return PyErr_Format(PyExc_TypeError, "an instance of this schema expected, got %.200s",
                            wfbs_type_name(Py_TYPE(value)));
    }
    const uint32_t object = c->layout->object;
    int failed;
    Py_BEGIN_CRITICAL_SECTION(self);
    failed = wfbs_layout_closure(s, object);
    Py_END_CRITICAL_SECTION();
    return failed ? NULL : dict_of(s, object, value);
}

static PyObject *
schema_reduce(PyObject *self, PyObject *Py_UNUSED(unused))
{
    wfbs_schema *s = (wfbs_schema *)self;
    PyObject *words = schema_get_words(self, NULL);
    PyObject *arguments[] = {s->data, words};
    PyObject *reduced = words ? wfbs_typed_help(s->typed, "reduce_schema", arguments, 2) : NULL;
    Py_XDECREF(words);
    return reduced;
}

static PyObject *
schema_itself(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return Py_NewRef(self);
}

static PyObject *
schema_repr(PyObject *self)
{
    const wfbs_plan *plan = &((wfbs_schema *)self)->plan;
    return PyUnicode_FromFormat("<TypedSchema of %u tables and structs, %u enums and unions>",
                                plan->object_count, plan->enum_count);
}

static PyObject *
schema_describe(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return wfbs_schema_describe((wfbs_schema *)self);
}

static PyMethodDef schema_methods[] = {
    {"codec", schema_codec, METH_O, "The TypedCodec of a table."},
    {"type", schema_type, METH_O, "The class of a table, struct, enum or union."},
    {"bind", schema_bind, METH_VARARGS, "Binds a class to a table or struct."},
    {"to_dict", schema_to_dict, METH_O, "The result of TypedTable.to_dict() for an instance."},
    {"describe", schema_describe, METH_NOARGS,
     "The file in the terms of reflection.fbs, as dicts."},
    {"__reduce__", schema_reduce, METH_NOARGS, NULL},
    {"__copy__", schema_itself, METH_NOARGS, NULL},
    {"__deepcopy__", schema_itself, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef schema_getset[] = {
    {"tables", schema_get_objects, NULL, "Names of the tables.", NULL},
    {"structs", schema_get_objects, NULL, "Names of the structs.", (void *)1},
    {"enums", schema_get_enums, NULL, "Names of the enums and unions.", NULL},
    {"refused", schema_get_refused, NULL,
     "The reasons why tables and structs can't be used, by name.", NULL},
    {"root", schema_get_root, NULL, "Name of the root table, or None.", NULL},
    {"identifier", schema_get_identifier, NULL, "The file identifier, or None.", NULL},
    {"words", schema_get_words, NULL, "The order of the words of uint128_t and similar structs.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef schema_members[] = {
    {"data", T_OBJECT, offsetof(wfbs_schema, data), READONLY, "The .bfbs."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(wfbs_schema, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot schema_slots[] = {
    {Py_tp_doc, "A .bfbs, verified and compiled."},
    {Py_tp_new, schema_new},
    {Py_tp_dealloc, schema_dealloc},
    {Py_tp_traverse, schema_traverse},
    {Py_tp_clear, schema_clear},
    {Py_tp_repr, schema_repr},
    {Py_tp_methods, schema_methods},
    {Py_tp_getset, schema_getset},
    {Py_tp_members, schema_members},
    {0, NULL},
};

PyType_Spec wfbs_typed_schema_spec = {
    .name = "autobahn_fbs._cpython.TypedSchema",
    .basicsize = sizeof(wfbs_schema),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = schema_slots,
};
