/* The cffi binding's interface to the core: one call per message and direction.
 *
 * All data is passed as int64_t, because that is cheap on PyPy. A value is a scalar, a span (offset
 * << 32 | length, both below 2^31), or a position. All positions count from the beginning of the
 * buffer that was passed, which must be shorter than 2^31 bytes. */
#ifndef WFBS_FLAT_H
#define WFBS_FLAT_H

#include "../core/verify.h"
#include "../core/write.h"

/* The record of a received message: a header, then one value for each of its table's fields (slots
 * first, then attributes that only the metadata can contain). Without a payload, the fields that
 * describe it are absent, because in normal mode, they are only for the transport. */
enum {
    WFBS_FLAT_MESSAGE = 0,  /* index into wfbs_messages */
    WFBS_FLAT_METADATA = 1, /* span, or WFBS_FLAT_ABSENT */
    WFBS_FLAT_START = 2,    /* start of the message in the buffer */
    WFBS_FLAT_SIZE = 3,     /* bytes of the message */
    WFBS_FLAT_DIALECT = 4,  /* wfbs_dialect */
    WFBS_FLAT_ASSIGNED = 5, /* for the binding, initially 0 */
    WFBS_FLAT_EXPOSED = 6,  /* for the binding, initially 0 */
    WFBS_FLAT_CODEC = 7,    /* codec of args and kwargs (PPTSerializer), -1 if there is a payload */
    WFBS_FLAT_FIELDS = 8,
    WFBS_FLAT_ROOM = WFBS_FLAT_FIELDS + WFBS_MAX_FIELDS
};

/* Values of a field that are neither a scalar, a span nor a position. */
enum {
    WFBS_FLAT_ABSENT = -1,
    WFBS_FLAT_LARGE = -16 /* minus the position of an integer of 2^62 or more */
};

/* Verifies the `size` bytes at `buffer + start` and writes the record to `out`, which has
 * WFBS_FLAT_ROOM elements. Returns the number of elements, or 0 if the message is invalid; then
 * wfbs_flat_fault() returns the reason. Keeps no reference, cannot fail otherwise. */
int wfbs_flat_index(const uint8_t *buffer, int64_t start, int64_t size, int dialect,
                    const wfbs_limits *limits, int64_t *out);

/* Sets *error to the error in such a message; its texts are borrowed from constants. */
void wfbs_flat_fault(const uint8_t *buffer, int64_t start, int64_t size, int dialect,
                     const wfbs_limits *limits, wfbs_error *error);

/* Writes the values of `count` tables of kind `table` to `out`, slot_count elements each. Their
 * offsets are stored from `first` on, as in a verified vector of tables. Cannot fail. */
void wfbs_flat_tables(const uint8_t *buffer, int64_t first, int64_t count, int table, int64_t *out);

/* Writes the values of the verified table at `position`, which is of kind `table`, to `out`. Cannot
 * fail. */
void wfbs_flat_table(const uint8_t *buffer, int64_t position, int table, int64_t *out);

/* Writes the spans of the `count` strings of a verified vector, whose offsets are stored from
 * `first` on, to `out`. Cannot fail. */
void wfbs_flat_strings(const uint8_t *buffer, int64_t first, int64_t count, int64_t *out);

/* The record of a message to be built: a header, one value per slot, and the data of vectors and
 * tables, which values refer to by index.
 *
 *   scalars          the value
 *   string, bytes    the length; the bytes come next in `text` (but see below)
 *   vector of enums  likewise
 *   vector of u64    index << 32 | count; the integers are in the record
 *   vector of strings  index << 32 | count; their lengths are in the record, their bytes
 *                    come next in `text`
 *   table            index of its presence mask, which its values follow
 *   vector of tables index << 32 | count; the tables follow each other
 *   args, kwargs     as other bytes; or -(index << 32 | count) of tokens in the record (cbor_tokens.h),
 *                    which become their CBOR
 *
 * `text` contains the strings of such tokens, followed by the bytes in the order of a walk over the
 * slots, lowest first and depth first, and then the metadata's. Byte vectors of WFBS_BLOB_MIN bytes
 * and more are neither in it nor in the output: the caller joins the pieces. */
enum {
    WFBS_BUILD_PRESENT = 0,  /* bit per slot */
    WFBS_BUILD_METADATA = 1, /* length of the metadata, or WFBS_FLAT_ABSENT */
    WFBS_BUILD_FIELDS = 2,
    WFBS_BUILD_ROOM = WFBS_BUILD_FIELDS + WFBS_MAX_FIELDS
};

/* Results of wfbs_flat_build() if it has not built anything. */
enum { WFBS_BUILD_TOO_LONG = -1, WFBS_BUILD_NO_MEMORY = -2, WFBS_BUILD_NO_ROOM = -16 };

/* Builds message `message` (index into wfbs_messages) from the `count` elements of `record` at the
 * end of the `room` bytes at `out`, after its length (32 bits, big-endian) if `batched`. Tokens are
 * not counted. Returns the number of bytes written, or one of the codes above: NO_ROOM minus the
 * room that suffices, or NO_ROOM if tokens make a payload too large. Overwrites the record's
 * beginning: record[0] is the number of omitted pieces, record[1 + 2 * i] the slot of the i-th
 * piece (-1 for the metadata), last piece first, record[2 + 2 * i] its offset in the message
 * without the frame. The record must come from the binding's encoder: it is not checked. */
int64_t wfbs_flat_build(int message, int dialect, int batched, int64_t *record, int64_t count,
                        const uint8_t *text, uint8_t *out, int64_t room);

#endif
