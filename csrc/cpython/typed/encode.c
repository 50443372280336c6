/* Instances and mappings to bytes: tables and structs. vectors.c has what they refer to. */
#include "typed.h"

#include "../base/type_name.h"
#include "../base/utf8.h"

/* How the members of a value are read. */
typedef enum { FROM_SLOTS, FROM_ATTRIBUTES, FROM_DICT, FROM_SEQUENCE } source_kind;

typedef struct {
    source_kind kind;
    PyObject *value; /* owned */
    const wfbs_layout *layout;
    Py_ssize_t found; /* keys of a dict that were asked for and there */
} source;

/* Says how `value` stands for the object. False with the fault filled or an exception. */
static bool
source_open(wfbs_encoding *e, uint32_t object, PyObject *value, bool sequences, source *s)
{
    const wfbs_layout *layout = e->schema->layouts[object];
    PyTypeObject *type = Py_TYPE(value);
    s->layout = layout;
    s->found = 0;
    s->value = NULL;
    if (type == layout->type || PyObject_TypeCheck(value, layout->type)) {
        /* A subclass has the slots at the same places. */
        s->kind = layout->kind == WFBS_CLASS_CALLED ? FROM_ATTRIBUTES : FROM_SLOTS;
        s->value = Py_NewRef(value);
        return true;
    }
    if (PyDict_CheckExact(value)) {
        s->kind = FROM_DICT;
        s->value = Py_NewRef(value);
        return true;
    }
    if (sequences && (PyTuple_Check(value) || PyList_Check(value))) {
        s->kind = FROM_SEQUENCE;
        s->value = PySequence_Tuple(value);
        if (s->value && PyTuple_GET_SIZE(s->value) != (Py_ssize_t)layout->count) {
            const Py_ssize_t got = PyTuple_GET_SIZE(s->value);
            Py_CLEAR(s->value);
            return wfbs_refuse_value(e->fault, "%u values expected, got %zd", layout->count, got);
        }
        return s->value != NULL;
    }
    if (!wfbs_class_of(type) && PyObject_HasAttrString(value, "keys")) {
        s->kind = FROM_DICT;
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

/* One member's value: *out is a new reference, or NULL if it isn't given. */
static bool
source_get(source *s, uint32_t i, PyObject **out)
{
    const wfbs_member *m = &s->layout->members[i];
    *out = NULL;
    switch (s->kind) {
    case FROM_SLOTS:
        Py_BEGIN_CRITICAL_SECTION(s->value);
        *out = Py_XNewRef(*wfbs_member_of(s->value, m));
        Py_END_CRITICAL_SECTION();
        return true;
    case FROM_SEQUENCE:
        *out = Py_NewRef(PyTuple_GET_ITEM(s->value, i));
        return true;
    case FROM_ATTRIBUTES:
        *out = PyObject_GetAttr(s->value, m->name);
        return *out != NULL;
    default:
        *out = Py_XNewRef(PyDict_GetItemWithError(s->value, m->wire));
        s->found += *out != NULL;
        return *out || !PyErr_Occurred();
    }
}

/* Refuses a mapping with a key that is no field. */
static bool
source_close(wfbs_encoding *e, source *s)
{
    bool good = true;
    if (s->kind == FROM_DICT && PyDict_GET_SIZE(s->value) != s->found) {
        PyObject *key, *item;
        Py_ssize_t at = 0;
        good = wfbs_refuse_value(e->fault, "keys changed while it was encoded");
        while (PyDict_Next(s->value, &at, &key, &item)) {
            bool known = PyUnicode_Check(key) && PyDict_Contains(s->layout->by_name, key) == 1;
            for (uint32_t i = 0; !known && i < s->layout->count; i++) {
                PyObject *tag = s->layout->members[i].tag;
                known = tag && PyUnicode_Check(key) && PyUnicode_Compare(tag, key) == 0;
            }
            if (!known) {
                const char *text = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;
                PyErr_Clear();
                wfbs_refuse_value(e->fault, "has no field %.100s",
                                  text ? text : wfbs_type_name(Py_TYPE(key)));
                break;
            }
        }
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
    bool good = count == f->fixed_length
                || wfbs_refuse_value(e->fault, "%u values expected, got %zd", f->fixed_length,
                                     count);
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

/* A struct that is a field or an element of field `f`: words can be given as one value. */
static bool
encode_struct_field(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *value, size_t place)
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
        return encode_struct_field(e, f, value, place + f->offset);
    default:
        return encode_array(e, f, value, place + f->offset);
    }
}

bool
wfbs_encode_struct(wfbs_encoding *e, uint32_t object, PyObject *value, size_t place)
{
    const wfbs_plan *plan = &e->schema->plan;
    const wfbs_plan_field *fields = wfbs_fields_of(plan, &plan->objects[object]);
    source s;
    bool good = true;
    if (!source_open(e, object, value, true, &s)) {
        return false;
    }
    for (uint32_t i = 0; good && i < s.layout->count; i++) {
        const uint32_t number = s.layout->members[i].number;
        PyObject *item;
        good = source_get(&s, i, &item)
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
    return source_close(e, &s);
}

/* ---- tables */

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

static inline wfbs_cell *
cell_of(wfbs_encoding *e, size_t cells, uint32_t number)
{
    return (wfbs_cell *)(void *)(e->builder.memory + cells) + number;
}

/* A value that is there into its cell. */
static bool
encode_value(wfbs_encoding *e, uint32_t object, uint32_t number, PyObject *value, PyObject *tag,
             bool keep, size_t cells)
{
    const wfbs_plan *plan = &e->schema->plan;
    const wfbs_plan_field *f = wfbs_fields_of(plan, &plan->objects[object]) + number;
    uint64_t bits = 0;
    size_t place;
    switch (f->shape) {
    case WFBS_SHAPE_SCALAR:
        if (!wfbs_scalar_bits(e, f, value, &bits)) {
            return false;
        }
        if (f->size < 8) { /* a default has no bits above its size, a negative value here has */
            bits &= (UINT64_C(1) << 8 * f->size) - 1;
        }
        if (bits == f->default_bits && !(f->flags & WFBS_FIELD_OPTIONAL) && !keep) {
            return true;
        }
        break;
    case WFBS_SHAPE_STRING:
        bits = wfbs_encode_text(e, f->demand, value);
        if (!bits) {
            return false;
        }
        break;
    case WFBS_SHAPE_TABLE:
        bits = wfbs_encode_table(e, f->index, value);
        if (!bits) {
            return false;
        }
        break;
    case WFBS_SHAPE_STRUCT:
        if (!wfbs_build_hold(&e->builder, f->size, &place)) {
            return wfbs_refuse_room(e);
        }
        if (!encode_struct_field(e, f, value, place)) {
            return false;
        }
        bits = place;
        break;
    case WFBS_SHAPE_UNION:
        return wfbs_encode_union(e, object, number, value, tag, cells);
    default:
        return wfbs_encode_vector(e, object, number, value, tag, cells);
    }
    *cell_of(e, cells, number) = (wfbs_cell){bits, 1};
    return true;
}

/* One member of a table. */
static bool
encode_member(wfbs_encoding *e, uint32_t object, source *s, uint32_t i, bool top, size_t cells)
{
    const wfbs_member *m = &s->layout->members[i];
    const wfbs_plan *plan = &e->schema->plan;
    const wfbs_plan_field *f = wfbs_fields_of(plan, &plan->objects[object]) + m->number;
    PyObject *value, *tag = NULL;
    bool good = source_get(s, i, &value);
    if (good && m->tag && s->kind == FROM_DICT) {
        tag = Py_XNewRef(PyDict_GetItemWithError(s->value, m->tag));
        s->found += tag != NULL;
        good = tag || !PyErr_Occurred();
    }
    if (good && (!value || value == Py_None)) {
        /* None is no value of a scalar with a default, unless a mapping has left it out. */
        if (f->flags & WFBS_FIELD_REQUIRED) {
            e->fault->code = WFBS_FAULT_REQUIRED;
            good = false;
        }
        else if (value && f->shape == WFBS_SHAPE_SCALAR && !(f->flags & WFBS_FIELD_OPTIONAL)) {
            good = wfbs_refuse_type(e->fault, "value", value);
        }
        else if (tag && tag != Py_None) {
            good = wfbs_check_no_union(e, f, tag);
        }
    }
    else if (good && s->kind == FROM_SLOTS && value == m->absent && f->demand) {
        /* A default that its attribute doesn't allow, 0 for a wampid, isn't written or checked. */
    }
    else if (good) {
        const bool keep = top && (f->flags & WFBS_FIELD_KWARG) && e->keep_kwargs;
        good = encode_value(e, object, m->number, value, tag, keep, cells);
    }
    Py_XDECREF(value);
    Py_XDECREF(tag);
    return good || wfbs_fault_step(e->fault, object, m->number);
}

uint32_t
wfbs_encode_table(wfbs_encoding *e, uint32_t object, PyObject *value)
{
    const bool top = e->depth == WFBS_TYPED_MAX_DEPTH;
    const size_t held = e->builder.held;
    size_t cells;
    source s;
    bool good = true;
    if (!e->depth) {
        e->fault->code = WFBS_FAULT_DEPTH;
        return 0;
    }
    if (!source_open(e, object, value, false, &s)) {
        return 0;
    }
    if (!wfbs_build_hold(&e->builder, e->schema->plan.objects[object].field_count * sizeof(wfbs_cell),
                         &cells)) {
        Py_DECREF(s.value);
        return wfbs_refuse_room(e);
    }
    e->depth--;
    for (uint32_t i = 0; good && i < s.layout->count; i++) {
        good = encode_member(e, object, &s, i, top, cells);
    }
    e->depth++;
    if (!good) {
        Py_DECREF(s.value);
        return 0;
    }
    if (!source_close(e, &s)) {
        return 0;
    }
    const uint32_t ref = wfbs_build_table(&e->builder, &e->schema->plan, object, cells);
    e->builder.held = held;
    return ref ? ref : wfbs_refuse_room(e);
}

/* ---- whole buffers */

static bool
grow(wfbs_builder *b, size_t capacity)
{
    uint8_t *memory = PyMem_Malloc(capacity);
    if (!memory) {
        PyErr_NoMemory();
        return false;
    }
    if (b->memory) {
        memcpy(memory, b->memory, b->held);
        memcpy(memory + capacity - b->used, b->memory + b->capacity - b->used, b->used);
    }
    PyMem_Free(b->memory);
    b->memory = memory;
    b->capacity = capacity;
    return true;
}

/* Memory from the last call, if no other call is using it; small enough to keep, back to there. */
enum { KEPT = 256 * 1024 };

static void
take_scratch(wfbs_typed *t, wfbs_builder *b)
{
    b->memory = NULL;
    b->capacity = 0;
#ifndef Py_GIL_DISABLED
    b->memory = t->scratch;
    b->capacity = t->scratch ? t->scratch_size : 0;
    t->scratch = NULL;
#else
    (void)t;
#endif
}

static void
give_scratch(wfbs_typed *t, wfbs_builder *b)
{
#ifndef Py_GIL_DISABLED
    if (!t->scratch && b->capacity <= KEPT) {
        t->scratch = b->memory;
        t->scratch_size = b->capacity;
        return;
    }
#else
    (void)t;
#endif
    PyMem_Free(b->memory);
}

/* Starts encoding into scratch memory. */
static void
encoding_open(wfbs_encoding *e, wfbs_schema *schema, wfbs_fault *fault)
{
    wfbs_fault_init(fault);
    take_scratch(schema->typed, &e->builder);
    e->builder.grow = grow;
    wfbs_build_start(&e->builder);
    e->schema = schema;
    e->fault = fault;
    e->depth = WFBS_TYPED_MAX_DEPTH;
    e->keep_kwargs = false;
    e->sort_keys = false;
}

PyObject *
wfbs_encode_root(wfbs_schema *schema, uint32_t object, PyObject *value, const char *identifier,
                 bool keep_kwargs, bool sort_keys, bool discard)
{
    wfbs_fault fault;
    wfbs_encoding e;
    PyObject *bytes = NULL;
    encoding_open(&e, schema, &fault);
    e.keep_kwargs = keep_kwargs;
    e.sort_keys = sort_keys;
    const uint32_t root = wfbs_encode_table(&e, object, value);
    if (!root || (!wfbs_build_finish(&e.builder, root, identifier) && !wfbs_refuse_room(&e))) {
        wfbs_raise_fault(schema->typed, &fault, &schema->plan, object, false);
    }
    else if (discard) {
        bytes = Py_NewRef(Py_None);
    }
    else {
        bytes = PyBytes_FromStringAndSize(
            (const char *)e.builder.memory + e.builder.capacity - e.builder.used,
            (Py_ssize_t)e.builder.used);
    }
    give_scratch(schema->typed, &e.builder);
    return bytes;
}

PyObject *
wfbs_struct_dict(wfbs_schema *schema, uint32_t object, PyObject *value)
{
    wfbs_fault fault;
    wfbs_encoding e;
    size_t place;
    PyObject *dict = NULL;
    encoding_open(&e, schema, &fault);
    if (wfbs_build_hold(&e.builder, schema->plan.objects[object].size, &place)
        && wfbs_encode_struct(&e, object, value, place)) {
        const wfbs_decoding d = {schema, e.builder.memory, WFBS_FORM_FULL, NULL};
        dict = wfbs_decode_struct(&d, object, e.builder.memory + place);
    }
    else {
        wfbs_raise_fault(schema->typed, &fault, &schema->plan, object, false);
    }
    give_scratch(schema->typed, &e.builder);
    return dict;
}
