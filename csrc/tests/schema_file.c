/* Compiled schemas out of descriptions: see schema_file.h. */
#include "schema_file.h"

#include "../core/schema/reflection.h"
#include "check.h"

enum { MOST_FIELDS = 128 };

/* The plan of reflection, with the orders that a writer needs and readers don't. */
typedef struct {
    wfbs_plan plan;
    wfbs_plan_object objects[WFBS_REFLECTION_COUNT];
    uint16_t orders[MOST_FIELDS];
    wfbs_builder builder;
} writer;

bool
schema_grow(wfbs_builder *b, size_t capacity)
{
    uint8_t *memory = take(capacity);
    if (b->memory) {
        memcpy(memory, b->memory, b->held);
        memcpy(memory + capacity - b->used, b->memory + b->capacity - b->used, b->used);
    }
    free(b->memory);
    b->memory = memory;
    b->capacity = capacity;
    return true;
}

static void
writer_open(writer *w)
{
    memset(w, 0, sizeof *w);
    w->plan = wfbs_reflection;
    memcpy(w->objects, wfbs_reflection.objects, sizeof w->objects);
    w->plan.objects = w->objects;
    w->plan.orders = w->orders;
    for (unsigned i = 0; i < WFBS_REFLECTION_COUNT; i++) {
        wfbs_plan_object *object = &w->objects[i];
        const wfbs_plan_field *fields = wfbs_fields_of(&w->plan, object);
        uint16_t *order = w->orders + object->fields;
        object->by_align = object->fields;
        for (unsigned align = 8; align; align /= 2) {
            for (uint16_t k = 0; k < object->field_count; k++) {
                if (fields[k].align == align) {
                    *order++ = k;
                }
            }
        }
    }
    w->builder.grow = schema_grow;
    wfbs_build_start(&w->builder);
}

/* A table by the bits of its fields; 0 is not written. Its ref. */
static uint32_t
put_table(writer *w, uint32_t object, const uint64_t *bits, uint32_t count)
{
    const size_t held = w->builder.held;
    size_t at;
    if (!wfbs_build_hold(&w->builder, w->objects[object].field_count * sizeof(wfbs_cell), &at)) {
        abort();
    }
    for (uint32_t i = 0; i < count; i++) {
        wfbs_cell *cell = (wfbs_cell *)(void *)(w->builder.memory + at) + i;
        *cell = (wfbs_cell){bits[i], bits[i] != 0};
    }
    const uint32_t ref = wfbs_build_table(&w->builder, &w->plan, object, at);
    w->builder.held = held;
    return ref;
}

#define TABLE(w, object, ...)                                 \
    put_table((w), (object), (const uint64_t[]){__VA_ARGS__}, \
              sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* The ref of a string; 0 for NULL. */
static uint32_t
put_text(writer *w, const char *text)
{
    if (!text) {
        return 0;
    }
    uint8_t *to = wfbs_build_string(&w->builder, strlen(text));
    memcpy(to, text, strlen(text));
    return (uint32_t)w->builder.used;
}

/* The ref of a vector of offsets. */
static uint32_t
put_refs(writer *w, const uint32_t *refs, uint32_t count)
{
    uint8_t *to = wfbs_build_vector(&w->builder, count, 4, 4);
    for (uint32_t i = 0; i < count; i++) {
        wfbs_build_link(&w->builder, to, i, refs[i]);
    }
    return (uint32_t)w->builder.used;
}

static uint32_t
put_type(writer *w, const type_text *type)
{
    /* The index is always written: 0 is not its default. */
    const uint64_t index = (uint64_t)(uint32_t)type->index | UINT64_C(1) << 32;
    return TABLE(w, WFBS_REFLECTION_TYPE, type->base, type->element, index, type->length);
}

static uint32_t
put_field(writer *w, const field_text *field)
{
    uint32_t attributes = 0;
    if (field->attribute) {
        const uint32_t key = put_text(w, field->attribute), value = put_text(w, field->value);
        const uint32_t pair = TABLE(w, WFBS_REFLECTION_KEY_VALUE, key, value);
        attributes = put_refs(w, &pair, 1);
    }
    const uint32_t name = put_text(w, field->name), type = put_type(w, &field->type);
    return TABLE(w, WFBS_REFLECTION_FIELD, name, type, field->id, field->offset,
                 (uint64_t)field->integer, 0, 0, field->required, 0, attributes, 0, field->optional,
                 0, field->offset64);
}

static uint32_t
put_object(writer *w, const object_text *object)
{
    uint32_t refs[MAX_MEMBERS];
    for (uint32_t i = 0; i < object->count; i++) {
        refs[i] = put_field(w, &object->fields[i]);
    }
    const uint32_t fields = put_refs(w, refs, object->count), name = put_text(w, object->name);
    return TABLE(w, WFBS_REFLECTION_OBJECT, name, fields, object->is_struct,
                 (uint64_t)object->align, (uint64_t)object->size);
}

static uint32_t
put_enum(writer *w, const enum_text *type)
{
    uint32_t refs[MAX_MEMBERS];
    for (uint32_t i = 0; i < type->count; i++) {
        const value_text *value = &type->values[i];
        const uint32_t of = type->is_union ? put_type(w, &value->type) : 0;
        const uint32_t name = put_text(w, value->name);
        refs[i] = TABLE(w, WFBS_REFLECTION_ENUM_VAL, name, (uint64_t)value->value, 0, of);
    }
    const type_text base = {.base = type->base, .index = -1};
    const uint32_t values = put_refs(w, refs, type->count), of = put_type(w, &base);
    const uint32_t name = put_text(w, type->name);
    return TABLE(w, WFBS_REFLECTION_ENUM, name, values, type->is_union, of);
}

uint8_t *
schema_file(const schema_text *text, size_t *size)
{
    uint32_t objects[MAX_TYPES], enums[MAX_TYPES];
    writer w;
    writer_open(&w);
    for (uint32_t i = 0; i < text->object_count; i++) {
        objects[i] = put_object(&w, &text->objects[i]);
    }
    for (uint32_t i = 0; i < text->enum_count; i++) {
        enums[i] = put_enum(&w, &text->enums[i]);
    }
    uint32_t root = 0;
    if (text->root) {
        const uint32_t name = put_text(&w, text->root);
        root = TABLE(&w, WFBS_REFLECTION_REFERENCE, name);
    }
    const uint32_t identifier = put_text(&w, text->identifier);
    const uint32_t all = put_refs(&w, objects, text->object_count);
    const uint32_t types = put_refs(&w, enums, text->enum_count);
    const uint32_t schema = TABLE(&w, WFBS_REFLECTION_SCHEMA, all, types, identifier, 0, root);
    if (!wfbs_build_finish(&w.builder, schema, "BFBS")) {
        abort();
    }
    *size = w.builder.used;
    uint8_t *file = take_copy(w.builder.memory + w.builder.capacity - *size, *size);
    free(w.builder.memory);
    return file;
}
