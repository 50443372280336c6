/* The only gate for received bytes. After wfbs_verify() succeeds, reading any field of the message
 * through read.h stays inside the buffer.
 *
 * Invariants, tested in tests/checkout/test_core.py and csrc/tests:
 *  1. No byte outside [data, data + size) is read, whatever the input. All
 *     arithmetic on positions is done in 64 bits on values below 2^33, so it
 *     cannot wrap; loads go through memcpy.
 *  2. After success: bounds, required fields, vtables and inline sizes, string
 *     terminators and UTF-8, union tag, enum ranges and vector sizes hold, and
 *     so does every check of Message.parse that the typed fields allow.
 *  3. Work is linear in `size`: every visit is charged to a budget (many
 *     references to one string are charged each time), depth is the schema's.
 *  4. The verdict depends only on the bytes, the dialect and the limits. It is
 *     Google's for the same schema, or stricter by a rule that has an error code here.
 */
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
    size_t budget_minimum; /* apparent size that is always granted, bytes */
    size_t budget_factor;  /* apparent size granted per byte of the message */
    size_t max_tables;     /* visits of tables, the root's included */
} wfbs_limits;

extern const wfbs_limits wfbs_default_limits;

/* What verification returns: where the message's table is. From there, read.h finds everything
 * else. */
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

#endif
