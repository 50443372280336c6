/* Look-ups in a plan. */
#include "plan.h"

#include <string.h>

/* Negative, 0 or positive, like strcmp for names without zero bytes. */
static int
compare(const wfbs_name *name, const char *text, size_t size)
{
    const size_t common = name->size < size ? name->size : size;
    const int order = memcmp(name->data, text, common);
    return order ? order : (name->size > size) - (name->size < size);
}

/* The index of a name among `count` sorted names, each at the beginning of a record of `stride`
 * bytes. */
static uint32_t
find(const void *records, size_t stride, uint32_t count, const char *text, size_t size)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const void *record = (const char *)records + middle * stride;
        const int order = compare((const wfbs_name *)record, text, size);
        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return WFBS_NONE;
}

uint32_t
wfbs_plan_find_object(const wfbs_plan *plan, const char *name, size_t size)
{
    return find(plan->objects, sizeof *plan->objects, plan->object_count, name, size);
}

uint32_t
wfbs_plan_find_enum(const wfbs_plan *plan, const char *name, size_t size)
{
    return find(plan->enums, sizeof *plan->enums, plan->enum_count, name, size);
}

uint32_t
wfbs_plan_find_field(const wfbs_plan *plan, const wfbs_plan_object *object, const char *name,
                     size_t size)
{
    for (uint32_t i = 0; i < object->field_count; i++) {
        const wfbs_name *field = &plan->field_names[object->fields + i];
        if (field->size == size && memcmp(field->data, name, size) == 0) {
            return i;
        }
    }
    return WFBS_NONE;
}

uint32_t
wfbs_plan_find_name(const wfbs_plan *plan, const wfbs_plan_enum *type, const char *name,
                    size_t size)
{
    for (uint32_t i = 0; i < type->value_count; i++) {
        const wfbs_name *value = &plan->values[type->values + i].name;
        if (value->size == size && memcmp(value->data, name, size) == 0) {
            return i;
        }
    }
    return WFBS_NONE;
}

uint32_t
wfbs_plan_find_value(const wfbs_plan *plan, const wfbs_plan_enum *type, uint64_t value)
{
    const wfbs_plan_value *values = plan->values + type->values;
    if (type->is_dense) {
        const uint64_t number =
            value - values[0].value; /* below `first`, it wraps to a large value */
        return number < type->value_count ? (uint32_t)number : WFBS_NONE;
    }
    const bool is_signed = wfbs_base_is_signed(type->scalar);
    uint32_t low = 0, high = type->value_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const uint64_t here = values[middle].value;
        if (is_signed ? (int64_t)here < (int64_t)value : here < value) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return low < type->value_count && values[low].value == value ? low : WFBS_NONE;
}
