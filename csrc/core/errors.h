/* The errors in messages, and their texts. The bindings add the message and the field before each
 * text, and the offset after it. */
#ifndef WFBS_ERRORS_H
#define WFBS_ERRORS_H

#include <stdint.h>

/* All errors. The text completes "EVENT.topic: ...". */
#define WFBS_ERRORS(X)                                                            \
    X(OK, "no error")                                                             \
    X(TOO_SHORT, "shorter than the smallest message")                             \
    X(TOO_LONG, "longer than the limit (Limits.max_size)")                        \
    X(TABLE_RANGE, "table lies outside the message")                              \
    X(TABLE_ALIGNMENT, "table is not aligned")                                    \
    X(VTABLE_RANGE, "vtable lies outside the message")                            \
    X(VTABLE_ALIGNMENT, "vtable is not aligned")                                  \
    X(VTABLE_SIZE, "vtable has an odd or too small size")                         \
    X(TABLE_SIZE, "table's inline data runs past the message or is too small")    \
    X(FIELD_RANGE, "field lies outside its table")                                \
    X(FIELD_ALIGNMENT, "field is not aligned")                                    \
    X(OFFSET_RANGE, "offset leads outside the message")                           \
    X(OFFSET_ALIGNMENT, "offset leads to an unaligned place")                     \
    X(STRING_RANGE, "string runs past the message")                               \
    X(STRING_TERMINATOR, "string is not terminated by a zero byte")               \
    X(STRING_UTF8, "string is not valid UTF-8")                                   \
    X(VECTOR_RANGE, "vector runs past the message")                               \
    X(REQUIRED, "required field is missing")                                      \
    X(UNION_TYPE, "unknown message type")                                         \
    X(UNION_VALUE, "message type without a message")                              \
    X(BOOL_VALUE, "bool is neither 0 nor 1")                                      \
    X(ENUM_VALUE, "value is not in its enumeration")                              \
    X(BUDGET, "references add up to more than the limit (Limits.apparent_size)")  \
    X(DEPTH, "tables are nested too deep")                                        \
    X(TABLES, "more tables than the limit (Limits.max_tables)")                   \
    X(ID_RANGE, "WAMP ID is above 2**53")                                         \
    X(URI, "not a valid WAMP URI")                                                \
    X(POSITIVE, "must be 1 or more")                                              \
    X(REQUEST_TYPE, "not the type of a request that can fail")                    \
    X(PAYLOAD_AND_ARGS, "payload comes together with args or kwargs")             \
    X(ENC_WITHOUT_ALGO, "enc_key, enc_serializer or ppt_cipher without enc_algo") \
    X(ENC_VALUE, "has no WAMP name")                                              \
    X(ROLES_EMPTY, "no role is announced")                                        \
    X(RESUME_TOKEN, "resume_token is missing")                                    \
    X(REVOCATION, "the revoked ID requires request 0, and can't be 0 itself")     \
    X(CONTRADICTION, "contradicts another field about the same fact")

typedef enum {
#define WFBS_ERROR_CODE(code, text) WFBS_ERROR_##code,
    WFBS_ERRORS(WFBS_ERROR_CODE)
#undef WFBS_ERROR_CODE
        WFBS_ERROR_COUNT
} wfbs_error_code;

/* The first error found: its code, its place in the schema (names borrowed from the constant
 * tables, may be NULL), and its place in the message. */
typedef struct {
    wfbs_error_code code;
    const char *table;
    const char *field;
    uint64_t offset;
} wfbs_error;

/* The text of an error code; never NULL. */
const char *wfbs_error_text(wfbs_error_code code);
/* Its name, "STRING_UTF8" for WFBS_ERROR_STRING_UTF8; never NULL. */
const char *wfbs_error_name(wfbs_error_code code);

#endif
