/* Verifies buffers of a known schema: see verify.h. */
#include "verify.h"

#include "../flex_tokens.h"
#include "../text.h"
#include "wamp_attributes.h"
#include "walk.h"

/* Fills the fault. Always returns false. */
static bool
fail(wfbs_verifier *v, wfbs_fault_code code, uint64_t at)
{
    v->fault->code = code;
    v->fault->at = v->base + at;
    return false;
}

static bool
fail_demand(wfbs_verifier *v, uint8_t demand, uint64_t got, uint64_t at)
{
    v->fault->demand = (wfbs_demand)demand;
    v->fault->got = got;
    return fail(v, WFBS_FAULT_DEMAND, at);
}

static inline bool
charge(wfbs_verifier *v, uint64_t cost, uint64_t at)
{
    if (cost > v->budget) {
        return fail(v, WFBS_FAULT_BUDGET, at);
    }
    v->budget -= cost;
    return true;
}

/* The target of the offset at `at`: `size` bytes there are within the buffer, and aligned. */
static inline bool
follow(wfbs_verifier *v, uint64_t at, uint32_t size, uint32_t align, uint64_t *target)
{
    const uint32_t offset = wfbs_load_u32(v->data + at);
    const uint64_t to = at + offset;
    if (to + size > v->size) {
        return fail(v, WFBS_FAULT_OFFSET_RANGE, at);
    }
    if (to & (align - 1)) {
        return fail(v, WFBS_FAULT_OFFSET_ALIGNMENT, at);
    }
    if (offset == 0) {
        return fail(v, WFBS_FAULT_OFFSET_NULL, at);
    }
    *target = to;
    return true;
}

bool
wfbs_verify_follow(wfbs_verifier *v, uint64_t at, uint64_t *target)
{
    return follow(v, at, 4, 4, target);
}

bool
wfbs_verify_head(wfbs_verifier *v, uint64_t at, wfbs_table_head *head)
{
    /* The offset is signed and counts backwards: if the sum is negative, it wraps above any
     * size. */
    const uint64_t vtable = at - (uint64_t)(int64_t)(int32_t)wfbs_load_u32(v->data + at);
    if (vtable >= v->size || v->size - vtable < 4) {
        return fail(v, WFBS_FAULT_VTABLE_RANGE, at);
    }
    if (vtable & 1) {
        return fail(v, WFBS_FAULT_VTABLE_ALIGNMENT, at);
    }
    const uint32_t vtable_size = wfbs_load_u16(v->data + vtable);
    const uint32_t table_size = wfbs_load_u16(v->data + vtable + 2);
    if (vtable_size < 4 || (vtable_size & 1) || vtable_size > v->size - vtable) {
        return fail(v, WFBS_FAULT_VTABLE_SIZE, vtable);
    }
    if (table_size < 4 || table_size > v->size - at) {
        return fail(v, WFBS_FAULT_TABLE_SIZE, vtable + 2);
    }
    *head = (wfbs_table_head){at, vtable, vtable_size, table_size};
    return true;
}

/* The vtable's entry for a field, 0 if there is none; within the vtable. */
static inline uint64_t
entry_of(const wfbs_table_head *head, const wfbs_plan_field *field)
{
    return field->offset + 2u <= head->vtable_size ? head->vtable + field->offset : 0;
}

bool
wfbs_verify_slot(wfbs_verifier *v, const wfbs_table_head *head, const wfbs_plan_field *field,
                 uint64_t *position)
{
    const uint64_t entry = entry_of(head, field);
    const uint32_t offset = entry ? wfbs_load_u16(v->data + entry) : 0;
    *position = 0;
    if (!offset) {
        return true;
    }
    if (offset < 4 || offset + field->size > head->table_size) {
        return fail(v, WFBS_FAULT_FIELD_RANGE, entry);
    }
    if ((head->at + offset) & (field->align - 1u)) {
        return fail(v, WFBS_FAULT_FIELD_ALIGNMENT, entry);
    }
    *position = head->at + offset;
    return true;
}

/* ---- values */

/* Whether a value is valid for its enum: one of its values, or a combination of its bits. */
static bool
enum_has(const wfbs_plan *plan, uint32_t index, uint64_t value)
{
    const wfbs_plan_enum *type = &plan->enums[index];
    return type->is_flags ? !(value & ~type->all_bits)
                          : wfbs_plan_find_value(plan, type, value) != WFBS_NONE;
}

/* `count` scalars from `at` on, all within the buffer. */
static bool
verify_scalars(wfbs_verifier *v, const wfbs_plan_field *field, uint64_t at, uint32_t count)
{
    const bool vector = field->shape != WFBS_SHAPE_SCALAR;
    const uint32_t size = wfbs_base_size(field->scalar);
    const bool closed =
        v->rules->strict && field->index != WFBS_NONE && !(field->flags & WFBS_FIELD_TAG);
    if (field->scalar != WFBS_BASE_BOOL && !closed && field->demand != WFBS_DEMAND_WAMPID) {
        return true;
    }
    for (uint32_t i = 0; i < count; i++, at += size) {
        const uint64_t value =
            wfbs_walk_extend(wfbs_walk_bits(v->data + at, field->scalar), field->scalar);
        const bool bad_bool = field->scalar == WFBS_BASE_BOOL && value > 1;
        const bool bad_enum = closed && !enum_has(v->rules->plan, field->index, value);
        if (!bad_bool && !bad_enum && wfbs_demand_integer((wfbs_demand)field->demand, value)) {
            continue;
        }
        v->fault->element = vector ? i : WFBS_NONE;
        return bad_bool   ? fail(v, WFBS_FAULT_BOOL_VALUE, at)
               : bad_enum ? fail(v, WFBS_FAULT_ENUM_VALUE, at)
                          : fail_demand(v, field->demand, UINT64_MAX, at);
    }
    return true;
}

/* The string whose offset is at `at`. */
static bool
verify_string(wfbs_verifier *v, uint8_t demand, uint64_t at)
{
    uint64_t start;
    if (!wfbs_verify_follow(v, at, &start)) {
        return false;
    }
    const uint64_t size = wfbs_load_u32(v->data + start);
    if (size >= v->size - start
                    - 4) { /* follow() ensures: start + 4 <= size; and there must be a zero byte */
        return fail(v, WFBS_FAULT_STRING_RANGE, start);
    }
    const uint8_t *text = v->data + start + 4;
    if (text[size]) {
        return fail(v, WFBS_FAULT_STRING_TERMINATOR, start + 4 + size);
    }
    if (!charge(v, size + 5, start)) {
        return false;
    }
    if (!wfbs_utf8_is_valid(text, (size_t)size)) {
        return fail(v, WFBS_FAULT_STRING_UTF8, start);
    }
    return !demand || wfbs_demand_text((wfbs_demand)demand, text, (size_t)size)
           || fail_demand(v, demand, UINT64_MAX, start);
}

bool
wfbs_verify_struct(wfbs_verifier *v, uint32_t index, uint64_t at)
{
    const wfbs_plan_object *object = &v->rules->plan->objects[index];
    const wfbs_plan_field *fields = wfbs_fields_of(v->rules->plan, object);
    if (!object->is_checked && !v->rules->strict) {
        return true;
    }
    for (uint32_t i = 0; i < object->field_count; i++) {
        const wfbs_plan_field *f = &fields[i];
        const bool array = f->shape == WFBS_SHAPE_ARRAY;
        const uint32_t count = array ? f->fixed_length : 1;
        const unsigned shape = array ? f->element : f->shape;
        bool good = true;
        if (shape == WFBS_SHAPE_SCALAR) {
            good = verify_scalars(v, f, at + f->offset, count);
        }
        for (uint32_t k = 0; shape == WFBS_SHAPE_STRUCT && good && k < count; k++) {
            good = wfbs_verify_struct(v, f->index, at + f->offset + (uint64_t)k * f->stride);
            if (!good && array) {
                v->fault->element = k;
            }
        }
        if (!good) {
            return wfbs_fault_step(v->fault, index, i);
        }
    }
    return true;
}

/* The table whose offset is at `at`. */
static bool
verify_table_at(wfbs_verifier *v, uint32_t object, uint64_t at)
{
    uint64_t table;
    return wfbs_verify_follow(v, at, &table) && wfbs_verify_table(v, object, table);
}

/* A union's member whose type is not NONE and whose offset is at `at`. */
static bool
verify_member(wfbs_verifier *v, uint32_t index, uint64_t tag, uint64_t tag_at, uint64_t at)
{
    const wfbs_plan *plan = v->rules->plan;
    const wfbs_plan_enum *type = &plan->enums[index];
    const uint32_t number = wfbs_plan_find_value(plan, type, tag);
    uint64_t target;
    if (number == WFBS_NONE) { /* from a later schema; readers of this one skip it */
        return !v->rules->strict || fail(v, WFBS_FAULT_UNION_TYPE, tag_at);
    }
    const wfbs_plan_value *member = &plan->values[type->values + number];
    switch (member->shape) {
    case WFBS_SHAPE_TABLE:
        return verify_table_at(v, member->index, at);
    case WFBS_SHAPE_STRING:
        return verify_string(v, WFBS_DEMAND_NONE, at);
    case WFBS_SHAPE_STRUCT: {
        const wfbs_plan_object *of = &plan->objects[member->index];
        return follow(v, at, of->size, of->align, &target) && charge(v, of->size + 4u, at)
               && wfbs_verify_struct(v, member->index, target);
    }
    default:
        return true;
    }
}

/* ---- vectors */

/* The vector whose offset is at `at`, with elements of `stride` bytes: they are within the buffer
 * and, if `charged`, charged. */
static bool
verify_vector(wfbs_verifier *v, uint32_t stride, bool charged, uint64_t at, uint64_t *elements,
              uint32_t *count)
{
    uint64_t start;
    if (!wfbs_verify_follow(v, at, &start)) {
        return false;
    }
    *count = wfbs_load_u32(v->data + start);
    *elements = start + 4;
    const uint64_t size = (uint64_t)*count * stride; /* below 2^64 */
    if (size > v->size - *elements) {                /* follow() ensures: elements <= size */
        return fail(v, WFBS_FAULT_VECTOR_RANGE, start);
    }
    return charge(v, (charged ? size : 0) + 4, start);
}

/* The bytes of a nested_flatbuffer or flexbuffer field. */
static bool
verify_nested(wfbs_verifier *v, const wfbs_plan_field *field, uint64_t at, uint32_t size)
{
    if (field->flags & WFBS_FIELD_FLEXBUFFER) {
        wfbs_flex_reader reader;
        wfbs_flex_open(&reader, v->data + at, size);
        return wfbs_flex_verify(&reader) || fail(v, WFBS_FAULT_FLEXBUFFER, at);
    }
    if (field->nested == WFBS_NONE) {
        return true;
    }
    const wfbs_verifier outer = *v;
    uint64_t table = 0;
    v->data += at;
    v->base += at;
    v->size = size;
    v->is_nested = true;
    bool good = size >= 8 || fail(v, WFBS_FAULT_TOO_SHORT, 0);
    good = good && wfbs_verify_follow(v, 0, &table) && wfbs_verify_table(v, field->nested, table);
    v->data = outer.data;
    v->base = outer.base;
    v->size = outer.size;
    v->is_nested = outer.is_nested;
    return good;
}

static bool
verify_vector_field(wfbs_verifier *v, const wfbs_plan_field *field, uint64_t at)
{
    uint64_t elements;
    uint32_t count;
    /* Decoding copies the bytes of the outermost nested buffer, which contain those inside. */
    const bool copied = !v->is_nested || field->nested == WFBS_NONE || field->demand;
    if (!verify_vector(v, field->stride, copied, at, &elements, &count)) {
        return false;
    }
    bool good = true;
    switch (field->element) {
    case WFBS_SHAPE_SCALAR:
        if (field->flags & WFBS_FIELD_BYTES) {
            if (field->demand
                && !wfbs_demand_bytes((wfbs_demand)field->demand, v->data + elements, count)) {
                return fail_demand(v, field->demand, count, elements - 4);
            }
            return verify_nested(v, field, elements, count);
        }
        return verify_scalars(v, field, elements, count);
    case WFBS_SHAPE_STRUCT:
        if (!v->rules->plan->objects[field->index].is_checked && !v->rules->strict) {
            return true;
        }
        for (uint32_t i = 0; i < count; i++, elements += field->stride) {
            if (!wfbs_verify_struct(v, field->index, elements)) {
                v->fault->element = i;
                return false;
            }
        }
        return true;
    default:
        for (uint32_t i = 0; i < count; i++, elements += 4) {
            good = field->element == WFBS_SHAPE_TABLE ? verify_table_at(v, field->index, elements)
                                                      : verify_string(v, field->demand, elements);
            if (!good) {
                v->fault->element = i;
                return false;
            }
        }
        return true;
    }
}

bool
wfbs_verify_scalar_or_string(wfbs_verifier *v, const wfbs_plan_field *field, uint64_t at)
{
    return field->element == WFBS_SHAPE_STRING ? verify_string(v, field->demand, at)
                                               : verify_scalars(v, field, at, 1);
}

/* ---- tables */

/* A vector of unions: `tags` and `values` are the positions of the two vectors' offsets, 0 if
 * absent. */
static bool
verify_unions(wfbs_verifier *v, const wfbs_plan_field *field, uint64_t tags, uint64_t values)
{
    uint64_t tag_at = 0, at = 0;
    uint32_t tag_count = 0, count = 0;
    if ((tags && !verify_vector(v, 1, true, tags, &tag_at, &tag_count))
        || (values && !verify_vector(v, 4, true, values, &at, &count))) {
        return false;
    }
    if (tag_count != count || !tags != !values) {
        return fail(v, WFBS_FAULT_UNION_LENGTH, values ? values : tags);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t tag = v->data[tag_at + i];
        if (tag && !verify_member(v, field->index, tag, tag_at + i, at + (uint64_t)i * 4)) {
            v->fault->element = i;
            return false;
        }
    }
    return true;
}

/* The union that `value` describes; the previous field holds its type(s). */
static bool
verify_union_field(wfbs_verifier *v, const wfbs_table_head *head, const wfbs_plan_field *value)
{
    uint64_t tag_at, at;
    if (!wfbs_verify_slot(v, head, value - 1, &tag_at) || !wfbs_verify_slot(v, head, value, &at)) {
        return false;
    }
    bool missing = !at;
    if (value->shape == WFBS_SHAPE_VECTOR) {
        if (!verify_unions(v, value, tag_at, at)) {
            return false;
        }
    }
    else {
        const uint8_t tag = tag_at ? v->data[tag_at] : 0;
        uint64_t target;
        if (at && !follow(v, at, 1, 1, &target)) { /* whatever its type is */
            return false;
        }
        if (tag && !at) {
            return fail(v, WFBS_FAULT_UNION_VALUE, tag_at);
        }
        if (tag && !verify_member(v, value->index, tag, tag_at, at)) {
            return false;
        }
        missing = !tag;
    }
    return !missing || !(value->flags & WFBS_FIELD_REQUIRED)
           || fail(v, WFBS_FAULT_REQUIRED, head->at);
}

/* A present value, by its shape. */
static bool
verify_value(wfbs_verifier *v, const wfbs_plan_field *field, uint64_t at)
{
    switch (field->shape) {
    case WFBS_SHAPE_SCALAR:
        return verify_scalars(v, field, at, 1);
    case WFBS_SHAPE_STRING:
        return verify_string(v, field->demand, at);
    case WFBS_SHAPE_STRUCT:
        return wfbs_verify_struct(v, field->index, at);
    case WFBS_SHAPE_TABLE:
        return verify_table_at(v, field->index, at);
    case WFBS_SHAPE_VECTOR:
        return verify_vector_field(v, field, at);
    default:
        return true;
    }
}

static inline bool
is_union(const wfbs_plan_field *field)
{
    return field->shape == WFBS_SHAPE_UNION
           || (field->shape == WFBS_SHAPE_VECTOR && field->element == WFBS_SHAPE_UNION);
}

static inline bool
verify_one(wfbs_verifier *v, const wfbs_table_head *head, const wfbs_plan_field *field)
{
    uint64_t at;
    if (field->flags & (WFBS_FIELD_TAG | WFBS_FIELD_DEPRECATED)) {
        return true; /* a union's type is checked with its union; deprecated fields are never read */
    }
    if (is_union(field)) {
        return verify_union_field(v, head, field);
    }
    if (!wfbs_verify_slot(v, head, field, &at)) {
        return false;
    }
    if (!at) {
        return !(field->flags & WFBS_FIELD_REQUIRED) || fail(v, WFBS_FAULT_REQUIRED, head->at);
    }
    return verify_value(v, field, at);
}

bool
wfbs_verify_field(wfbs_verifier *v, uint32_t object, const wfbs_table_head *head, uint32_t number)
{
    const wfbs_plan *plan = v->rules->plan;
    return verify_one(v, head, wfbs_fields_of(plan, &plan->objects[object]) + number)
           || wfbs_fault_step(v->fault, object, number);
}

bool
wfbs_verify_table(wfbs_verifier *v, uint32_t index, uint64_t at)
{
    const wfbs_plan_object *object = &v->rules->plan->objects[index];
    const wfbs_plan_field *fields = wfbs_fields_of(v->rules->plan, object);
    wfbs_table_head head;
    if (!v->depth) {
        return fail(v, WFBS_FAULT_DEPTH, at);
    }
    if (!v->tables) {
        return fail(v, WFBS_FAULT_TABLES, at);
    }
    if (!wfbs_verify_head(v, at, &head)) {
        return false;
    }
    if (!charge(v, wfbs_table_cost(head.table_size, head.vtable_size, object->field_count), at)) {
        return false;
    }
    v->tables--;
    v->depth--;
    const uint32_t entries = (head.vtable_size - 4) / 2;
    uint32_t count = entries > object->required ? entries : object->required;
    count = count < object->field_count ? count : object->field_count;
    for (uint32_t i = 0; i < count; i++) {
        if (!verify_one(v, &head, &fields[i])) {
            return wfbs_fault_step(v->fault, index, i);
        }
    }
    v->depth++;
    return true;
}

bool
wfbs_typed_open(wfbs_verifier *v, const wfbs_typed_rules *rules, const uint8_t *data, size_t size,
                const char *identifier, wfbs_fault *fault, uint32_t *root)
{
    const wfbs_limits *limits = rules->limits;
    uint64_t at;
    *v = (wfbs_verifier){.rules = rules,
                         .fault = fault,
                         .data = data,
                         .size = size,
                         .tables = limits->max_tables,
                         .depth = WFBS_TYPED_MAX_DEPTH};
    wfbs_fault_init(fault);
    if (size < 8) {
        return fail(v, WFBS_FAULT_TOO_SHORT, 0);
    }
    if (size > limits->max_size) { /* at most 2^31 - 1 */
        return fail(v, WFBS_FAULT_TOO_LONG, 0);
    }
    v->budget = wfbs_typed_budget(limits, size);
    if (!wfbs_verify_follow(v, 0, &at)) {
        return false;
    }
    if (identifier && memcmp(data + 4, identifier, 4) != 0) { /* size >= 8 */
        return fail(v, WFBS_FAULT_IDENTIFIER, 4);
    }
    *root = (uint32_t)at;
    return true;
}

bool
wfbs_typed_verify(const wfbs_typed_rules *rules, uint32_t object, const uint8_t *data, size_t size,
                  const char *identifier, wfbs_fault *fault, uint32_t *root)
{
    wfbs_verifier v;
    return wfbs_typed_open(&v, rules, data, size, identifier, fault, root)
           && wfbs_verify_table(&v, object, *root);
}
