/* Encodes vectors and unions, for the tables in encode.c. */
#include "typed.h"

#include "../base/type_name.h"

static inline wfbs_cell *
cell_of(wfbs_encoding *e, size_t cells, uint32_t number)
{
    return (wfbs_cell *)(void *)(e->builder.memory + cells) + number;
}

/* The elements of a list or similar, as a tuple that no other code can change. New reference, or
 * NULL with the fault filled or an exception. */
static PyObject *
items_of(wfbs_encoding *e, PyObject *value)
{
    if (PyTuple_CheckExact(value)) {
        return Py_NewRef(value);
    }
    if (PyList_CheckExact(value)) {
        return PyList_AsTuple(value);
    }
    if (PyUnicode_Check(value) || PyDict_Check(value) || PyBytes_Check(value)
        || !PySequence_Check(value)) {
        wfbs_refuse_type(e->fault, "list", value);
        return NULL;
    }
    return PySequence_Tuple(value);
}

/* ---- bytes and scalars */

/* Checks bytes by the field's attribute, and as a FlexBuffer. If they are a nested buffer that was
 * `given`, encode.c verifies them with the whole, because only the whole limits their cost. */
static bool
check_bytes(wfbs_encoding *e, const wfbs_plan_field *f, const uint8_t *data, size_t size,
            bool given)
{
    if (f->demand && !wfbs_demand_bytes((wfbs_demand)f->demand, data, size)) {
        e->fault->code = WFBS_FAULT_DEMAND;
        e->fault->demand = (wfbs_demand)f->demand;
        e->fault->got = size;
        return false;
    }
    if (f->flags & WFBS_FIELD_FLEXBUFFER) {
        wfbs_flex_reader reader;
        wfbs_flex_open(&reader, data, size);
        if (!wfbs_flex_verify(&reader)) {
            e->fault->code = WFBS_FAULT_FLEXBUFFER;
            return false;
        }
    }
    if (f->nested != WFBS_NONE && e->is_nested && !f->demand) {
        e->builder.cost -= size; /* see verify.c */
    }
    e->is_unverified |= f->nested != WFBS_NONE && given;
    return true;
}

/* The bytes of any object with a buffer; `given` by the caller, or else created by us. */
static bool
copy_buffer(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *value, bool given)
{
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) {
        return false;
    }
    uint8_t *to =
        wfbs_build_vector(&e->builder, (size_t)view.len, 1, f->nested == WFBS_NONE ? 4 : 8);
    if (to && view.len) {
        memcpy(to, view.buf, (size_t)view.len);
    }
    const size_t size = (size_t)view.len;
    PyBuffer_Release(&view);
    return to ? check_bytes(e, f, to, size, given) : wfbs_refuse_room(e);
}

/* Whether a buffer's elements have the same size and kind as in a vector. */
static bool
format_suits(const wfbs_plan_field *f, const Py_buffer *view)
{
    const char *format = view->format ? view->format : "B";
    if (WFBS_BIG_ENDIAN || view->ndim != 1 || view->itemsize != (Py_ssize_t)f->stride || f->demand
        || f->index != WFBS_NONE || f->scalar == WFBS_BASE_BOOL) {
        return false;
    }
    format += *format == '<' || *format == '@' || *format == '=';
    const char *wanted = wfbs_base_is_float(f->scalar)    ? "fd"
                         : wfbs_base_is_signed(f->scalar) ? "bhilq"
                                                          : "BHILQ";
    return format[0] && !format[1] && strchr(wanted, format[0]);
}

/* Copies scalars from an array, memoryview or similar. 1, 0 if it isn't one, -1 as false. */
static int
copy_scalars(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *value)
{
    Py_buffer view;
    if (!PyObject_CheckBuffer(value)) {
        return 0;
    }
    if (PyObject_GetBuffer(value, &view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS) < 0) {
        PyErr_Clear();
        return 0;
    }
    int result = 0;
    if (format_suits(f, &view)) {
        const size_t count = (size_t)(view.len / view.itemsize);
        uint8_t *to = wfbs_build_vector(&e->builder, count, f->stride, f->element_align);
        if (to && view.len) {
            memcpy(to, view.buf, (size_t)view.len);
        }
        result = to ? 1 : -1;
        if (!to) {
            wfbs_refuse_room(e);
        }
    }
    PyBuffer_Release(&view);
    return result;
}

static bool
encode_scalars(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *items)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(items);
    uint8_t *to = wfbs_build_vector(&e->builder, (size_t)count, f->stride, f->element_align);
    if (!to) {
        return wfbs_refuse_room(e);
    }
    for (Py_ssize_t i = 0; i < count; i++, to += f->stride) {
        uint64_t bits;
        /* Python code that runs here can't access this builder, so `to` stays valid. */
        if (!wfbs_scalar_bits(e, f, PyTuple_GET_ITEM(items, i), &bits)) {
            e->fault->element = (uint32_t)i;
            return false;
        }
        wfbs_store_bits(to, bits, f->stride);
    }
    to -= (size_t)count * f->stride;
    return !(f->flags & WFBS_FIELD_BYTES) || check_bytes(e, f, to, (size_t)count, true);
}

/* ---- vectors of other types */

static bool
encode_structs(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *items)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(items);
    const wfbs_plan_object *object = &e->schema->plan.objects[f->index];
    const size_t held = e->builder.held;
    size_t place;
    uint8_t *to = wfbs_build_vector(&e->builder, (size_t)count, f->stride, f->element_align);
    if (!to || !wfbs_build_hold(&e->builder, f->stride, &place)) {
        return wfbs_refuse_room(e);
    }
    const size_t end =
        e->builder.used - 4; /* distance of the first element from the end of memory */
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        memset(e->builder.memory + place, 0, f->stride);
        int got =
            object->words ? wfbs_words_bytes(e, f, object, item, e->builder.memory + place) : 0;
        if (!got) {
            got = wfbs_encode_struct(e, f->index, item, place) ? 1 : -1;
        }
        if (got < 0) {
            e->fault->element = (uint32_t)i;
            return false;
        }
        to = e->builder.memory + e->builder.capacity - end + (size_t)i * f->stride;
        memcpy(to, e->builder.memory + place, f->stride);
    }
    e->builder.held = held;
    return true;
}

/* Whether the table with ref `a` is after that with ref `b` in the order of their keys. */
static bool
is_after(const wfbs_encoding *e, const wfbs_plan_field *key, uint32_t a, uint32_t b)
{
    const uint8_t *end = e->builder.memory + e->builder.capacity;
    const uint8_t *data = end - e->builder.used;
    const uint32_t used = (uint32_t)e->builder.used;
    const uint32_t at = wfbs_walk_slot(data, used - a, key);
    const uint32_t bt = wfbs_walk_slot(data, used - b, key);
    if (key->shape == WFBS_SHAPE_STRING) { /* a key is required */
        const wfbs_span x = wfbs_span_at(data, at), y = wfbs_span_at(data, bt);
        const int order = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);
        return order ? order > 0 : x.size > y.size;
    }
    const uint64_t x = wfbs_walk_extend(
        at ? wfbs_walk_bits(data + at, key->scalar) : key->default_bits, key->scalar);
    const uint64_t y = wfbs_walk_extend(
        bt ? wfbs_walk_bits(data + bt, key->scalar) : key->default_bits, key->scalar);
    return wfbs_base_is_signed(key->scalar) ? (int64_t)x > (int64_t)y : x > y;
}

/* Sorts `count` refs by the tables' key. Merges runs between the two halves of `refs`, which has
 * room for twice as many. The sort is stable. */
static void
sort_refs(const wfbs_encoding *e, const wfbs_plan_field *key, uint32_t *refs, size_t count)
{
    uint32_t *from = refs, *to = refs + count;
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t start = 0; start < count; start += 2 * run) {
            const size_t middle = start + run < count ? start + run : count;
            const size_t end = start + 2 * run < count ? start + 2 * run : count;
            size_t a = start, b = middle;
            for (size_t k = start; k < end; k++) {
                const bool take_b = a == middle || (b < end && is_after(e, key, from[a], from[b]));
                to[k] = from[take_b ? b++ : a++];
            }
        }
        uint32_t *swapped = from;
        from = to;
        to = swapped;
    }
    if (from != refs) {
        memcpy(refs, from, count * sizeof *refs);
    }
}

/* A vector of offsets to objects whose refs are stacked at `refs`. */
static bool
encode_links(wfbs_encoding *e, size_t refs, size_t count)
{
    uint8_t *to = wfbs_build_vector(&e->builder, count, 4, 4);
    if (!to) {
        return wfbs_refuse_room(e);
    }
    const uint32_t *ref = (const uint32_t *)(const void *)(e->builder.memory + refs);
    for (size_t i = 0; i < count; i++) {
        wfbs_build_link(&e->builder, to, i, ref[i]);
    }
    return true;
}

static bool
encode_references(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *items)
{
    const size_t count = (size_t)PyTuple_GET_SIZE(items);
    const size_t held = e->builder.held;
    const wfbs_plan *plan = &e->schema->plan;
    const bool tables = f->element == WFBS_SHAPE_TABLE;
    const bool sorted = tables && e->options->sort_keys && plan->objects[f->index].key != WFBS_NONE;
    size_t refs;
    if (count > WFBS_BUILD_MAX / 8
        || !wfbs_build_hold(&e->builder, count * (sorted ? 8 : 4), &refs)) {
        return wfbs_refuse_room(e);
    }
    for (size_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, (Py_ssize_t)i);
        const uint32_t ref =
            tables ? e->table(e, f->index, item) : wfbs_encode_text(e, f->demand, item);
        if (!ref) {
            e->fault->element = (uint32_t)i;
            return false;
        }
        ((uint32_t *)(void *)(e->builder.memory + refs))[i] = ref;
    }
    if (sorted) {
        const wfbs_plan_object *object = &plan->objects[f->index];
        sort_refs(e, wfbs_fields_of(plan, object) + object->key,
                  (uint32_t *)(void *)(e->builder.memory + refs), count);
    }
    const bool good = encode_links(e, refs, count);
    e->builder.held = held;
    return good;
}

/* ---- unions */

/* Determines the member of a union from a value: from the name in a tuple, its class, or a str.
 * Returns the index of the type among the union's values, and the actual value in *value (borrowed
 * from the argument). */
static bool
member_of(wfbs_encoding *e, uint32_t index, PyObject *tag, PyObject **value, uint32_t *number)
{
    const wfbs_plan *plan = &e->schema->plan;
    const wfbs_plan_enum *type = &plan->enums[index];
    if (tag) {
        return wfbs_tag_of(e, index, tag, number);
    }
    if (PyTuple_Check(*value) && PyTuple_GET_SIZE(*value) == 2 && !wfbs_class_of(Py_TYPE(*value))) {
        PyObject *named = *value;
        *value = PyTuple_GET_ITEM(named, 1);
        return wfbs_tag_of(e, index, PyTuple_GET_ITEM(named, 0), number);
    }
    uint32_t found = WFBS_NONE;
    for (uint32_t i = 0; i < type->value_count; i++) {
        const wfbs_plan_value *member = &plan->values[type->values + i];
        const bool suits =
            member->shape == WFBS_SHAPE_STRING
                ? PyUnicode_Check(*value)
                : member->index != WFBS_NONE
                      && PyObject_TypeCheck(*value, e->schema->layouts[member->index]->type);
        if (suits && found != WFBS_NONE) {
            return wfbs_refuse_value(e->fault,
                                     "more than one member of %.*s has this type: give "
                                     "its name as well, in a tuple",
                                     (int)type->name.size, type->name.data);
        }
        found = suits ? i : found;
    }
    *number = found;
    if (found != WFBS_NONE) {
        return true;
    }
    char expected[160];
    PyOS_snprintf(expected, sizeof expected, "a member of %.*s, or a tuple with its name,",
                  (int)(type->name.size < 100 ? type->name.size : 100), type->name.data);
    return wfbs_refuse_type(e->fault, expected, *value);
}

/* Writes a union's member. Returns its ref, and its type; 0 as in the functions above. */
static uint32_t
encode_union_member(wfbs_encoding *e, uint32_t index, PyObject *tag, PyObject *value,
                    uint8_t *tag_bits)
{
    const wfbs_plan *plan = &e->schema->plan;
    const size_t held = e->builder.held;
    uint32_t number;
    size_t place;
    if (!member_of(e, index, tag, &value, &number)) {
        return 0;
    }
    const wfbs_plan_value *member = &plan->values[plan->enums[index].values + number];
    *tag_bits = (uint8_t)member->value;
    if (member->shape == WFBS_SHAPE_TABLE) {
        return e->table(e, member->index, value);
    }
    if (member->shape == WFBS_SHAPE_STRING) {
        return wfbs_encode_text(e, WFBS_DEMAND_NONE, value);
    }
    if (member->shape == WFBS_SHAPE_NONE) {
        return wfbs_refuse_value(e->fault, "%.*s is not a member", (int)member->name.size,
                                 member->name.data);
    }
    const wfbs_plan_object *object = &plan->objects[member->index];
    if (!wfbs_build_hold(&e->builder, object->size, &place)) {
        return wfbs_refuse_room(e);
    }
    if (!wfbs_encode_struct(e, member->index, value, place)) {
        return 0;
    }
    uint8_t *to = wfbs_build_struct(&e->builder, object->size, object->align);
    if (!to) {
        return wfbs_refuse_room(e);
    }
    memcpy(to, e->builder.memory + place, object->size);
    e->builder.held = held;
    return (uint32_t)e->builder.used;
}

bool
wfbs_encode_union(wfbs_encoding *e, uint32_t object, uint32_t number, PyObject *value,
                  PyObject *tag, size_t cells)
{
    const wfbs_plan *plan = &e->schema->plan;
    const wfbs_plan_field *f = wfbs_fields_of(plan, &plan->objects[object]) + number;
    uint8_t bits = 0;
    const uint32_t ref =
        encode_union_member(e, f->index, tag == Py_None ? NULL : tag, value, &bits);
    if (!ref) {
        return false;
    }
    *cell_of(e, cells, number) = (wfbs_cell){ref, 1};
    *cell_of(e, cells, number - 1) = (wfbs_cell){bits, 1};
    return true;
}

bool
wfbs_check_no_union(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *tag)
{
    uint32_t number = WFBS_NONE;
    bool none;
    if (f->shape == WFBS_SHAPE_VECTOR) {
        none = PySequence_Check(tag) && PySequence_Size(tag) == 0;
        PyErr_Clear();
    }
    else {
        if (!wfbs_tag_of(e, f->index, tag, &number)) {
            return false;
        }
        none = number == 0; /* the loader has checked that type 0 comes first */
    }
    if (!none) {
        e->fault->code = WFBS_FAULT_UNION_VALUE;
    }
    return none;
}

/* Two vectors: of types and of members. `tags` is the mapping's value for the types, or NULL. */
static bool
encode_unions(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *items, PyObject *tags,
              uint64_t *tag_ref)
{
    const size_t count = (size_t)PyTuple_GET_SIZE(items);
    const size_t held = e->builder.held;
    size_t refs;
    if (tags && (size_t)PyTuple_GET_SIZE(tags) != count) {
        return wfbs_refuse_value(e->fault, "%zu values, but %zd types", count,
                                 PyTuple_GET_SIZE(tags));
    }
    if (count > WFBS_BUILD_MAX / 8 || !wfbs_build_hold(&e->builder, count * 5, &refs)) {
        return wfbs_refuse_room(e);
    }
    for (size_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, (Py_ssize_t)i);
        PyObject *tag = tags ? PyTuple_GET_ITEM(tags, (Py_ssize_t)i) : NULL;
        uint8_t bits = 0;
        const uint32_t ref = encode_union_member(e, f->index, tag, item, &bits);
        if (!ref) {
            e->fault->element = (uint32_t)i;
            return false;
        }
        ((uint32_t *)(void *)(e->builder.memory + refs))[i] = ref;
        e->builder.memory[refs + 4 * count + i] = bits;
    }
    uint8_t *to = wfbs_build_vector(&e->builder, count, 1, 1);
    if (!to) {
        return wfbs_refuse_room(e);
    }
    memcpy(to, e->builder.memory + refs + 4 * count, count);
    *tag_ref = e->builder.used;
    const bool good = encode_links(e, refs, count);
    e->builder.held = held;
    return good;
}

/* ---- all vectors */

static bool
encode_items(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *value, PyObject *tags,
             uint64_t *tag_ref)
{
    PyObject *items = items_of(e, value), *tag_items = NULL;
    bool good = items != NULL;
    if (good && tags && f->element == WFBS_SHAPE_UNION) {
        tag_items = items_of(e, tags);
        good = tag_items != NULL;
    }
    if (good) {
        switch (f->element) {
        case WFBS_SHAPE_SCALAR:
            good = encode_scalars(e, f, items);
            break;
        case WFBS_SHAPE_STRUCT:
            good = encode_structs(e, f, items);
            break;
        case WFBS_SHAPE_UNION:
            good = encode_unions(e, f, items, tag_items, tag_ref);
            break;
        default:
            good = encode_references(e, f, items);
        }
    }
    Py_XDECREF(items);
    Py_XDECREF(tag_items);
    return good;
}

bool
wfbs_encode_vector(wfbs_encoding *e, uint32_t object, uint32_t number, PyObject *value,
                   PyObject *tags, size_t cells)
{
    const wfbs_plan *plan = &e->schema->plan;
    const wfbs_plan_field *f = wfbs_fields_of(plan, &plan->objects[object]) + number;
    uint64_t tag_ref = 0;
    int copied = 0;
    bool good;
    if (f->flags & WFBS_FIELD_BYTES) {
        if (PyObject_CheckBuffer(value)) {
            good = copy_buffer(e, f, value, true);
        }
        else if (f->nested == WFBS_NONE || PyList_Check(value) || PyTuple_Check(value)) {
            good = encode_items(e, f, value, NULL, &tag_ref);
        }
        else { /* a table as a buffer of its own */
            PyObject *bytes = e->nested(e, f->nested, value);
            good = bytes && copy_buffer(e, f, bytes, false);
            Py_XDECREF(bytes);
        }
    }
    else {
        if (f->element == WFBS_SHAPE_SCALAR) {
            copied = copy_scalars(e, f, value);
        }
        good = copied ? copied > 0 : encode_items(e, f, value, tags, &tag_ref);
    }
    if (!good) {
        return false;
    }
    *cell_of(e, cells, number) = (wfbs_cell){e->builder.used, 1};
    if (f->element == WFBS_SHAPE_UNION) {
        *cell_of(e, cells, number - 1) = (wfbs_cell){tag_ref, 1};
    }
    return true;
}
