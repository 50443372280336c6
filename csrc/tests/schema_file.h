/* Makes compiled schemas (.bfbs) out of descriptions, for the unit tests: with the builder of
 * csrc/core/schema and the plan of reflection.fbs. */
#ifndef WFBS_SCHEMA_FILE_H
#define WFBS_SCHEMA_FILE_H

#include "../core/schema/build.h"

enum { MAX_MEMBERS = 8, MAX_TYPES = 6 };

typedef struct {
    uint8_t base, element;
    uint16_t length;
    int32_t index; /* -1 for none */
} type_text;

typedef struct {
    const char *name;
    type_text type;
    uint16_t id, offset;
    int64_t integer; /* default */
    bool required, optional, offset64;
    const char *attribute, *value; /* one of them, or NULL */
} field_text;

typedef struct {
    const char *name;
    bool is_struct;
    int32_t align, size;
    uint32_t count;
    field_text fields[MAX_MEMBERS];
} object_text;

typedef struct {
    const char *name;
    int64_t value;
    type_text type; /* of a union's member */
} value_text;

typedef struct {
    const char *name;
    uint8_t base;
    bool is_union;
    uint32_t count;
    value_text values[MAX_MEMBERS];
} enum_text;

/* A whole file. `root` and `identifier` can be NULL. */
typedef struct {
    uint32_t object_count, enum_count;
    object_text objects[MAX_TYPES];
    enum_text enums[MAX_TYPES];
    const char *root, *identifier;
} schema_text;

/* The file of a description: a heap block of exactly *size bytes, which the caller frees. */
uint8_t *schema_file(const schema_text *text, size_t *size);
/* A builder's `grow`, with memory from the heap. */
bool schema_grow(wfbs_builder *b, size_t capacity);

#endif
