/* Encodes a flat record of field values as one FlatBuffers message.
 *
 * The bytes are those that upstream's builder makes for the same content: from back to front,
 * children first and then the table's fields, each in the order of the schema, with equal vtables
 * shared. Nothing is allocated: the caller asks for an upper bound, provides that much memory, and
 * then copies the message out once. Large payloads are copied directly from their source. */
#ifndef WFBS_WRITE_H
#define WFBS_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "../generated/tables.h"
#include "read.h"
#include "verify.h"

struct wfbs_record;

/* One field's value. All pointers are borrowed and must stay valid, unchanged,
 * until wfbs_write_message() returns. */
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
    uint8_t tag;        /* the union's type, depends on the dialect */
    wfbs_span metadata; /* data is NULL if there is none */
} wfbs_outgoing;

enum { WFBS_MAX_MESSAGE = 0x7FFFFFFF };

/* Byte vectors of this size and above are not copied while encoding. wfbs_write_copy() copies them
 * when it assembles the message. */
enum { WFBS_BLOB_MIN = 2048, WFBS_MAX_BLOBS = 8 };

/* An encoded message in pieces: the written bytes, and the blobs between them. Borrows the buffer
 * and the blobs. */
typedef struct {
    const uint8_t *written; /* first written byte, blobs left out */
    size_t size;            /* of the whole message */
    unsigned count;
    struct {
        size_t offset;       /* from the beginning of the message */
        const uint8_t *data; /* NULL: the caller copies it */
        size_t size;
    } blobs[WFBS_MAX_BLOBS]; /* in reverse order of the message */
} wfbs_written;

/* An upper bound for the written bytes; 0 if the message would be longer than WFBS_MAX_MESSAGE. */
size_t wfbs_write_bound(const wfbs_outgoing *message);

/* Writes the message to the end of the `room` bytes at `buffer`, where `room` is at least the
 * bound. Sets *out to its position. Cannot fail. */
void wfbs_write_message(const wfbs_outgoing *message, uint8_t *buffer, size_t room,
                        wfbs_written *out);

/* Copies the whole message to the message->size bytes at `to`, except blobs whose data was set to
 * NULL: they belong at their offset. Cannot fail. */
void wfbs_write_copy(const wfbs_written *message, uint8_t *to);

#endif
