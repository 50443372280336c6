/* Reads a verified .bfbs, and reports the places of errors in it. */
#include "loader.h"

static const wfbs_plan_field *
field_of(unsigned object, unsigned number)
{
    return wfbs_fields_of(&wfbs_reflection, &wfbs_reflection.objects[object]) + number;
}

uint32_t
wfbs_loader_table(const wfbs_loader *l, uint32_t table, unsigned object, unsigned number)
{
    const uint32_t at = wfbs_walk_slot(l->data, table, field_of(object, number));
    return at ? wfbs_follow(l->data, at) : 0;
}

uint32_t
wfbs_loader_vector(const wfbs_loader *l, uint32_t table, unsigned object, unsigned number,
                   uint32_t *count)
{
    const uint32_t at = wfbs_walk_slot(l->data, table, field_of(object, number));
    *count = 0;
    return at ? wfbs_walk_vector(l->data, at, count) : 0;
}

uint64_t
wfbs_loader_scalar(const wfbs_loader *l, uint32_t table, unsigned object, unsigned number)
{
    const wfbs_plan_field *f = field_of(object, number);
    const uint32_t at = wfbs_walk_slot(l->data, table, f);
    return wfbs_walk_extend(at ? wfbs_walk_bits(l->data + at, f->scalar) : f->default_bits,
                            f->scalar);
}

wfbs_name
wfbs_loader_text(const wfbs_loader *l, uint32_t table, unsigned object, unsigned number)
{
    const uint32_t at = wfbs_walk_slot(l->data, table, field_of(object, number));
    if (!at) {
        return (wfbs_name){"", 0};
    }
    const wfbs_span span = wfbs_span_at(l->data, at);
    return (wfbs_name){(const char *)span.data, (uint32_t)span.size};
}

uint32_t
wfbs_loader_object(const wfbs_loader *l, uint32_t index)
{
    uint32_t count;
    const uint32_t elements =
        wfbs_loader_vector(l, l->schema, WFBS_REFLECTION_SCHEMA, WFBS_SCHEMA_OBJECTS, &count);
    return wfbs_loader_element(l, elements, index);
}

uint32_t
wfbs_loader_enum(const wfbs_loader *l, uint32_t index)
{
    uint32_t count;
    const uint32_t elements =
        wfbs_loader_vector(l, l->schema, WFBS_REFLECTION_SCHEMA, WFBS_SCHEMA_ENUMS, &count);
    return wfbs_loader_element(l, elements, index);
}

bool
wfbs_loader_fail_field(wfbs_loader *l, wfbs_fault_code code, uint32_t object, uint32_t field)
{
    l->fault->element = field;
    wfbs_fault_step(l->fault, WFBS_REFLECTION_OBJECT, WFBS_OBJECT_FIELDS);
    return wfbs_loader_fail_object(l, code, object);
}

bool
wfbs_loader_fail_object(wfbs_loader *l, wfbs_fault_code code, uint32_t object)
{
    l->fault->code = code;
    l->fault->at = l->plan->object_count ? wfbs_loader_object(l, object) : l->schema;
    l->fault->element = object;
    return wfbs_fault_step(l->fault, WFBS_REFLECTION_SCHEMA, WFBS_SCHEMA_OBJECTS);
}

bool
wfbs_loader_fail_enum(wfbs_loader *l, wfbs_fault_code code, uint32_t index)
{
    l->fault->code = code;
    l->fault->at = wfbs_loader_enum(l, index);
    l->fault->element = index;
    return wfbs_fault_step(l->fault, WFBS_REFLECTION_SCHEMA, WFBS_SCHEMA_ENUMS);
}

bool
wfbs_loader_is_name(wfbs_name name, bool qualified)
{
    const uint32_t longest = qualified ? 1023 : 255;
    bool first = true; /* of a part */
    if (!name.size || name.size > longest) {
        return false;
    }
    for (uint32_t i = 0; i < name.size; i++) {
        const char c = name.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (c == '.' && qualified && !first) {
            first = true;
            continue;
        }
        if (!letter && !(c >= '0' && c <= '9' && !first)) {
            return false;
        }
        first = false;
    }
    return !first;
}

bool
wfbs_name_is(wfbs_name name, const char *text)
{
    return strlen(text) == name.size && memcmp(text, name.data, name.size) == 0;
}

int
wfbs_name_compare(wfbs_name a, wfbs_name b)
{
    const uint32_t common = a.size < b.size ? a.size : b.size;
    const int order = memcmp(a.data, b.data, common);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}
