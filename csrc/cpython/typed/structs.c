/* Reads values from instances, mappings and sequences; encodes structs and texts. */
#include "typed.h"

#include "../base/dict.h"
#include "../base/utf8.h"

/* Determines how `value` represents the object. False with the fault filled or an exception. */
bool
wfbs_source_open(wfbs_encoding *e, uint32_t object, PyObject *value, bool sequences, wfbs_source *s)
{
    const wfbs_layout *layout = e->schema->layouts[object];
    PyTypeObject *type = Py_TYPE(value);
    s->layout = layout;
    s->found = 0;
    s->value = NULL;
    if (type == layout->type || PyObject_TypeCheck(value, layout->type)) {
        /* A subclass has the slots at the same offsets. */
        s->kind = layout->kind == WFBS_CLASS_CALLED ? WFBS_FROM_ATTRIBUTES : WFBS_FROM_SLOTS;
        s->value = Py_NewRef(value);
        return true;
    }
    if (PyDict_CheckExact(value)) {
        s->kind = WFBS_FROM_DICT;
        s->value = Py_NewRef(value);
        return true;
    }
    if (sequences && (PyTuple_Check(value) || PyList_Check(value))) {
        s->kind = WFBS_FROM_SEQUENCE;
        s->value = PySequence_Tuple(value);
        if (s->value && PyTuple_GET_SIZE(s->value) != (Py_ssize_t)layout->count) {
            const Py_ssize_t got = PyTuple_GET_SIZE(s->value);
            Py_CLEAR(s->value);
            return wfbs_refuse_value(e->fault, "%u values expected, got %zd", layout->count, got);
        }
        return s->value != NULL;
    }
    if (!wfbs_class_of(type) && PyObject_HasAttrString(value, "keys")) {
        s->kind = WFBS_FROM_DICT;
        s->value = PyDict_New();
        if (s->value && PyDict_Update(s->value, value) < 0) {
            Py_CLEAR(s->value);
        }
        return s->value != NULL;
    }
    const wfbs_name name = e->schema->plan.objects[object].name;
    char expected[128];
    PyOS_snprintf(expected, sizeof expected, "%.*s, or a mapping,", (int)name.size, name.data);
    return wfbs_refuse_type(e->fault, expected, value);
}

/* One member's value: sets *out to a new reference, or to NULL if it isn't given. */
bool
wfbs_source_get(wfbs_source *s, uint32_t i, PyObject **out)
{
    const wfbs_member *m = &s->layout->members[i];
    *out = NULL;
    switch (s->kind) {
    case WFBS_FROM_SLOTS:
        Py_BEGIN_CRITICAL_SECTION(s->value);
        *out = Py_XNewRef(*wfbs_member_of(s->value, m));
        Py_END_CRITICAL_SECTION();
        return true;
    case WFBS_FROM_SEQUENCE:
        *out = Py_NewRef(PyTuple_GET_ITEM(s->value, i));
        return true;
    case WFBS_FROM_ATTRIBUTES:
        *out = PyObject_GetAttr(s->value, m->name);
        return *out != NULL;
    default:
        *out = wfbs_dict_find(s->value, m->wire);
        s->found += *out != NULL;
        return *out || !PyErr_Occurred();
    }
}

/* Whether a mapping's key is the name of a member or of a union's type. Runs Python code if the
 * key's class is derived from str; clears exceptions. */
static bool
is_known_key(const wfbs_layout *layout, PyObject *key)
{
    bool known = PyUnicode_Check(key) && PyDict_Contains(layout->by_name, key) == 1;
    for (uint32_t i = 0; !known && i < layout->count; i++) {
        PyObject *tag = layout->members[i].tag;
        known = tag && PyUnicode_Check(key) && PyUnicode_Compare(tag, key) == 0;
    }
    PyErr_Clear();
    return known;
}

/* Refuses a key (borrowed) that is neither: fills the fault, or sets an exception. */
static void
refuse_key(wfbs_encoding *e, const wfbs_layout *layout, PyObject *key)
{
    PyObject *known = PyDict_Keys(layout->by_name);
    for (uint32_t i = 0; known && i < layout->count; i++) {
        PyObject *tag = layout->members[i].tag;
        if (tag && PyList_Append(known, tag) < 0) {
            Py_CLEAR(known);
        }
    }
    if (known) {
        PyObject *arguments[] = {key, known};
        wfbs_refuse_named(e, "no_field", arguments, 2);
        Py_DECREF(known);
    }
}

bool
wfbs_source_misspelled(wfbs_encoding *e, const wfbs_source *s)
{
    if (s->kind != WFBS_FROM_DICT) {
        return false;
    }
    PyObject *keys = PyDict_Keys(s->value); /* Python code of the keys can change the dict */
    bool found = !keys;
    for (Py_ssize_t i = 0; !found && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i);
        found = !is_known_key(s->layout, key);
        if (found) {
            refuse_key(e, s->layout, key);
        }
    }
    Py_XDECREF(keys);
    return found;
}

/* Refuses a mapping with a key that isn't a field. */
bool
wfbs_source_close(wfbs_encoding *e, wfbs_source *s)
{
    bool good = true;
    if (s->kind == WFBS_FROM_DICT && PyDict_GET_SIZE(s->value) != s->found) {
        good = !wfbs_source_misspelled(e, s)
               && wfbs_refuse_value(e->fault, "keys changed while it was encoded");
    }
    Py_DECREF(s->value);
    return good;
}

/* ---- structs */

/* The elements of an array in a struct. */
static bool
encode_array(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *value, size_t place)
{
    if (PyUnicode_Check(value) || PyDict_Check(value) || !PySequence_Check(value)) {
        return wfbs_refuse_type(e->fault, "list", value);
    }
    PyObject *items = PySequence_Tuple(value);
    if (!items) {
        return false;
    }
    const Py_ssize_t count = PyTuple_GET_SIZE(items);
    bool good =
        count == f->fixed_length
        || wfbs_refuse_value(e->fault, "%u values expected, got %zd", f->fixed_length, count);
    for (Py_ssize_t i = 0; good && i < count; i++, place += f->stride) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        uint64_t bits;
        if (f->element == WFBS_SHAPE_STRUCT) {
            good = wfbs_encode_struct(e, f->index, item, place);
        }
        else {
            good = wfbs_scalar_bits(e, f, item, &bits);
            if (good) {
                wfbs_store_bits(e->builder.memory + place, bits, f->stride);
            }
        }
        if (!good) {
            e->fault->element = (uint32_t)i;
        }
    }
    Py_DECREF(items);
    return good;
}

/* A struct that is field `f` or an element of it: words can be given as a single value. */
bool
wfbs_encode_struct_field(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *value, size_t place)
{
    const wfbs_plan_object *object = &e->schema->plan.objects[f->index];
    if (object->words) {
        uint8_t bytes[32];
        const int got = wfbs_words_bytes(e, f, object, value, bytes);
        if (got > 0) {
            memcpy(e->builder.memory + place, bytes, object->words);
        }
        if (got) {
            return got > 0;
        }
    }
    return wfbs_encode_struct(e, f->index, value, place);
}

static bool
encode_struct_member(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *value, size_t place)
{
    uint64_t bits;
    switch (f->shape) {
    case WFBS_SHAPE_SCALAR:
        if (!wfbs_scalar_bits(e, f, value, &bits)) {
            return false;
        }
        wfbs_store_bits(e->builder.memory + place + f->offset, bits, f->size);
        return true;
    case WFBS_SHAPE_STRUCT:
        return wfbs_encode_struct_field(e, f, value, place + f->offset);
    default:
        return encode_array(e, f, value, place + f->offset);
    }
}

bool
wfbs_encode_struct(wfbs_encoding *e, uint32_t object, PyObject *value, size_t place)
{
    const wfbs_plan *plan = &e->schema->plan;
    const wfbs_plan_field *fields = wfbs_fields_of(plan, &plan->objects[object]);
    wfbs_source s;
    bool good = true;
    if (!wfbs_source_open(e, object, value, true, &s)) {
        return false;
    }
    for (uint32_t i = 0; good && i < s.layout->count; i++) {
        const uint32_t number = s.layout->members[i].number;
        PyObject *item;
        good = wfbs_source_get(&s, i, &item);
        if (good && !item && wfbs_source_misspelled(e, &s)) {
            good = false; /* with the place of the struct, not of the member */
            break;
        }
        good = good
               && ((item && item != Py_None) || wfbs_refuse_value(e->fault, "missing in a struct"))
               && encode_struct_member(e, &fields[number], item, place);
        Py_XDECREF(item);
        if (!good) {
            wfbs_fault_step(e->fault, object, number);
        }
    }
    if (!good) {
        Py_DECREF(s.value);
        return false;
    }
    return wfbs_source_close(e, &s);
}

/* ---- texts */

uint32_t
wfbs_encode_text(wfbs_encoding *e, uint8_t demand, PyObject *value)
{
    uint8_t *to;
    size_t size;
    if (!PyUnicode_Check(value)) {
        return wfbs_refuse_type(e->fault, "str", value);
    }
    if (PyUnicode_IS_COMPACT_ASCII(value)) {
        size = (size_t)PyUnicode_GET_LENGTH(value);
        to = wfbs_build_string(&e->builder, size);
        if (to) {
            memcpy(to, PyUnicode_1BYTE_DATA(value), size);
        }
    }
    else {
        size = wfbs_utf8_size(value);
        if (size == SIZE_MAX) {
            return wfbs_refuse_value(e->fault, "str has a surrogate");
        }
        to = wfbs_build_string(&e->builder, size);
        if (to) {
            wfbs_utf8_put(to, value);
        }
    }
    if (!to) {
        return wfbs_refuse_room(e);
    }
    if (demand && !wfbs_demand_text((wfbs_demand)demand, to, size)) {
        e->fault->code = WFBS_FAULT_DEMAND;
        e->fault->demand = (wfbs_demand)demand;
        e->fault->got = UINT64_MAX;
        return 0;
    }
    return (uint32_t)e->builder.used;
}
