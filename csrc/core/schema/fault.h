/* The first error found in a buffer or a value, with its place. */
#ifndef WFBS_FAULT_H
#define WFBS_FAULT_H

#include "plan.h"

/* The maximum nesting of tables, the same as Google's verifier's. */
#define WFBS_TYPED_MAX_DEPTH 64
/* The maximum nesting of structs. */
#define WFBS_STRUCT_MAX_DEPTH 24

/* All errors in a buffer. The text completes "ns.Table.field: ...". */
#define WFBS_FAULTS(X)                                                             \
    X(OK, "no error")                                                              \
    X(TOO_SHORT, "shorter than the smallest FlatBuffer")                           \
    X(TOO_LONG, "longer than the limit")                                           \
    X(IDENTIFIER, "has a different file identifier")                               \
    X(OFFSET_RANGE, "offset leads outside the buffer")                             \
    X(OFFSET_ALIGNMENT, "offset leads to an unaligned place")                      \
    X(OFFSET_NULL, "offset is null")                                               \
    X(VTABLE_RANGE, "vtable lies outside the buffer")                              \
    X(VTABLE_ALIGNMENT, "vtable is not aligned")                                   \
    X(VTABLE_SIZE, "vtable has an odd or too small size, or runs past the buffer") \
    X(TABLE_SIZE, "table's inline data is too small or runs past the buffer")      \
    X(FIELD_RANGE, "field lies outside its table")                                 \
    X(FIELD_ALIGNMENT, "field is not aligned")                                     \
    X(STRING_RANGE, "string runs past the buffer")                                 \
    X(STRING_TERMINATOR, "string is not terminated by a zero byte")                \
    X(STRING_UTF8, "string is not valid UTF-8")                                    \
    X(VECTOR_RANGE, "vector runs past the buffer")                                 \
    X(REQUIRED, "required field is missing")                                       \
    X(BOOL_VALUE, "bool is neither 0 nor 1")                                       \
    X(ENUM_VALUE, "value is not in its enumeration")                               \
    X(UNION_TYPE, "type is not in its union")                                      \
    X(UNION_VALUE, "union has a type, but no value")                               \
    X(UNION_LENGTH, "union's types and values differ in number")                   \
    X(FLEXBUFFER, "not a valid FlexBuffer")                                        \
    X(DEMAND, "value doesn't match its WAMP attribute")                            \
    X(BUDGET, "references add up to more than the buffer may hold")                \
    X(TABLES, "more tables than the limit")                                        \
    X(DEPTH, "tables are nested too deep")                                         \
    X(ROOM, "more than 2**31-1 bytes")                                             \
    X(PATH, "no such field")                                                       \
    X(INDEX, "no such element")                                                    \
    X(VALUE, "value is wrong")                                                     \
    X(SCHEMA_NAME, "not a name")                                                   \
    X(SCHEMA_ORDER, "not sorted by name, or listed twice")                         \
    X(SCHEMA_INDEX, "index is out of range")                                       \
    X(SCHEMA_ID, "ids are not 0 to n-1, each once")                                \
    X(SCHEMA_OFFSET, "offset doesn't follow from the id")                          \
    X(SCHEMA_LAYOUT, "offset, size or alignment doesn't follow from the fields")   \
    X(SCHEMA_TYPE, "a type that isn't allowed there")                              \
    X(SCHEMA_RECURSION, "struct contains itself, or structs are nested too deep")  \
    X(SCHEMA_ENUM, "enum's values or type are wrong")                              \
    X(SCHEMA_UNION, "union without its type field")                                \
    X(SCHEMA_ROOT, "root table is not in the file")                                \
    X(SCHEMA_IDENTIFIER, "file identifier doesn't have 4 bytes")

typedef enum {
#define WFBS_FAULT_CODE(code, text) WFBS_FAULT_##code,
    WFBS_FAULTS(WFBS_FAULT_CODE)
#undef WFBS_FAULT_CODE
        WFBS_FAULT_COUNT
} wfbs_fault_code;

/* One step on the path from the root to an error. */
typedef struct {
    uint32_t object;  /* the error is in this object, .. */
    uint32_t field;   /* .. in its field with this number, */
    uint32_t element; /* and in this element of the field, or WFBS_NONE */
} wfbs_step;

/* The steps are pushed from the inside out while calls return. Initialize with wfbs_fault_init:
 * everything but `steps` is zero, and `element` is WFBS_NONE. */
typedef struct {
    wfbs_fault_code code;
    wfbs_demand demand; /* the check, for WFBS_FAULT_DEMAND */
    uint64_t got;       /* the actual number of bytes, if the check requires a number of bytes */
    uint64_t at;        /* position in the buffer */
    uint32_t element;   /* of the step that is pushed next */
    uint32_t count;
    wfbs_step steps[WFBS_TYPED_MAX_DEPTH + WFBS_STRUCT_MAX_DEPTH + 4];
    char text[640]; /* the reason, for WFBS_FAULT_VALUE; set by the code that found it */
} wfbs_fault;

static inline void
wfbs_fault_init(wfbs_fault *fault)
{
    fault->code = WFBS_FAULT_OK;
    fault->demand = WFBS_DEMAND_NONE;
    fault->got = 0;
    fault->at = 0;
    fault->element = WFBS_NONE;
    fault->count = 0;
    fault->text[0] = 0;
}

/* Pushes a step with the element `fault->element`, and resets that. Always returns false. */
bool wfbs_fault_step(wfbs_fault *fault, uint32_t object, uint32_t field);

/* The name of a code, "OFFSET_RANGE" for WFBS_FAULT_OFFSET_RANGE; never NULL. */
const char *wfbs_fault_name(wfbs_fault_code code);
/* Writes the path "ns.Table.field[3].other", starting from an object of a plan, and the reason.
 * Both end with a zero byte, and are truncated if `room`, which is at least 1, is too small. */
void wfbs_fault_path(const wfbs_fault *fault, const wfbs_plan *plan, uint32_t root, char *to,
                     size_t room);
void wfbs_fault_reason(const wfbs_fault *fault, char *to, size_t room);

#endif
