/* Compiles the bytes of a .bfbs to a plan: see load.h. The order: verification, enums, structs
 * (each after the structs in it), tables, then objects that can't be used because of their
 * parts. */
#include "load.h"

#include "loader.h"
#include "verify.h"

/* Schemas refer to one table from many places (attributes, types), so the factor is larger. */
static const wfbs_limits limits = {
    .max_size = 64 << 20,
    .budget_minimum = 1 << 20,
    .budget_factor = 16,
    .max_tables = 4000000,
};
/* The maximum number of rounds in which refusals spread; more than any honest schema needs. */
enum { ROUNDS = 64 };
/* The maximum number of fields: the vtable has at most 65535 bytes. */
enum { MAX_FIELDS = 32765 };

/* ---- structs and tables */

static bool compile_object(wfbs_loader *l, uint32_t index, unsigned depth);

/* Compiles the structs that a struct contains. */
static bool
compile_inner(wfbs_loader *l, uint32_t object, uint32_t elements, uint32_t count, unsigned depth)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t field = wfbs_loader_element(l, elements, i);
        const uint32_t type = wfbs_loader_table(l, field, WFBS_REFLECTION_FIELD, WFBS_FIELD_TYPE);
        const uint64_t base = wfbs_loader_scalar(l, type, WFBS_REFLECTION_TYPE, WFBS_TYPE_BASE);
        const uint64_t of = wfbs_loader_scalar(l, type, WFBS_REFLECTION_TYPE, WFBS_TYPE_ELEMENT);
        const uint64_t index = wfbs_loader_scalar(l, type, WFBS_REFLECTION_TYPE, WFBS_TYPE_INDEX);
        if (base != WFBS_BASE_OBJ && !(base == WFBS_BASE_ARRAY && of == WFBS_BASE_OBJ)) {
            continue;
        }
        if (index >= l->plan->object_count) {
            return wfbs_loader_fail_field(l, WFBS_FAULT_SCHEMA_INDEX, object, i);
        }
        if (l->objects[index].is_struct && !compile_object(l, (uint32_t)index, depth + 1)) {
            return false;
        }
    }
    return true;
}

/* Puts each field in the place of its id. */
static bool
compile_fields(wfbs_loader *l, uint32_t index, uint32_t elements, uint32_t count)
{
    wfbs_plan_object *object = &l->objects[index];
    wfbs_plan_field *fields = l->fields + object->fields;
    wfbs_name *names = l->field_names + object->fields;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t table = wfbs_loader_element(l, elements, i);
        const uint64_t id = wfbs_loader_scalar(l, table, WFBS_REFLECTION_FIELD, WFBS_FIELD_ID);
        const wfbs_name name = wfbs_loader_text(l, table, WFBS_REFLECTION_FIELD, WFBS_FIELD_NAME);
        wfbs_refusal refusal = WFBS_USABLE;
        if (!wfbs_loader_is_name(name, false)) {
            return wfbs_loader_fail_field(l, WFBS_FAULT_SCHEMA_NAME, index, i);
        }
        if (id >= count || names[id].data) { /* so each id occurs once */
            return wfbs_loader_fail_field(l, WFBS_FAULT_SCHEMA_ID, index, i);
        }
        if (!wfbs_loader_field(l, index, i, table, &fields[id], &refusal)) {
            return false;
        }
        if (!object->is_struct && fields[id].offset != 4 + 2 * id) {
            return wfbs_loader_fail_field(l, WFBS_FAULT_SCHEMA_OFFSET, index, i);
        }
        names[id] = name;
        if (refusal != WFBS_USABLE && object->refused == WFBS_USABLE) {
            object->refused = (uint8_t)refusal;
            object->refused_by = (uint32_t)id;
        }
    }
    return true;
}

/* Refuses duplicate names: the file sorts fields by name. */
static bool
check_field_order(wfbs_loader *l, uint32_t index, uint32_t elements, uint32_t count)
{
    wfbs_name last = {"", 0};
    for (uint32_t i = 0; i < count; i++) {
        const wfbs_name name = wfbs_loader_text(l, wfbs_loader_element(l, elements, i),
                                                WFBS_REFLECTION_FIELD, WFBS_FIELD_NAME);
        if (wfbs_name_compare(last, name) >= 0) {
            return wfbs_loader_fail_field(l, WFBS_FAULT_SCHEMA_ORDER, index, i);
        }
        last = name;
    }
    return true;
}

/* Recomputes the layout of a struct, and compares it with the file. */
static bool
lay_out_struct(wfbs_loader *l, uint32_t index, uint32_t table)
{
    wfbs_plan_object *object = &l->objects[index];
    const wfbs_plan_field *fields = l->fields + object->fields;
    const uint64_t align =
        wfbs_loader_scalar(l, table, WFBS_REFLECTION_OBJECT, WFBS_OBJECT_MINALIGN);
    const uint64_t size =
        wfbs_loader_scalar(l, table, WFBS_REFLECTION_OBJECT, WFBS_OBJECT_BYTESIZE);
    uint64_t end = 0; /* at most 2^16 fields of 2^16 bytes and padding */
    if (align < 1 || align > 256 || (align & (align - 1)) || !object->field_count) {
        return wfbs_loader_fail_object(l, WFBS_FAULT_SCHEMA_LAYOUT, index);
    }
    object->align = (uint16_t)align;
    object->size = 1;
    if (object->refused) { /* not all of its fields are known */
        return true;
    }
    for (uint32_t i = 0; i < object->field_count; i++) {
        const wfbs_plan_field *f = &fields[i];
        end = (end + f->align - 1) & ~(uint64_t)(f->align - 1);
        if (f->offset != (uint16_t)end || f->align > align) {
            return wfbs_loader_fail_object(l, WFBS_FAULT_SCHEMA_LAYOUT, index);
        }
        end += f->size;
        object->is_checked |=
            f->scalar == WFBS_BASE_BOOL || f->demand == WFBS_DEMAND_WAMPID
            || (f->index != WFBS_NONE
                && (f->shape == WFBS_SHAPE_STRUCT || f->element == WFBS_SHAPE_STRUCT)
                && l->objects[f->index].is_checked);
    }
    end = (end + align - 1) & ~(align - 1);
    object->size = end < UINT16_MAX ? (uint32_t)end : UINT16_MAX;
    if (end > INT16_MAX) { /* offsets in a struct and sizes of tables have 16 bits */
        object->refused = WFBS_REFUSED_SIZE;
        return true;
    }
    return end == size || wfbs_loader_fail_object(l, WFBS_FAULT_SCHEMA_LAYOUT, index);
}

/* A union's type is in the field before it, and a type is only before a union. */
static bool
check_unions(wfbs_loader *l, uint32_t index)
{
    const wfbs_plan_object *object = &l->objects[index];
    wfbs_plan_field *fields = l->fields + object->fields;
    for (uint32_t i = 0; i < object->field_count; i++) {
        wfbs_plan_field *f = &fields[i];
        const bool many = f->shape == WFBS_SHAPE_VECTOR;
        const bool is_union =
            f->shape == WFBS_SHAPE_UNION || (many && f->element == WFBS_SHAPE_UNION);
        if (f->flags & WFBS_FIELD_TAG) {
            if (i + 1 == object->field_count
                || (fields[i + 1].shape != WFBS_SHAPE_UNION
                    && fields[i + 1].element != WFBS_SHAPE_UNION)) {
                return wfbs_loader_fail_object(l, WFBS_FAULT_SCHEMA_UNION, index);
            }
        }
        if (is_union) {
            if (!i || !(fields[i - 1].flags & WFBS_FIELD_TAG) || fields[i - 1].index != f->index
                || many != (fields[i - 1].shape == WFBS_SHAPE_VECTOR)) {
                return wfbs_loader_fail_object(l, WFBS_FAULT_SCHEMA_UNION, index);
            }
            fields[i - 1].flags |= f->flags & WFBS_FIELD_DEPRECATED;
            fields[i - 1].flags &= (uint8_t)~WFBS_FIELD_REQUIRED;
        }
    }
    return true;
}

/* Facts derived from the fields: the key, the last required field, and the order by alignment. */
static void
finish_object(wfbs_loader *l, uint32_t index)
{
    wfbs_plan_object *object = &l->objects[index];
    const wfbs_plan_field *fields = l->fields + object->fields;
    uint16_t *order = l->orders + object->by_align;
    uint16_t widest = object->is_struct ? object->align : 4;
    for (uint32_t i = 0; i < object->field_count; i++) {
        const unsigned flags = fields[i].flags;
        if ((flags & WFBS_FIELD_KEY) && object->key == WFBS_NONE) {
            object->key = i;
        }
        if ((flags & WFBS_FIELD_REQUIRED) && !(flags & WFBS_FIELD_DEPRECATED)) {
            object->required = i + 1;
        }
        widest = fields[i].align > widest ? fields[i].align : widest;
    }
    object->align = widest;
    for (unsigned align = 256; align; align >>= 1) {
        for (uint32_t i = 0; i < object->field_count; i++) {
            if (fields[i].align == align) {
                *order++ = (uint16_t)i;
            }
        }
    }
}

static unsigned
words_of(wfbs_name name, uint32_t size)
{
    static const struct {
        const char *name;
        uint8_t size;
    } words[] = {{"uint128_t", 16}, {"uint160_t", 20}, {"uint256_t", 32}};
    while (name.size && memchr(name.data, '.', name.size)) { /* the last part is the struct's own */
        name.data++;
        name.size--;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (wfbs_name_is(name, words[i].name) && size == words[i].size) {
            return words[i].size;
        }
    }
    return 0;
}

static bool
compile_object(wfbs_loader *l, uint32_t index, unsigned depth)
{
    enum { UNDER_WAY = UINT16_MAX };
    wfbs_plan_object *object = &l->objects[index];
    uint32_t count;
    if (object->align && object->align != UNDER_WAY) {
        return true;
    }
    if (object->align == UNDER_WAY || depth >= WFBS_STRUCT_MAX_DEPTH) {
        return wfbs_loader_fail_object(l, WFBS_FAULT_SCHEMA_RECURSION, index);
    }
    const uint32_t table = wfbs_loader_object(l, index);
    const uint32_t elements =
        wfbs_loader_vector(l, table, WFBS_REFLECTION_OBJECT, WFBS_OBJECT_FIELDS, &count);
    if (count > MAX_FIELDS) {
        return wfbs_loader_fail_object(l, WFBS_FAULT_SCHEMA_ID, index);
    }
    object->align = UNDER_WAY;
    if ((object->is_struct && !compile_inner(l, index, elements, count, depth))
        || !compile_fields(l, index, elements, count)
        || !check_field_order(l, index, elements, count)
        || (object->is_struct && !lay_out_struct(l, index, table))
        || (!object->is_struct && object->refused == WFBS_USABLE && !check_unions(l, index))) {
        return false;
    }
    object->words = object->is_struct ? (uint8_t)words_of(object->name, object->size) : 0;
    finish_object(l, index);
    return true;
}

/* ---- the whole file */

/* Whether a field refers to something that is refused. */
static bool
has_refused_part(const wfbs_loader *l, const wfbs_plan_field *f)
{
    const unsigned shape =
        f->shape == WFBS_SHAPE_VECTOR || f->shape == WFBS_SHAPE_ARRAY ? f->element : f->shape;
    if (f->nested != WFBS_NONE && l->objects[f->nested].refused) {
        return true;
    }
    if (shape == WFBS_SHAPE_TABLE || shape == WFBS_SHAPE_STRUCT) {
        return l->objects[f->index].refused != WFBS_USABLE;
    }
    return shape == WFBS_SHAPE_UNION && l->enums[f->index].refused != WFBS_USABLE;
}

/* A union is refused if a member is. */
static bool
spread_to_union(wfbs_loader *l, wfbs_plan_enum *type)
{
    for (uint32_t i = 0; type->is_union && !type->refused && i < type->value_count; i++) {
        const uint32_t member = l->values[type->values + i].index;
        if (member != WFBS_NONE && l->objects[member].refused) {
            type->refused = WFBS_REFUSED_PART;
            return true;
        }
    }
    return false;
}

/* Refuses objects with refused parts, until nothing changes. */
static bool
spread_refusals(wfbs_loader *l)
{
    bool changed = true;
    for (unsigned round = 0; changed; round++) {
        if (round == ROUNDS) {
            return wfbs_loader_fail_object(l, WFBS_FAULT_SCHEMA_RECURSION, 0);
        }
        changed = false;
        for (uint32_t i = 0; i < l->plan->object_count; i++) {
            wfbs_plan_object *object = &l->objects[i];
            for (uint32_t k = 0; !object->refused && k < object->field_count; k++) {
                const wfbs_plan_field *f = &l->fields[object->fields + k];
                if (has_refused_part(l, f)) {
                    object->refused = WFBS_REFUSED_PART;
                    object->refused_by = k;
                    changed = true;
                }
            }
        }
        for (uint32_t i = 0; i < l->plan->enum_count; i++) {
            changed |= spread_to_union(l, &l->enums[i]);
        }
    }
    return true;
}

/* Fills in the names and places of all objects and enums, so that they can be looked up. */
static bool
list_types(wfbs_loader *l)
{
    uint32_t fields = 0, values = 0, count;
    for (uint32_t i = 0; i < l->plan->object_count; i++) {
        wfbs_plan_object *object = &l->objects[i];
        const uint32_t table = wfbs_loader_object(l, i);
        wfbs_loader_vector(l, table, WFBS_REFLECTION_OBJECT, WFBS_OBJECT_FIELDS, &count);
        object->name = wfbs_loader_text(l, table, WFBS_REFLECTION_OBJECT, WFBS_OBJECT_NAME);
        object->fields = object->by_align = fields;
        object->field_count = count;
        object->key = object->refused_by = WFBS_NONE;
        object->is_struct =
            wfbs_loader_scalar(l, table, WFBS_REFLECTION_OBJECT, WFBS_OBJECT_IS_STRUCT) != 0;
        fields += count;
        if (!wfbs_loader_is_name(object->name, true)) {
            return wfbs_loader_fail_object(l, WFBS_FAULT_SCHEMA_NAME, i);
        }
        if (i && wfbs_name_compare(object[-1].name, object->name) >= 0) {
            return wfbs_loader_fail_object(l, WFBS_FAULT_SCHEMA_ORDER, i);
        }
    }
    for (uint32_t i = 0; i < l->plan->enum_count; i++) {
        wfbs_plan_enum *type = &l->enums[i];
        const uint32_t table = wfbs_loader_enum(l, i);
        wfbs_loader_vector(l, table, WFBS_REFLECTION_ENUM, WFBS_ENUM_VALUES, &count);
        type->name = wfbs_loader_text(l, table, WFBS_REFLECTION_ENUM, WFBS_ENUM_NAME);
        type->values = values;
        type->value_count = count;
        values += count;
        if (!wfbs_loader_is_name(type->name, true)) {
            return wfbs_loader_fail_enum(l, WFBS_FAULT_SCHEMA_NAME, i);
        }
        if (i && wfbs_name_compare(type[-1].name, type->name) >= 0) {
            return wfbs_loader_fail_enum(l, WFBS_FAULT_SCHEMA_ORDER, i);
        }
    }
    return true;
}

/* Sets the root table and the identifier. */
static bool
compile_root(wfbs_loader *l)
{
    const uint32_t root = wfbs_loader_table(l, l->schema, WFBS_REFLECTION_SCHEMA, WFBS_SCHEMA_ROOT);
    const wfbs_name identifier =
        wfbs_loader_text(l, l->schema, WFBS_REFLECTION_SCHEMA, WFBS_SCHEMA_IDENT);
    l->plan->root = WFBS_NONE;
    if (root) {
        const wfbs_name name =
            wfbs_loader_text(l, root, WFBS_REFLECTION_REFERENCE, WFBS_OBJECT_NAME);
        l->plan->root = wfbs_plan_find_object(l->plan, name.data, name.size);
        if (l->plan->root == WFBS_NONE || l->objects[l->plan->root].is_struct) {
            l->fault->code = WFBS_FAULT_SCHEMA_ROOT;
            return wfbs_fault_step(l->fault, WFBS_REFLECTION_SCHEMA, WFBS_SCHEMA_ROOT);
        }
    }
    if (identifier.size && identifier.size != 4) {
        l->fault->code = WFBS_FAULT_SCHEMA_IDENTIFIER;
        return wfbs_fault_step(l->fault, WFBS_REFLECTION_SCHEMA, WFBS_SCHEMA_IDENT);
    }
    l->plan->identifier = identifier;
    return true;
}

static bool
verify_file(wfbs_loader *l, const uint8_t *data, size_t size, wfbs_fault *fault)
{
    const wfbs_typed_rules rules = {&wfbs_reflection, &limits, false};
    memset(l, 0, sizeof *l);
    l->data = data;
    l->fault = fault;
    return wfbs_typed_verify(&rules, WFBS_REFLECTION_SCHEMA, data, size, "BFBS", fault, &l->schema);
}

/* Counts the items of the plan. Each count is at most the number of tables that may be visited. */
static void
count_all(wfbs_loader *l, wfbs_plan *plan)
{
    uint32_t count;
    memset(plan, 0, sizeof *plan);
    wfbs_loader_vector(l, l->schema, WFBS_REFLECTION_SCHEMA, WFBS_SCHEMA_OBJECTS,
                       &plan->object_count);
    wfbs_loader_vector(l, l->schema, WFBS_REFLECTION_SCHEMA, WFBS_SCHEMA_ENUMS, &plan->enum_count);
    for (uint32_t i = 0; i < plan->object_count; i++) {
        wfbs_loader_vector(l, wfbs_loader_object(l, i), WFBS_REFLECTION_OBJECT, WFBS_OBJECT_FIELDS,
                           &count);
        plan->field_count += count;
    }
    for (uint32_t i = 0; i < plan->enum_count; i++) {
        wfbs_loader_vector(l, wfbs_loader_enum(l, i), WFBS_REFLECTION_ENUM, WFBS_ENUM_VALUES,
                           &count);
        plan->value_count += count;
    }
}

/* The size of all arrays for the plan's counts; if there is memory, also their positions. Arrays
 * with the strictest alignment come first. */
static size_t
place_all(wfbs_loader *l, wfbs_plan *plan, char *memory)
{
    const size_t sizes[] = {
        plan->object_count * sizeof *plan->objects,    plan->enum_count * sizeof *plan->enums,
        plan->value_count * sizeof *plan->values,      plan->field_count * sizeof *plan->fields,
        plan->field_count * sizeof *plan->field_names, plan->field_count * sizeof *plan->orders};
    char *places[sizeof sizes / sizeof *sizes];
    size_t used = 0;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        places[i] = memory ? memory + used : NULL;
        used += sizes[i];
    }
    if (memory) {
        memset(memory, 0, used);
        plan->objects = l->objects = (void *)places[0];
        plan->enums = l->enums = (void *)places[1];
        plan->values = l->values = (void *)places[2];
        plan->fields = l->fields = (void *)places[3];
        plan->field_names = l->field_names = (void *)places[4];
        plan->orders = l->orders = (void *)places[5];
    }
    return used + 1; /* even for a file without types */
}

size_t
wfbs_plan_measure(const uint8_t *data, size_t size, wfbs_fault *fault)
{
    wfbs_loader l;
    wfbs_plan plan;
    if (!verify_file(&l, data, size, fault)) {
        return 0;
    }
    count_all(&l, &plan);
    return place_all(&l, &plan, NULL);
}

bool
wfbs_plan_load(const uint8_t *data, size_t size, bool words_in_memory_order, void *memory,
               wfbs_plan *plan, wfbs_fault *fault)
{
    wfbs_loader l;
    if (!verify_file(&l, data, size, fault)) {
        return false;
    }
    count_all(&l, plan);
    place_all(&l, plan, memory);
    l.plan = plan;
    plan->words_in_memory_order = words_in_memory_order;
    if (!list_types(&l)) {
        return false;
    }
    for (uint32_t i = 0; i < plan->enum_count; i++) {
        if (!wfbs_loader_compile_enum(&l, i)) {
            return false;
        }
    }
    for (unsigned tables = 0; tables < 2; tables++) { /* structs first */
        for (uint32_t i = 0; i < plan->object_count; i++) {
            if (l.objects[i].is_struct == (tables == 0) && !compile_object(&l, i, 0)) {
                return false;
            }
        }
    }
    return spread_refusals(&l) && compile_root(&l);
}

const char *
wfbs_refusal_text(wfbs_refusal refusal)
{
    static const char *const texts[] = {
        [WFBS_USABLE] = "can be used",
        [WFBS_REFUSED_VECTOR64] = "64-bit vectors are not supported",
        [WFBS_REFUSED_OFFSET64] = "64-bit offsets are not supported",
        [WFBS_REFUSED_UNION_TYPE] = "unions with an explicit underlying type are not supported",
        [WFBS_REFUSED_BASE_TYPE] = "its type is unknown",
        [WFBS_REFUSED_ATTRIBUTE] = "its WAMP attribute doesn't suit its type",
        [WFBS_REFUSED_ARG_KWARG] = "it has both attributes, arg and kwarg",
        [WFBS_REFUSED_NESTED] = "its nested_flatbuffer is not a table of the file",
        [WFBS_REFUSED_SIZE] = "more than 32767 bytes in a struct are not supported",
        [WFBS_REFUSED_PART] = "its type is refused",
    };
    return texts[refusal];
}
