/* The schema of .bfbs files as a plan. A field's default is given if it isn't 0. */
#include "reflection.h"

/* Fields in the order of ids. All lists below use that order, so that the offset in the vtable
 * follows from the number in the list. */
#define AT(number) .offset = (uint16_t)(4 + 2 * (number))
#define SCALAR(number, base, bytes, bits)                                         \
    {AT(number),          .shape = WFBS_SHAPE_SCALAR, .scalar = WFBS_BASE_##base, \
     .size = (bytes),     .align = (bytes),           .index = WFBS_NONE,         \
     .nested = WFBS_NONE, .default_bits = (bits)}
#define REFERENCE(number, what, of, flag)                            \
    {AT(number),    .shape = (what),     .size = 4,      .align = 4, \
     .index = (of), .nested = WFBS_NONE, .flags = (flag)}
#define STRING(number, flag) REFERENCE(number, WFBS_SHAPE_STRING, WFBS_NONE, flag)
#define TABLE(number, of, flag) REFERENCE(number, WFBS_SHAPE_TABLE, WFBS_REFLECTION_##of, flag)
#define VECTOR(number, what, of, flag)                \
    {AT(number),          .shape = WFBS_SHAPE_VECTOR, \
     .element = (what),   .stride = 4,                \
     .element_align = 4,  .size = 4,                  \
     .align = 4,          .index = (of),              \
     .nested = WFBS_NONE, .flags = (flag)}
#define TABLES(number, of, flag) VECTOR(number, WFBS_SHAPE_TABLE, WFBS_REFLECTION_##of, flag)
#define STRINGS(number) VECTOR(number, WFBS_SHAPE_STRING, WFBS_NONE, 0)
#define REQUIRED WFBS_FIELD_REQUIRED

/* The table of each object, with its fields and their names side by side. */
#define FIELDS(X)                                                        \
    X(STRING(0, REQUIRED), "name") /* Enum, 0 */                         \
    X(TABLES(1, ENUM_VAL, REQUIRED), "values")                           \
    X(SCALAR(2, BOOL, 1, 0), "is_union")                                 \
    X(TABLE(3, TYPE, REQUIRED), "underlying_type")                       \
    X(TABLES(4, KEY_VALUE, 0), "attributes")                             \
    X(STRINGS(5), "documentation")                                       \
    X(STRING(6, 0), "declaration_file")                                  \
    X(STRING(0, REQUIRED), "name") /* EnumVal, 7 */                      \
    X(SCALAR(1, LONG, 8, 0), "value")                                    \
    X(TABLE(2, REFERENCE, WFBS_FIELD_DEPRECATED), "object")              \
    X(TABLE(3, TYPE, 0), "union_type")                                   \
    X(STRINGS(4), "documentation")                                       \
    X(TABLES(5, KEY_VALUE, 0), "attributes")                             \
    X(STRING(0, REQUIRED), "name") /* Field, 13 */                       \
    X(TABLE(1, TYPE, REQUIRED), "type")                                  \
    X(SCALAR(2, USHORT, 2, 0), "id")                                     \
    X(SCALAR(3, USHORT, 2, 0), "offset")                                 \
    X(SCALAR(4, LONG, 8, 0), "default_integer")                          \
    X(SCALAR(5, DOUBLE, 8, 0), "default_real")                           \
    X(SCALAR(6, BOOL, 1, 0), "deprecated")                               \
    X(SCALAR(7, BOOL, 1, 0), "required")                                 \
    X(SCALAR(8, BOOL, 1, 0), "key")                                      \
    X(TABLES(9, KEY_VALUE, 0), "attributes")                             \
    X(STRINGS(10), "documentation")                                      \
    X(SCALAR(11, BOOL, 1, 0), "optional")                                \
    X(SCALAR(12, USHORT, 2, 0), "padding")                               \
    X(SCALAR(13, BOOL, 1, 0), "offset64")                                \
    X(STRING(0, REQUIRED), "key") /* KeyValue, 27 */                     \
    X(STRING(1, 0), "value")                                             \
    X(STRING(0, REQUIRED), "name") /* Object, 29 */                      \
    X(TABLES(1, FIELD, REQUIRED), "fields")                              \
    X(SCALAR(2, BOOL, 1, 0), "is_struct")                                \
    X(SCALAR(3, INT, 4, 0), "minalign")                                  \
    X(SCALAR(4, INT, 4, 0), "bytesize")                                  \
    X(TABLES(5, KEY_VALUE, 0), "attributes")                             \
    X(STRINGS(6), "documentation")                                       \
    X(STRING(7, 0), "declaration_file")                                  \
    X(STRING(0, REQUIRED), "name") /* RPCCall, 37 */                     \
    X(TABLE(1, REFERENCE, REQUIRED), "request")                          \
    X(TABLE(2, REFERENCE, REQUIRED), "response")                         \
    X(TABLES(3, KEY_VALUE, 0), "attributes")                             \
    X(STRINGS(4), "documentation")                                       \
    X(STRING(0, REQUIRED), "name")            /* an Object's name, 42 */ \
    X(TABLES(0, OBJECT, REQUIRED), "objects") /* Schema, 43 */           \
    X(TABLES(1, ENUM, REQUIRED), "enums")                                \
    X(STRING(2, 0), "file_ident")                                        \
    X(STRING(3, 0), "file_ext")                                          \
    X(TABLE(4, REFERENCE, 0), "root_table")                              \
    X(TABLES(5, SERVICE, 0), "services")                                 \
    X(SCALAR(6, ULONG, 8, 0), "advanced_features")                       \
    X(TABLES(7, SCHEMA_FILE, 0), "fbs_files")                            \
    X(STRING(0, REQUIRED), "filename") /* SchemaFile, 51 */              \
    X(STRINGS(1), "included_filenames")                                  \
    X(STRING(0, REQUIRED), "name") /* Service, 53 */                     \
    X(TABLES(1, RPC_CALL, 0), "calls")                                   \
    X(TABLES(2, KEY_VALUE, 0), "attributes")                             \
    X(STRINGS(3), "documentation")                                       \
    X(STRING(4, 0), "declaration_file")                                  \
    X(SCALAR(0, BYTE, 1, 0), "base_type") /* Type, 58 */                 \
    X(SCALAR(1, BYTE, 1, 0), "element")                                  \
    X(SCALAR(2, INT, 4, UINT32_MAX), "index")                            \
    X(SCALAR(3, USHORT, 2, 0), "fixed_length")                           \
    X(SCALAR(4, UINT, 4, 4), "base_size")                                \
    X(SCALAR(5, UINT, 4, 0), "element_size")

#define FIELD_OF(field, name) field,
static const wfbs_plan_field fields[] = {FIELDS(FIELD_OF)};
#define NAME_OF(field, name) {name, sizeof(name) - 1},
static const wfbs_name names[] = {FIELDS(NAME_OF)};

/* `required` is the number of the last required field, plus 1. */
#define OBJECT(what, text, first, count, last)                                                \
    [WFBS_REFLECTION_##what] = {.name = {"reflection." text, sizeof("reflection." text) - 1}, \
                                .fields = (first),                                            \
                                .field_count = (count),                                       \
                                .key = WFBS_NONE,                                             \
                                .required = (last),                                           \
                                .refused_by = WFBS_NONE,                                      \
                                .align = 8}
static const wfbs_plan_object objects[WFBS_REFLECTION_COUNT] = {
    OBJECT(ENUM, "Enum", 0, 7, 4),
    OBJECT(ENUM_VAL, "EnumVal", 7, 6, 1),
    OBJECT(FIELD, "Field", 13, 14, 2),
    OBJECT(KEY_VALUE, "KeyValue", 27, 2, 1),
    OBJECT(OBJECT, "Object", 29, 8, 2),
    OBJECT(RPC_CALL, "RPCCall", 37, 5, 3),
    OBJECT(REFERENCE, "Object", 42, 1, 1),
    OBJECT(SCHEMA, "Schema", 43, 8, 2),
    OBJECT(SCHEMA_FILE, "SchemaFile", 51, 2, 1),
    OBJECT(SERVICE, "Service", 53, 5, 1),
    OBJECT(TYPE, "Type", 58, 6, 0),
};

const wfbs_plan wfbs_reflection = {
    .objects = objects,
    .fields = fields,
    .field_names = names,
    .object_count = WFBS_REFLECTION_COUNT,
    .field_count = sizeof fields / sizeof *fields,
    .root = WFBS_REFLECTION_SCHEMA,
    .identifier = {"BFBS", 4},
};
