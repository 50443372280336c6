/* The one gate for received bytes: after wfbs_verify() succeeds, reading any
 * field of the message through read.h cannot leave the buffer.
 *
 * Invariants (design.md), each with tests in tests/checkout/test_core.py and csrc/tests:
 *  1. No byte outside [data, data + size) is read, whatever the input. All
 *     arithmetic on positions is done in 64 bits on values below 2^33, so it
 *     cannot wrap; loads go through memcpy.
 *  2. After success: bounds, required fields, vtables and inline sizes, string
 *     terminators and UTF-8, union tag, enum ranges and vector sizes hold, and
 *     so does every check of Message.parse that the typed fields allow.
 *  3. Work is linear in `size`: every visit is charged to a budget (many
 *     references to one string are charged each time), depth is the schema's.
 *  4. The verdict depends on the bytes, the dialect and the limits alone. It is
 *     Google's for the same schema, or stricter by a rule that has an error code here.
 */
#ifndef WFBS_VERIFY_H
#define WFBS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../generated/tables.h"
#include "schema.h"

typedef enum { WFBS_DIALECT_AUTOBAHN = 0, WFBS_DIALECT_SCHEMA = 1 } wfbs_dialect;

/* Every way a message can be wrong; the text completes "EVENT.topic: ...". */
#define WFBS_ERRORS(X)                                                            \
    X(OK, "no error")                                                             \
    X(TOO_SHORT, "shorter than the smallest message")                             \
    X(TOO_LONG, "longer than the limit")                                          \
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
    X(BUDGET, "references add up to more than the message may hold")              \
    X(DEPTH, "tables are nested too deep")                                        \
    X(TABLES, "more tables than the limit")                                       \
    X(ID_RANGE, "WAMP ID is above 2**53")                                         \
    X(URI, "not a valid WAMP URI")                                                \
    X(POSITIVE, "must be 1 or more")                                              \
    X(REQUEST_TYPE, "not the type of a request that can fail")                    \
    X(PAYLOAD_AND_ARGS, "payload comes together with args or kwargs")             \
    X(ENC_WITHOUT_ALGO, "enc_key, enc_serializer or ppt_cipher without enc_algo") \
    X(ENC_VALUE, "has no WAMP name")                                              \
    X(ROLES_EMPTY, "no role is announced")                                        \
    X(RESUME_TOKEN, "resume_token is missing")                                    \
    X(REVOCATION, "a revoked ID goes with request 0, and only with it")           \
    X(CONTRADICTION, "contradicts the field that says the same")

typedef enum {
#define WFBS_ERROR_CODE(code, text) WFBS_ERROR_##code,
    WFBS_ERRORS(WFBS_ERROR_CODE)
#undef WFBS_ERROR_CODE
        WFBS_ERROR_COUNT
} wfbs_error_code;

/* The first fault found: what, where in the schema (names borrowed from the
 * constant tables, may be NULL), and where in the message. */
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

typedef struct {
    size_t max_size;       /* bytes of one message, at most 2^31 - 1 */
    size_t budget_minimum; /* apparent size that is always granted, bytes */
    size_t budget_factor;  /* apparent size granted per byte of the message */
    size_t max_tables;     /* visits of tables, the root's included */
} wfbs_limits;

extern const wfbs_limits wfbs_default_limits;

/* What verification leaves behind: where the message's table is. Everything
 * else is found from there by read.h. */
typedef struct {
    uint32_t message;  /* index into wfbs_messages */
    uint32_t table;    /* position of the message's table */
    uint32_t metadata; /* position of the metadata's bytes, 0 if absent */
    uint32_t metadata_size;
} wfbs_envelope;

/* Checks one whole message. True and *out filled, or false and *error filled.
 * Reads nothing outside the `size` bytes at `data`; keeps no reference. */
bool wfbs_verify(const uint8_t *data, size_t size, wfbs_dialect dialect, const wfbs_limits *limits,
                 wfbs_envelope *out, wfbs_error *error);

/* Whether an ERROR can answer a message of this WAMP type. */
bool wfbs_request_type_is_valid(uint64_t type);

/* The checks of strings, on their own, for values that come by other ways
 * (the metadata). Each is true for a good value and reads `size` bytes. */
bool wfbs_utf8_is_valid(const uint8_t *data, size_t size);

typedef enum {
    WFBS_URI_NO_EMPTY,  /* no component may be empty */
    WFBS_URI_ANY_EMPTY, /* any may (pattern-based subscriptions, wildcards) */
    WFBS_URI_LAST_EMPTY /* the last one may (prefix registrations) */
} wfbs_uri_mode;

/* Whether valid UTF-8 is a loose WAMP URI, as Autobahn's check_or_raise_uri judges. */
bool wfbs_uri_is_valid(const uint8_t *data, size_t size, wfbs_uri_mode mode);

#endif
