/* Verified bytes to instances or dicts. */
#include "typed.h"

#include "../base/list.h"

static PyObject *decode_fields(const wfbs_decoding *d, const wfbs_layout *layout, uint32_t table);

static inline bool
is_plain(const wfbs_decoding *d)
{
    return d->form == WFBS_FORM_PRESENT || d->form == WFBS_FORM_FULL;
}

static inline wfbs_enum_form
enum_form(const wfbs_decoding *d)
{
    return is_plain(d) ? WFBS_ENUM_NAMES : WFBS_ENUM_MEMBERS;
}

/* Stores the values of a struct or table in the slots of a new instance. */
static PyObject *
fill_slots(const wfbs_layout *layout, PyObject *const *values)
{
    PyObject *self = layout->type->tp_alloc(layout->type, 0);
    for (uint32_t i = 0; i < layout->count; i++) {
        if (self) {
            PyObject **slot = wfbs_member_of(self, &layout->members[i]);
            Py_XSETREF(*slot, values[i]);
        }
        else {
            Py_DECREF(values[i]);
        }
    }
    return self;
}

/* An instance of a user's class from all values (stolen). */
static PyObject *
make_instance(const wfbs_layout *layout, PyObject **values)
{
    PyObject *self = NULL;
    if (layout->kind == WFBS_CLASS_SLOTS) {
        return fill_slots(layout, values);
    }
    PyObject *names = PyTuple_New(layout->count);
    for (uint32_t i = 0; names && i < layout->count; i++) {
        PyTuple_SET_ITEM(names, i, Py_NewRef(layout->members[i].name));
    }
    if (names) {
        self = PyObject_Vectorcall((PyObject *)layout->type, values, 0, names);
        Py_DECREF(names);
    }
    for (uint32_t i = 0; i < layout->count; i++) {
        Py_DECREF(values[i]);
    }
    return self;
}

/* ---- arrays, vectors, unions */

/* The elements of an array in a struct. */
static PyObject *
decode_array(const wfbs_decoding *d, const wfbs_plan_field *f, const uint8_t *from)
{
    if (f->flags & WFBS_FIELD_BYTES) {
        return PyBytes_FromStringAndSize((const char *)from, f->fixed_length);
    }
    PyObject *list = PyList_New(f->fixed_length);
    for (uint32_t i = 0; list && i < f->fixed_length; i++, from += f->stride) {
        PyObject *element =
            f->element == WFBS_SHAPE_STRUCT
                ? wfbs_decode_struct(d, f->index, from)
                : wfbs_scalar_object(d->schema, f, wfbs_walk_bits(from, f->scalar), enum_form(d));
        wfbs_list_fill(&list, i, element);
    }
    return list;
}

/* A struct that is a field or an element. Words with an attribute are a single value. */
static PyObject *
decode_struct_field(const wfbs_decoding *d, const wfbs_plan_field *f, const uint8_t *from)
{
    if (f->demand != WFBS_DEMAND_NONE) {
        PyObject *value =
            wfbs_words_object(d->schema, f, &d->schema->plan.objects[f->index], from, is_plain(d));
        if (value != Py_NotImplemented) {
            return value;
        }
        Py_DECREF(value);
    }
    return wfbs_decode_struct(d, f->index, from);
}

PyObject *
wfbs_decode_element(const wfbs_decoding *d, const wfbs_plan_field *f, uint32_t elements, uint32_t i)
{
    const uint32_t at = elements + i * f->stride;
    switch (f->element) {
    case WFBS_SHAPE_SCALAR:
        return wfbs_scalar_object(d->schema, f, wfbs_walk_bits(d->data + at, f->scalar),
                                  enum_form(d));
    case WFBS_SHAPE_STRUCT:
        return decode_struct_field(d, f, d->data + at);
    case WFBS_SHAPE_TABLE:
        return wfbs_decode_table(d, f->index, wfbs_follow(d->data, at));
    default:
        return wfbs_text_at(d->data, at);
    }
}

static PyObject *
decode_vector(const wfbs_decoding *d, const wfbs_plan_field *f, uint32_t at)
{
    uint32_t count;
    const uint32_t elements = wfbs_walk_vector(d->data, at, &count);
    if (f->flags & WFBS_FIELD_BYTES) {
        return PyBytes_FromStringAndSize((const char *)d->data + elements, (Py_ssize_t)count);
    }
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (uint32_t i = 0; list && i < count; i++) {
        wfbs_list_fill(&list, (Py_ssize_t)i, wfbs_decode_element(d, f, elements, i));
    }
    return list;
}

/* A union's member whose offset is at `at`. None for a member that this schema doesn't have. */
static PyObject *
decode_union(const wfbs_decoding *d, uint32_t index, uint8_t tag, uint32_t at)
{
    const wfbs_plan *plan = &d->schema->plan;
    const wfbs_plan_enum *type = &plan->enums[index];
    const uint32_t number = wfbs_plan_find_value(plan, type, tag);
    if (number == WFBS_NONE || !tag) {
        return Py_NewRef(Py_None);
    }
    const wfbs_plan_value *member = &plan->values[type->values + number];
    PyObject *value;
    if (member->shape == WFBS_SHAPE_STRING) {
        value = wfbs_text_at(d->data, at);
    }
    else if (member->shape == WFBS_SHAPE_STRUCT) {
        value = wfbs_decode_struct(d, member->index, d->data + wfbs_follow(d->data, at));
    }
    else {
        value = wfbs_decode_table(d, member->index, wfbs_follow(d->data, at));
    }
    if (value && type->is_ambiguous && !is_plain(d)) {
        PyObject *named =
            wfbs_union_new(d->schema->typed, d->schema->enums[index].names[number], value);
        Py_DECREF(value);
        return named;
    }
    return value;
}

static PyObject *
decode_unions(const wfbs_decoding *d, const wfbs_plan_field *f, uint32_t tags, uint32_t values)
{
    uint32_t count;
    const uint32_t tag_at = wfbs_walk_vector(d->data, tags, &count);
    const uint32_t value_at = wfbs_walk_vector(d->data, values, &count);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (uint32_t i = 0; list && i < count; i++) {
        wfbs_list_fill(&list, (Py_ssize_t)i,
                       decode_union(d, f->index, d->data[tag_at + i], value_at + 4 * i));
    }
    return list;
}

/* ---- members and tables */

PyObject *
wfbs_decode_member(const wfbs_decoding *d, const wfbs_layout *layout, const wfbs_member *member,
                   uint32_t table, bool *present)
{
    const wfbs_plan *plan = &d->schema->plan;
    const wfbs_plan_field *f =
        wfbs_fields_of(plan, &plan->objects[layout->object]) + member->number;
    const uint32_t at = wfbs_walk_slot(d->data, table, f);
    *present = at != 0;
    if (!at) {
        return NULL;
    }
    switch (f->shape) {
    case WFBS_SHAPE_SCALAR:
        return wfbs_scalar_object(d->schema, f, wfbs_walk_bits(d->data + at, f->scalar),
                                  enum_form(d));
    case WFBS_SHAPE_STRING:
        return wfbs_text_at(d->data, at);
    case WFBS_SHAPE_STRUCT:
        return decode_struct_field(d, f, d->data + at);
    case WFBS_SHAPE_TABLE:
        return wfbs_decode_table(d, f->index, wfbs_follow(d->data, at));
    case WFBS_SHAPE_UNION: {
        const uint32_t tag = wfbs_walk_slot(d->data, table, f - 1);
        *present = tag && d->data[tag]
                   && wfbs_plan_find_value(plan, &plan->enums[f->index], d->data[tag]) != WFBS_NONE;
        return *present ? decode_union(d, f->index, d->data[tag], at) : NULL;
    }
    default:
        if (f->element == WFBS_SHAPE_UNION) {
            return decode_unions(d, f, wfbs_walk_slot(d->data, table, f - 1), at);
        }
        return decode_vector(d, f, at);
    }
}

/* The name of a union's member, or the names of many, for a dict. The union is present. */
static PyObject *
decode_tag(const wfbs_decoding *d, const wfbs_plan_field *f, uint32_t table)
{
    const uint32_t at = wfbs_walk_slot(d->data, table, f - 1);
    if (f->shape == WFBS_SHAPE_VECTOR) {
        return decode_vector(d, f - 1, at);
    }
    return wfbs_scalar_object(d->schema, f - 1, d->data[at], WFBS_ENUM_NAMES);
}

/* A dict of the members that are present; the full form also has defaults. */
static PyObject *
decode_dict(const wfbs_decoding *d, const wfbs_layout *layout, uint32_t table)
{
    const wfbs_plan *plan = &d->schema->plan;
    const wfbs_plan_field *fields = wfbs_fields_of(plan, &plan->objects[layout->object]);
    PyObject *dict = PyDict_New();
    for (uint32_t i = 0; dict && i < layout->count; i++) {
        const wfbs_member *m = &layout->members[i];
        bool present;
        PyObject *value = wfbs_decode_member(d, layout, m, table, &present);
        if (!present) {
            const wfbs_plan_field *f = &fields[m->number];
            if (d->form != WFBS_FORM_FULL || m->absent == Py_None) {
                continue;
            }
            value = f->shape == WFBS_SHAPE_SCALAR && f->index != WFBS_NONE
                        ? wfbs_scalar_object(d->schema, f, f->default_bits, enum_form(d))
                        : Py_NewRef(m->absent);
        }
        PyObject *tag = NULL;
        if (value && present && m->tag && is_plain(d)) {
            tag = decode_tag(d, &fields[m->number], table);
            if (!tag || PyDict_SetItem(dict, m->tag, tag) < 0) {
                Py_CLEAR(value);
            }
            Py_XDECREF(tag);
        }
        if (!value || PyDict_SetItem(dict, m->wire, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    return dict;
}

/* An instance with all members. Absent ones get their default. */
static PyObject *
decode_fields(const wfbs_decoding *d, const wfbs_layout *layout, uint32_t table)
{
    PyObject *self = wfbs_instance_new(layout->type);
    bool holds = false;
    for (uint32_t i = 0; self && i < layout->count; i++) {
        const wfbs_member *m = &layout->members[i];
        bool present;
        PyObject *value = wfbs_decode_member(d, layout, m, table, &present);
        if (!present) {
            value = Py_NewRef(m->absent);
        }
        if (!value) {
            Py_CLEAR(self);
            break;
        }
        holds |= PyObject_IS_GC(value) != 0;
        *wfbs_member_of(self, m) = value;
    }
    if (self) {
        wfbs_instance_finish(self, holds);
    }
    return self;
}

/* The same for a user's class. */
static PyObject *
decode_bound(const wfbs_decoding *d, const wfbs_layout *layout, uint32_t table)
{
    PyObject **values = PyMem_Calloc(layout->count + 1, sizeof *values);
    uint32_t i;
    if (!values) {
        return PyErr_NoMemory();
    }
    for (i = 0; i < layout->count; i++) {
        const wfbs_member *m = &layout->members[i];
        bool present;
        values[i] = wfbs_decode_member(d, layout, m, table, &present);
        if (!present) {
            values[i] = Py_NewRef(m->absent);
        }
        if (!values[i]) {
            break;
        }
    }
    PyObject *self = i == layout->count ? make_instance(layout, values) : NULL;
    while (i < layout->count && i-- > 0) {
        Py_DECREF(values[i]);
    }
    PyMem_Free(values);
    return self;
}

PyObject *
wfbs_decode_table(const wfbs_decoding *d, uint32_t object, uint32_t table)
{
    const wfbs_layout *layout = d->schema->layouts[object];
    if (d->form == WFBS_FORM_INSTANCE) {
        return layout->kind == WFBS_CLASS_OURS ? decode_fields(d, layout, table)
                                               : decode_bound(d, layout, table);
    }
    if (d->form == WFBS_FORM_TOP) { /* values below are as in instances */
        const wfbs_decoding below = {d->schema, d->data, WFBS_FORM_INSTANCE, d->owner};
        return decode_dict(&below, layout, table);
    }
    return decode_dict(d, layout, table);
}

/* ---- structs */

PyObject *
wfbs_decode_struct_member(const wfbs_decoding *d, const wfbs_plan_field *f, const uint8_t *from)
{
    from += f->offset;
    switch (f->shape) {
    case WFBS_SHAPE_SCALAR:
        return wfbs_scalar_object(d->schema, f, wfbs_walk_bits(from, f->scalar), enum_form(d));
    case WFBS_SHAPE_STRUCT:
        return decode_struct_field(d, f, from);
    default:
        return decode_array(d, f, from);
    }
}

PyObject *
wfbs_decode_struct(const wfbs_decoding *d, uint32_t object, const uint8_t *from)
{
    const wfbs_plan *plan = &d->schema->plan;
    const wfbs_plan_field *fields = wfbs_fields_of(plan, &plan->objects[object]);
    const wfbs_layout *layout = d->schema->layouts[object];
    const bool ours = !is_plain(d) && layout->kind == WFBS_CLASS_OURS;
    PyObject *self = NULL, **values = NULL;
    bool holds = false;
    if (is_plain(d)) {
        self = PyDict_New();
    }
    else if (ours) {
        self = wfbs_instance_new(layout->type);
    }
    else {
        values = PyMem_Calloc(layout->count + 1, sizeof *values);
        if (!values) {
            return PyErr_NoMemory();
        }
    }
    uint32_t i;
    for (i = 0; (self || values) && i < layout->count; i++) {
        const wfbs_member *m = &layout->members[i];
        PyObject *value = wfbs_decode_struct_member(d, &fields[m->number], from);
        if (!value) {
            break;
        }
        if (ours) {
            holds |= PyObject_IS_GC(value) != 0;
            *wfbs_member_of(self, m) = value;
        }
        else if (values) {
            values[i] = value;
        }
        else {
            const int failed = PyDict_SetItem(self, m->wire, value);
            Py_DECREF(value);
            if (failed) {
                break;
            }
        }
    }
    const bool whole = i == layout->count;
    if (values) {
        self = whole ? make_instance(layout, values) : NULL;
        for (uint32_t k = 0; !whole && k < i; k++) {
            Py_DECREF(values[k]);
        }
        PyMem_Free(values);
    }
    else if (self && !whole) {
        Py_CLEAR(self);
    }
    else if (self && ours) {
        wfbs_instance_finish(self, holds);
    }
    return self;
}
