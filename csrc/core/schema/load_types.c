/* Fills in a field of a table or struct: type, default and attributes. */

#include "wamp_attributes.h"
#include "loader.h"

/* The state while a field is compiled. */
typedef struct {
    wfbs_loader *loader;
    uint32_t object;
    uint32_t source; /* its index among the object's fields in the file */
    uint32_t table;
    wfbs_plan_field *field;
    wfbs_refusal refusal;
} context;

static bool
fail(const context *c, wfbs_fault_code code)
{
    return wfbs_loader_fail_field(c->loader, code, c->object, c->source);
}

static bool
refuse(context *c, wfbs_refusal refusal)
{
    c->refusal = refusal;
    c->field->shape = WFBS_SHAPE_NONE;
    return true;
}

/* Resolves the index of a Type to an object or an enum. */
static bool
index_of(const context *c, uint32_t type, bool is_enum)
{
    const wfbs_loader *l = c->loader;
    const uint64_t index = wfbs_loader_scalar(l, type, WFBS_REFLECTION_TYPE, WFBS_TYPE_INDEX);
    /* Negative values are large here. */
    if (index >= (is_enum ? l->plan->enum_count : l->plan->object_count)) {
        return fail(c, WFBS_FAULT_SCHEMA_INDEX);
    }
    c->field->index = (uint32_t)index;
    return true;
}

/* A scalar or a union's type: of an enum if its index is not negative. Sets scalar, index and
 * flags. */
static bool
scalar_type(const context *c, uint32_t type, unsigned base)
{
    wfbs_loader *l = c->loader;
    const uint64_t index = wfbs_loader_scalar(l, type, WFBS_REFLECTION_TYPE, WFBS_TYPE_INDEX);
    c->field->scalar = (uint8_t)base;
    c->field->index = WFBS_NONE;
    if ((int64_t)index < 0) {
        return base != WFBS_BASE_UTYPE || fail(c, WFBS_FAULT_SCHEMA_INDEX);
    }
    if (!index_of(c, type, true)) {
        return false;
    }
    const wfbs_plan_enum *of = &l->enums[c->field->index];
    if (of->is_union != (base == WFBS_BASE_UTYPE)
        || (of->scalar != base && of->refused == WFBS_USABLE)) {
        return fail(c, WFBS_FAULT_SCHEMA_TYPE);
    }
    if (base == WFBS_BASE_UTYPE) {
        c->field->flags |= WFBS_FIELD_TAG;
    }
    return true;
}

/* The type of the elements: sets element, scalar, index, stride and element_align. */
static bool
element_type(context *c, uint32_t type, bool in_array)
{
    const wfbs_loader *l = c->loader;
    wfbs_plan_field *f = c->field;
    const uint64_t base = wfbs_loader_scalar(l, type, WFBS_REFLECTION_TYPE, WFBS_TYPE_ELEMENT);
    f->stride = 4;
    f->element_align = 4;
    if (wfbs_base_size((unsigned)base)) {
        if (in_array && base == WFBS_BASE_UTYPE) {
            return fail(c, WFBS_FAULT_SCHEMA_TYPE);
        }
        f->element = WFBS_SHAPE_SCALAR;
        f->stride = wfbs_base_size((unsigned)base);
        f->element_align = (uint16_t)f->stride;
        if (!scalar_type(c, type, (unsigned)base)) {
            return false;
        }
        if (base == WFBS_BASE_UBYTE && f->index == WFBS_NONE) {
            f->flags |= WFBS_FIELD_BYTES;
        }
        return true;
    }
    if (base == WFBS_BASE_OBJ) {
        if (!index_of(c, type, false)) {
            return false;
        }
        const wfbs_plan_object *of = &l->objects[f->index];
        f->element = of->is_struct ? WFBS_SHAPE_STRUCT : WFBS_SHAPE_TABLE;
        if (of->is_struct) {
            f->stride = of->size;
            f->element_align = of->align;
        }
        return !in_array || of->is_struct || fail(c, WFBS_FAULT_SCHEMA_TYPE);
    }
    if (in_array) {
        return fail(c, WFBS_FAULT_SCHEMA_TYPE);
    }
    if (base == WFBS_BASE_STRING) {
        f->element = WFBS_SHAPE_STRING;
        return true;
    }
    if (base == WFBS_BASE_UNION) {
        f->element = WFBS_SHAPE_UNION;
        return index_of(c, type, true)
               && (l->enums[f->index].is_union || fail(c, WFBS_FAULT_SCHEMA_TYPE));
    }
    return base == WFBS_BASE_NONE || base == WFBS_BASE_VECTOR || base == WFBS_BASE_ARRAY
               ? fail(c, WFBS_FAULT_SCHEMA_TYPE)
               : refuse(c, WFBS_REFUSED_BASE_TYPE);
}

/* A field that is an object, inline or by offset. */
static bool
object_type(context *c, uint32_t type)
{
    wfbs_plan_field *f = c->field;
    if (!index_of(c, type, false)) {
        return false;
    }
    const wfbs_plan_object *of = &c->loader->objects[f->index];
    f->shape = of->is_struct ? WFBS_SHAPE_STRUCT : WFBS_SHAPE_TABLE;
    if (of->is_struct) {
        f->size = of->size;
        f->align = of->align;
    }
    return true;
}

/* The type of a field: sets all but default, offset and attributes. */
static bool
type_of(context *c, uint32_t type, bool in_struct)
{
    wfbs_loader *l = c->loader;
    wfbs_plan_field *f = c->field;
    const uint64_t base = wfbs_loader_scalar(l, type, WFBS_REFLECTION_TYPE, WFBS_TYPE_BASE);
    const uint64_t length = wfbs_loader_scalar(l, type, WFBS_REFLECTION_TYPE, WFBS_TYPE_LENGTH);
    f->size = 4;
    f->align = 4;
    if (wfbs_base_size((unsigned)base)) { /* base is an enum of bytes: a negative value is large */
        f->shape = WFBS_SHAPE_SCALAR;
        f->size = wfbs_base_size((unsigned)base);
        f->align = (uint16_t)f->size;
        return scalar_type(c, type, (unsigned)base)
               && (!in_struct || base != WFBS_BASE_UTYPE || fail(c, WFBS_FAULT_SCHEMA_TYPE));
    }
    if (base == WFBS_BASE_OBJ) {
        return object_type(c, type)
               && (!in_struct || f->shape == WFBS_SHAPE_STRUCT || fail(c, WFBS_FAULT_SCHEMA_TYPE));
    }
    if (base == WFBS_BASE_ARRAY) {
        if (!in_struct || !length) {
            return fail(c, WFBS_FAULT_SCHEMA_TYPE);
        }
        f->shape = WFBS_SHAPE_ARRAY;
        f->fixed_length = (uint16_t)length;
        if (!element_type(c, type, true)) {
            return false;
        }
        f->align = f->element_align;
        const uint64_t size = length * f->stride; /* less than 2^16 times less than 2^32 */
        f->size = size < UINT16_MAX ? (uint32_t)size : UINT16_MAX;
        return size < UINT16_MAX || refuse(c, WFBS_REFUSED_SIZE);
    }
    if (in_struct) {
        return fail(c, WFBS_FAULT_SCHEMA_TYPE);
    }
    switch (base) {
    case WFBS_BASE_STRING:
        f->shape = WFBS_SHAPE_STRING;
        return true;
    case WFBS_BASE_VECTOR:
        f->shape = WFBS_SHAPE_VECTOR;
        return element_type(c, type, false);
    case WFBS_BASE_UNION:
        f->shape = WFBS_SHAPE_UNION;
        return index_of(c, type, true)
               && (l->enums[f->index].is_union || fail(c, WFBS_FAULT_SCHEMA_TYPE));
    case WFBS_BASE_VECTOR64:
        return refuse(c, WFBS_REFUSED_VECTOR64);
    default:
        return base == WFBS_BASE_NONE ? fail(c, WFBS_FAULT_SCHEMA_TYPE)
                                      : refuse(c, WFBS_REFUSED_BASE_TYPE);
    }
}

/* The default of a scalar, as its bits in a buffer. */
static void
default_of(context *c)
{
    const wfbs_loader *l = c->loader;
    wfbs_plan_field *f = c->field;
    uint64_t integer = wfbs_loader_scalar(l, c->table, WFBS_REFLECTION_FIELD, WFBS_FIELD_INTEGER);
    const uint64_t bits = wfbs_loader_scalar(l, c->table, WFBS_REFLECTION_FIELD, WFBS_FIELD_REAL);
    double real;
    memcpy(&real, &bits, sizeof real);
    if (f->scalar == WFBS_BASE_DOUBLE) {
        f->default_bits = bits;
    }
    else if (f->scalar == WFBS_BASE_FLOAT) {
        /* Converting a value out of range is undefined; a value beyond all floats becomes an
         * infinity. */
        uint32_t narrow_bits = real < 0 ? 0xFF800000u : 0x7F800000u;
        if (!(real > 3.4028234663852886e38) && !(real < -3.4028234663852886e38)) { /* or NaN */
            const float narrow = (float)real;
            memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
        }
        f->default_bits = narrow_bits;
    }
    else {
        integer = f->scalar == WFBS_BASE_BOOL ? integer != 0 : integer;
        f->default_bits = f->size < 8 ? integer & ((UINT64_C(1) << 8 * f->size) - 1) : integer;
    }
}

/* Whether a field can have the check of a WAMP attribute. */
static bool
suits(const wfbs_loader *l, const wfbs_plan_field *f, wfbs_demand demand)
{
    const bool many = f->shape == WFBS_SHAPE_VECTOR || f->shape == WFBS_SHAPE_ARRAY;
    switch (many ? f->element : f->shape) {
    case WFBS_SHAPE_STRING:
        return wfbs_demand_suits_text(demand);
    case WFBS_SHAPE_STRUCT:
        return wfbs_demand_words(demand) && wfbs_demand_words(demand) == l->objects[f->index].words;
    case WFBS_SHAPE_SCALAR:
        if (many && (f->flags & WFBS_FIELD_BYTES)) {
            return wfbs_demand_suits_bytes(demand)
                   && (f->shape != WFBS_SHAPE_ARRAY || f->fixed_length == wfbs_demand_size(demand));
        }
        return f->scalar == WFBS_BASE_ULONG && wfbs_demand_suits_integer(demand);
    default:
        return false;
    }
}

/* The table that nested_flatbuffer names: in the namespace of the table that has the field, or in
 * an enclosing one. WFBS_NONE if there is none. */
static uint32_t
nested_table(const context *c, wfbs_name value)
{
    const wfbs_loader *l = c->loader;
    const wfbs_name own = l->objects[c->object].name;
    char text[2048]; /* qualified names have at most 1023 bytes */
    uint32_t scope = own.size;
    if (value.size > 1023) {
        return WFBS_NONE;
    }
    while (scope) {
        while (scope && own.data[scope - 1] != '.') {
            scope--;
        }
        memcpy(text, own.data, scope); /* including its dot */
        memcpy(text + scope, value.data, value.size);
        const uint32_t found = wfbs_plan_find_object(l->plan, text, scope + value.size);
        if (found != WFBS_NONE) {
            return l->objects[found].is_struct ? WFBS_NONE : found;
        }
        scope -= scope != 0; /* after the dot */
    }
    const uint32_t found = wfbs_plan_find_object(l->plan, value.data, value.size);
    return found == WFBS_NONE || l->objects[found].is_struct ? WFBS_NONE : found;
}

/* The attributes of a field: sets demand, nested and flags. */
static bool
attributes_of(context *c)
{
    const wfbs_loader *l = c->loader;
    wfbs_plan_field *f = c->field;
    uint32_t count;
    bool is_arg = false;
    const bool is_bytes = f->shape == WFBS_SHAPE_VECTOR && (f->flags & WFBS_FIELD_BYTES);
    const uint32_t elements =
        wfbs_loader_vector(l, c->table, WFBS_REFLECTION_FIELD, WFBS_FIELD_ATTRIBUTES, &count);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t at = wfbs_loader_element(l, elements, i);
        const wfbs_name key =
            wfbs_loader_text(l, at, WFBS_REFLECTION_KEY_VALUE, WFBS_ATTRIBUTE_KEY);
        const wfbs_demand demand = wfbs_demand_of(key.data, key.size);
        if (demand != WFBS_DEMAND_NONE) {
            if (!suits(l, f, demand)) {
                return refuse(c, WFBS_REFUSED_ATTRIBUTE);
            }
            f->demand = (uint8_t)demand;
        }
        else if (wfbs_name_is(key, "kwarg")) {
            f->flags |= WFBS_FIELD_KWARG;
        }
        else if (wfbs_name_is(key, "arg")) {
            is_arg = true;
        }
        else if (wfbs_name_is(key, "flexbuffer") && is_bytes) {
            f->flags |= WFBS_FIELD_FLEXBUFFER;
        }
        else if (wfbs_name_is(key, "nested_flatbuffer") && is_bytes) {
            f->nested = nested_table(
                c, wfbs_loader_text(l, at, WFBS_REFLECTION_KEY_VALUE, WFBS_ATTRIBUTE_VALUE));
            if (f->nested == WFBS_NONE) {
                return refuse(c, WFBS_REFUSED_NESTED);
            }
        }
    }
    return !is_arg || !(f->flags & WFBS_FIELD_KWARG) || refuse(c, WFBS_REFUSED_ARG_KWARG);
}

bool
wfbs_loader_field(wfbs_loader *l, uint32_t object, uint32_t source, uint32_t table,
                  wfbs_plan_field *field, wfbs_refusal *refusal)
{
    static const struct {
        uint8_t number, flag;
    } flags[] = {{WFBS_FIELD_IS_DEPRECATED, WFBS_FIELD_DEPRECATED},
                 {WFBS_FIELD_IS_REQUIRED, WFBS_FIELD_REQUIRED},
                 {WFBS_FIELD_IS_KEY, WFBS_FIELD_KEY},
                 {WFBS_FIELD_IS_OPTIONAL, WFBS_FIELD_OPTIONAL}};
    context c = {l, object, source, table, field, WFBS_USABLE};
    const uint32_t type = wfbs_loader_table(l, table, WFBS_REFLECTION_FIELD, WFBS_FIELD_TYPE);
    const bool in_struct = l->objects[object].is_struct;
    memset(field, 0, sizeof *field);
    field->index = WFBS_NONE;
    field->nested = WFBS_NONE;
    for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (wfbs_loader_scalar(l, table, WFBS_REFLECTION_FIELD, flags[i].number)) {
            field->flags |= flags[i].flag;
        }
    }
    field->offset =
        (uint16_t)wfbs_loader_scalar(l, table, WFBS_REFLECTION_FIELD, WFBS_FIELD_OFFSET);
    if (!type_of(&c, type, in_struct)) {
        return false;
    }
    if (wfbs_loader_scalar(l, table, WFBS_REFLECTION_FIELD, WFBS_FIELD_IS_OFFSET64)) {
        refuse(&c, WFBS_REFUSED_OFFSET64);
    }
    if (field->shape == WFBS_SHAPE_SCALAR) {
        field->flags &= (uint8_t)~WFBS_FIELD_REQUIRED; /* a field with its default isn't written */
        default_of(&c);
    }
    else {
        field->flags &= (uint8_t)~WFBS_FIELD_OPTIONAL;
    }
    if ((field->flags & WFBS_FIELD_KEY) && field->shape == WFBS_SHAPE_STRING) {
        field->flags |= WFBS_FIELD_REQUIRED;
    }
    const bool good = c.refusal != WFBS_USABLE || attributes_of(&c);
    *refusal = c.refusal;
    return good;
}
