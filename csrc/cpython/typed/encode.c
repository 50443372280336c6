/* Encodes instances and mappings as tables and whole buffers. vectors.c encodes vectors and
 * unions. */
#include "typed.h"

#include "../base/dict.h"

static inline wfbs_cell *
cell_of(wfbs_encoding *e, size_t cells, uint32_t number)
{
    return (wfbs_cell *)(void *)(e->builder.memory + cells) + number;
}

/* Stores a present value in its cell. */
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
        if (f->size
            < 8) { /* a default has no bits above its size, but a negative value here does */
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
        if (!wfbs_encode_struct_field(e, f, value, place)) {
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

/* Encodes one member of a table. */
static bool
encode_member(wfbs_encoding *e, uint32_t object, wfbs_source *s, uint32_t i, bool top, size_t cells)
{
    const wfbs_member *m = &s->layout->members[i];
    const wfbs_plan *plan = &e->schema->plan;
    const wfbs_plan_field *f = wfbs_fields_of(plan, &plan->objects[object]) + m->number;
    PyObject *value, *tag = NULL;
    bool good = wfbs_source_get(s, i, &value);
    if (good && m->tag && s->kind == WFBS_FROM_DICT) {
        tag = wfbs_dict_find(s->value, m->tag);
        s->found += tag != NULL;
        good = tag || !PyErr_Occurred();
    }
    if (good && (!value || value == Py_None)) {
        /* None is not a value for a scalar with a default, unless a mapping has left the field
         * out. */
        if (f->flags & WFBS_FIELD_REQUIRED) {
            if (!value && wfbs_source_misspelled(e, s)) {
                Py_XDECREF(tag);
                return false; /* with the place of the table, not of the member */
            }
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
    else if (good && s->kind == WFBS_FROM_SLOTS && value == m->absent && f->demand) {
        /* A default that the field's attribute doesn't allow (0 for a wampid) is neither written
         * nor checked. */
    }
    else if (good) {
        const bool keep = top && (f->flags & WFBS_FIELD_KWARG) && e->options->keep_kwargs;
        good = encode_value(e, object, m->number, value, tag, keep, cells);
    }
    Py_XDECREF(value);
    Py_XDECREF(tag);
    return good || wfbs_fault_step(e->fault, object, m->number);
}

uint32_t
wfbs_encode_table(wfbs_encoding *e, uint32_t object, PyObject *value)
{
    const bool top = e->depth == WFBS_TYPED_MAX_DEPTH; /* a nested buffer is one level deeper */
    const size_t held = e->builder.held;
    size_t cells;
    wfbs_source s;
    bool good = true;
    if (!e->depth) {
        e->fault->code = WFBS_FAULT_DEPTH;
        return 0;
    }
    if (!wfbs_source_open(e, object, value, false, &s)) {
        return 0;
    }
    if (!wfbs_build_hold(&e->builder,
                         e->schema->plan.objects[object].field_count * sizeof(wfbs_cell), &cells)) {
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
    if (!wfbs_source_close(e, &s)) {
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

/* Takes the scratch memory of the last call, unless another call is using it; returns it if it is
 * small enough to keep. */
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

static PyObject *encode_nested(wfbs_encoding *e, uint32_t object, PyObject *value);

/* Starts encoding in scratch memory. */
static void
encoding_open(wfbs_encoding *e, wfbs_schema *schema, const wfbs_encode_options *options,
              wfbs_fault *fault)
{
    take_scratch(schema->typed, &e->builder);
    e->builder.grow = grow;
    wfbs_build_start(&e->builder);
    e->schema = schema;
    e->fault = fault;
    e->depth = WFBS_TYPED_MAX_DEPTH;
    e->table = wfbs_encode_table;
    e->nested = encode_nested;
    e->options = options;
    e->is_nested = false;
    e->is_unverified = false;
}

/* Verifies the written buffer, whose root is a table of type `object`. */
static bool
verify_written(wfbs_encoding *e, uint32_t object)
{
    const wfbs_encode_options *o = e->options;
    const wfbs_typed_rules rules = {&e->schema->plan, o->limits ? o->limits : &wfbs_default_limits,
                                    o->strict};
    const wfbs_builder *b = &e->builder;
    uint32_t root;
    return wfbs_typed_verify(&rules, object, b->memory + b->capacity - b->used, b->used, NULL,
                             e->fault, &root);
}

/* Whether the written buffer can be read within the limits. What was written here is valid, so its
 * cost is compared; what was given has to be verified. */
static bool
check_limits(wfbs_encoding *e, uint32_t object)
{
    const wfbs_limits *limits = e->options->limits;
    const wfbs_builder *b = &e->builder;
    if (e->is_unverified) {
        return verify_written(e, object);
    }
    if (!limits) {
        return true;
    }
    e->fault->code = b->used > limits->max_size                     ? WFBS_FAULT_TOO_LONG
                     : b->tables > limits->max_tables               ? WFBS_FAULT_TABLES
                     : b->cost > wfbs_typed_budget(limits, b->used) ? WFBS_FAULT_BUDGET
                                                                    : WFBS_FAULT_OK;
    return e->fault->code == WFBS_FAULT_OK;
}

/* Writes the value as the root of an opened encoder, and closes the encoder. New bytes; None if
 * `discard`; or NULL with the fault filled or an exception. */
static PyObject *
encode_whole(wfbs_encoding *e, uint32_t object, PyObject *value)
{
    const char *identifier = e->is_nested ? NULL : e->options->identifier;
    wfbs_builder *b = &e->builder;
    PyObject *bytes = NULL;
    const uint32_t root = wfbs_encode_table(e, object, value);
    if (root && (wfbs_build_finish(b, root, identifier) || wfbs_refuse_room(e))
        && (e->is_nested || check_limits(e, object))) {
        bytes = e->options->discard && !e->is_nested
                    ? Py_NewRef(Py_None)
                    : PyBytes_FromStringAndSize((const char *)b->memory + b->capacity - b->used,
                                                (Py_ssize_t)b->used);
    }
    give_scratch(e->schema->typed, b);
    return bytes;
}

/* The bytes of a value for a nested_flatbuffer field. Its levels count in addition to the enclosing
 * ones, which bounds the C stack; verifying the whole buffer counts them in the same way. New bytes
 * or NULL. */
static PyObject *
encode_nested(wfbs_encoding *outer, uint32_t object, PyObject *value)
{
    wfbs_encoding e;
    encoding_open(&e, outer->schema, outer->options, outer->fault);
    e.is_nested = true;
    e.depth = outer->depth;
    PyObject *bytes = encode_whole(&e, object, value);
    outer->builder.cost += e.builder.cost;
    outer->builder.tables += e.builder.tables;
    outer->is_unverified |= e.is_unverified;
    return bytes;
}

PyObject *
wfbs_encode_root(wfbs_schema *schema, uint32_t object, PyObject *value,
                 const wfbs_encode_options *options)
{
    wfbs_fault fault;
    wfbs_encoding e;
    wfbs_fault_init(&fault);
    encoding_open(&e, schema, options, &fault);
    PyObject *bytes = encode_whole(&e, object, value);
    if (!bytes) {
        wfbs_raise_fault(schema->typed, &fault, &schema->plan, object, false);
    }
    return bytes;
}

PyObject *
wfbs_struct_dict(wfbs_schema *schema, uint32_t object, PyObject *value)
{
    wfbs_fault fault;
    wfbs_encoding e;
    size_t place;
    PyObject *dict = NULL;
    const wfbs_encode_options options = {0};
    wfbs_fault_init(&fault);
    encoding_open(&e, schema, &options, &fault);
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
