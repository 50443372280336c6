/* Encoding: a flat record of field values in, one FlatBuffers message out.
 *
 * The bytes are those that upstream's builder makes for the same content:
 * back to front, children first and then the table's fields, each in the order
 * that the schema gives, equal vtables shared. Nothing is allocated: the caller
 * asks for a bound, brings that much room, and gets the message at its end. */
#ifndef WFBS_WRITE_H
#define WFBS_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "../generated/tables.h"
#include "read.h"
#include "verify.h"

struct wfbs_record;

/* One field's value. All pointers are borrowed and must stay valid, unchanged,
 * until wfbs_encode() returns. */
typedef struct {
    union {
        uint64_t scalar;                   /* bool, integers, enum values */
        const uint8_t *bytes;              /* string, bytes, vector of enum values */
        const uint64_t *integers;          /* vector of u64 */
        const wfbs_span *strings;          /* vector of strings */
        const struct wfbs_record *records; /* a table, or a vector of tables */
    } as;
    size_t size; /* bytes of a string, else elements of a vector */
} wfbs_value;

/* One table's values, by slot. */
typedef struct wfbs_record {
    const wfbs_table *table;
    uint32_t present; /* bit per slot */
    const wfbs_value *values;
} wfbs_record;

typedef struct {
    const wfbs_record *record;
    uint8_t tag;        /* union tag, by dialect */
    wfbs_span metadata; /* data is NULL if there is none */
} wfbs_outgoing;

enum { WFBS_MAX_MESSAGE = 0x7FFFFFFF };

/* Room that surely suffices for the message, in bytes; 0 if it would be longer
 * than WFBS_MAX_MESSAGE. */
size_t wfbs_encode_bound(const wfbs_outgoing *message);

/* Writes the message to the end of the `room` bytes at `buffer`, where `room`
 * is at least the bound, and returns its size. Cannot fail. */
size_t wfbs_encode(const wfbs_outgoing *message, uint8_t *buffer, size_t room);

#endif
