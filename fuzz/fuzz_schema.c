/* Fuzz target: a .bfbs. If it loads, every index in the plan must be in range, and buffers (here,
 * its own bytes) can be verified and read by it. */
#include <stdlib.h>

#include "../csrc/core/schema/load.h"
#include "../csrc/core/schema/reflection.h"
#include "../csrc/core/schema/verify.h"
#include "typed_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void
check_field(const wfbs_plan *plan, const wfbs_plan_object *of, const wfbs_plan_field *f)
{
    const bool many = f->shape == WFBS_SHAPE_VECTOR || f->shape == WFBS_SHAPE_ARRAY;
    const unsigned shape = many ? f->element : f->shape;
    require(f->nested == WFBS_NONE || f->nested < plan->object_count);
    if (shape == WFBS_SHAPE_TABLE || shape == WFBS_SHAPE_STRUCT) {
        require(f->index < plan->object_count);
        require(plan->objects[f->index].is_struct == (shape == WFBS_SHAPE_STRUCT));
    }
    else {
        require(f->index == WFBS_NONE || f->index < plan->enum_count);
    }
    require(!many || f->stride > 0);
    require(f->align && !(f->align & (f->align - 1)));
    require(!of->is_struct || of->refused || (uint32_t)f->offset + f->size <= of->size);
}

static void
check_plan(const wfbs_plan *plan)
{
    for (uint32_t i = 0; i < plan->object_count; i++) {
        const wfbs_plan_object *of = &plan->objects[i];
        require((uint64_t)of->fields + of->field_count <= plan->field_count);
        require(wfbs_plan_find_object(plan, of->name.data, of->name.size) == i);
        for (uint32_t k = 0; !of->refused && k < of->field_count; k++) {
            require(plan->orders[of->by_align + k] < of->field_count);
            check_field(plan, of, wfbs_fields_of(plan, of) + k);
        }
    }
    for (uint32_t i = 0; i < plan->enum_count; i++) {
        const wfbs_plan_enum *type = &plan->enums[i];
        require((uint64_t)type->values + type->value_count <= plan->value_count);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wfbs_fault fault;
    wfbs_plan plan;
    char text[512];
    uint32_t root;
    uint8_t *copy = malloc(
        size ? size : 1); /* exactly its size, so that a sanitizer detects a read past its end */
    require(copy != NULL);
    if (size) {
        memcpy(copy, data, size);
    }
    const size_t room = wfbs_plan_measure(copy, size, &fault);
    void *memory = room ? malloc(room) : NULL;
    if (memory && wfbs_plan_load(copy, size, false, memory, &plan, &fault)) {
        const wfbs_typed_rules rules = {&plan, &wfbs_default_limits, true};
        check_plan(&plan);
        for (uint32_t i = 0; i < plan.object_count && i < 16; i++) {
            if (!plan.objects[i].is_struct && !plan.objects[i].refused
                && wfbs_typed_verify(&rules, i, copy, size, NULL, &fault, &root)) {
                walk_table(&plan, i, copy, root);
            }
        }
    }
    else {
        wfbs_fault_path(&fault, &wfbs_reflection, WFBS_REFLECTION_SCHEMA, text, sizeof text);
        wfbs_fault_reason(&fault, text, sizeof text);
    }
    free(memory);
    free(copy);
    return 0;
}
