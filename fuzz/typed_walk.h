/* Reads a whole verified buffer by its plan, so that a sanitizer detects what verification
 * missed. */
#ifndef WFBS_FUZZ_TYPED_WALK_H
#define WFBS_FUZZ_TYPED_WALK_H

#include "../csrc/core/schema/plan.h"
#include "../csrc/core/schema/walk.h"

static void walk_table(const wfbs_plan *plan, uint32_t object, const uint8_t *data, uint32_t table);

static volatile uint64_t walked;

static void
walk_bytes(const uint8_t *p, uint64_t size)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < size; i++) {
        sum += p[i];
    }
    walked += sum;
}

static void
walk_string(const uint8_t *data, uint32_t at)
{
    const wfbs_span text = wfbs_span_at(data, at);
    walk_bytes(text.data, text.size + 1);
    if (text.data[text.size]) {
        abort();
    }
}

static void
walk_member(const wfbs_plan *plan, uint32_t index, uint8_t tag, const uint8_t *data, uint32_t at)
{
    const wfbs_plan_enum *type = &plan->enums[index];
    const uint32_t number = wfbs_plan_find_value(plan, type, tag);
    if (!tag || number == WFBS_NONE) {
        return;
    }
    const wfbs_plan_value *member = &plan->values[type->values + number];
    if (member->shape == WFBS_SHAPE_STRING) {
        walk_string(data, at);
    }
    else if (member->shape == WFBS_SHAPE_STRUCT) {
        walk_bytes(data + wfbs_follow(data, at), plan->objects[member->index].size);
    }
    else if (member->shape == WFBS_SHAPE_TABLE) {
        walk_table(plan, member->index, data, wfbs_follow(data, at));
    }
}

static void
walk_vector(const wfbs_plan *plan, const wfbs_plan_field *f, const uint8_t *data, uint32_t table,
            uint32_t at)
{
    uint32_t count, tags = 0;
    const uint32_t elements = wfbs_walk_vector(data, at, &count);
    walk_bytes(data + elements, (uint64_t)count * f->stride);
    if (f->element == WFBS_SHAPE_UNION) {
        tags = wfbs_walk_vector(data, wfbs_walk_slot(data, table, f - 1), &count);
    }
    for (uint32_t i = 0; f->element != WFBS_SHAPE_SCALAR && i < count; i++) {
        const uint32_t place = elements + i * f->stride;
        if (f->element == WFBS_SHAPE_STRING) {
            walk_string(data, place);
        }
        else if (f->element == WFBS_SHAPE_TABLE) {
            walk_table(plan, f->index, data, wfbs_follow(data, place));
        }
        else if (f->element == WFBS_SHAPE_UNION) {
            walk_member(plan, f->index, data[tags + i], data, place);
        }
    }
    if (f->nested != WFBS_NONE) {
        walk_table(plan, f->nested, data + elements, wfbs_load_u32(data + elements));
    }
}

static void
walk_table(const wfbs_plan *plan, uint32_t object, const uint8_t *data, uint32_t table)
{
    const wfbs_plan_object *of = &plan->objects[object];
    for (uint32_t i = 0; i < of->field_count; i++) {
        const wfbs_plan_field *f = wfbs_fields_of(plan, of) + i;
        const uint32_t at = wfbs_walk_slot(data, table, f);
        if (f->flags & (WFBS_FIELD_DEPRECATED | WFBS_FIELD_TAG)) {
            continue;
        }
        if (!at) {
            if (f->flags & WFBS_FIELD_REQUIRED) {
                abort();
            }
            continue;
        }
        walk_bytes(data + at, f->size);
        if (f->shape == WFBS_SHAPE_STRING) {
            walk_string(data, at);
        }
        else if (f->shape == WFBS_SHAPE_TABLE) {
            walk_table(plan, f->index, data, wfbs_follow(data, at));
        }
        else if (f->shape == WFBS_SHAPE_UNION) {
            const uint32_t tag = wfbs_walk_slot(data, table, f - 1);
            walk_member(plan, f->index, tag ? data[tag] : 0, data, at);
        }
        else if (f->shape == WFBS_SHAPE_VECTOR) {
            walk_vector(plan, f, data, table, at);
        }
    }
}

#endif
