/* Enums and unions of a .bfbs. */
#include "loader.h"

static bool
compile_value(wfbs_loader *l, uint32_t index, uint32_t table, wfbs_plan_value *value)
{
    const wfbs_plan_enum *of = &l->enums[index];
    value->name = wfbs_loader_text(l, table, WFBS_REFLECTION_ENUM_VAL, WFBS_VALUE_NAME);
    value->value = wfbs_loader_scalar(l, table, WFBS_REFLECTION_ENUM_VAL, WFBS_VALUE_VALUE);
    value->index = WFBS_NONE;
    value->shape = WFBS_SHAPE_NONE;
    if (!wfbs_loader_is_name(value->name, true)) {
        return wfbs_loader_fail_enum(l, WFBS_FAULT_SCHEMA_NAME, index);
    }
    if (!of->is_union) {
        return true;
    }
    const uint32_t type = wfbs_loader_table(l, table, WFBS_REFLECTION_ENUM_VAL, WFBS_VALUE_TYPE);
    const uint64_t base =
        type ? wfbs_loader_scalar(l, type, WFBS_REFLECTION_TYPE, WFBS_TYPE_BASE) : WFBS_BASE_NONE;
    if ((value->value == 0) != (base == WFBS_BASE_NONE) || value->value > UINT8_MAX) {
        return of->refused != WFBS_USABLE
               || wfbs_loader_fail_enum(l, WFBS_FAULT_SCHEMA_ENUM, index);
    }
    if (base == WFBS_BASE_STRING) {
        value->shape = WFBS_SHAPE_STRING;
    }
    else if (base == WFBS_BASE_OBJ) {
        const uint64_t object = wfbs_loader_scalar(l, type, WFBS_REFLECTION_TYPE, WFBS_TYPE_INDEX);
        if (object >= l->plan->object_count) {
            return wfbs_loader_fail_enum(l, WFBS_FAULT_SCHEMA_INDEX, index);
        }
        value->index = (uint32_t)object;
        value->shape = l->objects[object].is_struct ? WFBS_SHAPE_STRUCT : WFBS_SHAPE_TABLE;
    }
    else if (base != WFBS_BASE_NONE) {
        l->enums[index].refused = WFBS_REFUSED_BASE_TYPE;
    }
    return true;
}

/* Sorts the values of an unsigned type. The file has values above 2^63 first, as negative ones.
 * Reversals rotate them to the end. */
static void
turn_values(wfbs_plan_value *values, uint32_t count)
{
    uint32_t negative = 0;
    while (negative < count && (int64_t)values[negative].value < 0) {
        negative++;
    }
    const uint32_t ranges[3][2] = {{0, negative}, {negative, count}, {0, count}};
    for (unsigned k = 0; negative < count && k < 3; k++) {
        for (uint32_t i = ranges[k][0], j = ranges[k][1]; i + 1 < j; i++) {
            j--;
            const wfbs_plan_value swapped = values[i];
            values[i] = values[j];
            values[j] = swapped;
        }
    }
}

/* Whether a type of so many bytes can have a value. */
static bool
fits(uint64_t value, unsigned scalar)
{
    const uint32_t size = wfbs_base_size(scalar);
    return size == 8 || wfbs_walk_extend(value & ((UINT64_C(1) << 8 * size) - 1), scalar) == value;
}

/* Checks the values and their order, and derives facts from them. */
static bool
finish_enum(wfbs_loader *l, uint32_t index)
{
    wfbs_plan_enum *type = &l->enums[index];
    wfbs_plan_value *values = l->values + type->values;
    const bool is_signed = wfbs_base_is_signed(type->scalar);
    if (!is_signed) {
        turn_values(values, type->value_count);
    }
    type->is_dense = type->value_count != 0;
    for (uint32_t i = 0; i < type->value_count; i++) {
        const uint64_t value = values[i].value;
        type->all_bits |= value;
        if (!fits(value, type->scalar)) {
            return wfbs_loader_fail_enum(l, WFBS_FAULT_SCHEMA_ENUM, index);
        }
        if (!i) {
            continue;
        }
        const uint64_t last = values[i - 1].value;
        if (is_signed ? (int64_t)value < (int64_t)last : value < last) {
            return wfbs_loader_fail_enum(l, WFBS_FAULT_SCHEMA_ENUM, index);
        }
        type->is_dense &= value == last + 1;
    }
    if (!type->is_union) {
        return true;
    }
    if (!type->is_dense || values[0].value != 0 || type->value_count > 256) {
        /* Members with explicit numbers may have gaps, but no duplicates. */
        for (uint32_t i = 1; i < type->value_count; i++) {
            if (values[i].value == values[i - 1].value) {
                return wfbs_loader_fail_enum(l, WFBS_FAULT_SCHEMA_ENUM, index);
            }
        }
    }
    bool seen_text = false;
    for (uint32_t i = 0; i < type->value_count && type->value_count <= 256; i++) {
        const unsigned shape = values[i].shape;
        type->is_ambiguous |=
            shape == WFBS_SHAPE_STRUCT || (shape == WFBS_SHAPE_STRING && seen_text);
        seen_text |= shape == WFBS_SHAPE_STRING;
        for (uint32_t k = 0; k < i; k++) {
            type->is_ambiguous |= shape == WFBS_SHAPE_TABLE && values[k].index == values[i].index;
        }
    }
    return type->value_count && values[0].value == 0
               ? true
               : wfbs_loader_fail_enum(l, WFBS_FAULT_SCHEMA_ENUM, index);
}

bool
wfbs_loader_compile_enum(wfbs_loader *l, uint32_t index)
{
    wfbs_plan_enum *type = &l->enums[index];
    const uint32_t table = wfbs_loader_enum(l, index);
    const uint32_t of = wfbs_loader_table(l, table, WFBS_REFLECTION_ENUM, WFBS_ENUM_TYPE);
    uint32_t count, attributes;
    type->scalar = (uint8_t)wfbs_loader_scalar(l, of, WFBS_REFLECTION_TYPE, WFBS_TYPE_BASE);
    type->is_union = wfbs_loader_scalar(l, table, WFBS_REFLECTION_ENUM, WFBS_ENUM_IS_UNION) != 0;
    if (type->is_union && type->scalar != WFBS_BASE_UTYPE) {
        type->refused = WFBS_REFUSED_UNION_TYPE;
    }
    else if (!type->is_union
             && (!wfbs_base_is_integer(type->scalar) || type->scalar == WFBS_BASE_UTYPE)) {
        return wfbs_loader_fail_enum(l, WFBS_FAULT_SCHEMA_ENUM, index);
    }
    attributes = wfbs_loader_vector(l, table, WFBS_REFLECTION_ENUM, WFBS_ENUM_ATTRIBUTES, &count);
    for (uint32_t i = 0; i < count; i++) {
        const wfbs_name key = wfbs_loader_text(l, wfbs_loader_element(l, attributes, i),
                                               WFBS_REFLECTION_KEY_VALUE, WFBS_ATTRIBUTE_KEY);
        type->is_flags |= wfbs_name_is(key, "bit_flags");
    }
    const uint32_t elements =
        wfbs_loader_vector(l, table, WFBS_REFLECTION_ENUM, WFBS_ENUM_VALUES, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!compile_value(l, index, wfbs_loader_element(l, elements, i),
                           &l->values[type->values + i])) {
            return false;
        }
    }
    return type->refused != WFBS_USABLE || finish_enum(l, index);
}
