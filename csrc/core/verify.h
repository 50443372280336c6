/* The only gate for received bytes. After wfbs_verify() succeeds, reading any field of the message
 * through read.h stays inside the buffer.
 *
 * Invariants, tested in tests/checkout/test_core.py and csrc/tests:
 *  1. No byte outside [data, data + size) is read, whatever the input. All
 *     arithmetic on positions is done in 64 bits on values below 2^33, so it
 *     cannot wrap; loads go through memcpy.
 *  2. After success, these are valid: bounds, required fields, vtables and inline sizes, string
 *     terminators and UTF-8, the union's type, enum ranges and vector sizes. So is everything in
 *     typed fields that Message.parse checks.
 *  3. Work is linear in `size`: every visit is charged to a budget (each reference to a string is
 *     charged), and the schema limits the depth.
 *  4. The verdict depends only on the bytes, the dialect and the limits. It is that of Google's
 *     verifier for the same schema, or stricter by a rule with an error code here. */
#ifndef WFBS_VERIFY_H
#define WFBS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../generated/tables.h"
#include "errors.h"
#include "schema.h"

typedef enum { WFBS_DIALECT_AUTOBAHN = 0, WFBS_DIALECT_SCHEMA = 1 } wfbs_dialect;

typedef struct {
    size_t max_size;       /* bytes of one message, at most 2^31 - 1 */
    size_t budget_minimum; /* apparent size that is always allowed, bytes */
    size_t budget_factor;  /* apparent size allowed per byte of the message */
    size_t max_tables;     /* visits of tables, including the root */
} wfbs_limits;

extern const wfbs_limits wfbs_default_limits;

/* The result of verification: the position of the message's table. read.h finds everything else
 * from there. */
typedef struct {
    uint32_t message;  /* index into wfbs_messages */
    uint32_t table;    /* position of the message's table */
    uint32_t metadata; /* position of the metadata's bytes, 0 if absent */
    uint32_t metadata_size;
} wfbs_envelope;

/* Checks one whole message. Returns true with *out filled, or false with *error filled. Reads
 * nothing outside the `size` bytes at `data`, and keeps no reference. */
bool wfbs_verify(const uint8_t *data, size_t size, wfbs_dialect dialect, const wfbs_limits *limits,
                 wfbs_envelope *out, wfbs_error *error);

/* Whether an ERROR can answer a message of this WAMP type. */
bool wfbs_request_type_is_valid(uint64_t type);

#endif
