/* Converts messages to flat records of int64_t, and back. See flat.h. */
#include "flat.h"

#include "cbor_tokens.h"

#include <stdlib.h>

#include "../core/frame.h"

/* Neither sum below can overflow: positions and lengths are below 2^31. */
static inline int64_t
span(int64_t position, int64_t length)
{
    return position << 32 | length;
}

/* The value of the verified field at `place`, a position in the message that begins at `data`, at
 * offset `start` of the buffer. */
static int64_t
field_value(const uint8_t *data, int64_t start, uint32_t place, wfbs_kind kind)
{
    const uint8_t *p = data + place;
    switch (kind) {
    case WFBS_KIND_BOOL:
    case WFBS_KIND_U8:
    case WFBS_KIND_ENUM8:
        return *p;
    case WFBS_KIND_U16:
    case WFBS_KIND_ENUM16:
        return wfbs_load_u16(p);
    case WFBS_KIND_U32:
        return wfbs_load_u32(p);
    case WFBS_KIND_U64: {
        uint64_t value = wfbs_load_u64(p);
        return value < UINT64_C(1) << 62 ? (int64_t)value : WFBS_FLAT_LARGE - (start + place);
    }
    case WFBS_KIND_TABLE:
        return start + wfbs_follow(data, place);
    default: { /* strings and vectors: their length, then their elements */
        uint32_t at = wfbs_follow(data, place);
        return span(start + at + 4, wfbs_load_u32(data + at));
    }
    }
}

/* The values of the verified table at `position` in the message at `data`. */
static void
table_values(const uint8_t *data, int64_t start, uint32_t position, const wfbs_table *t,
             int64_t *out)
{
    uint32_t vtable = position - wfbs_load_u32(data + position); /* mod 2^32, as in read.h */
    uint32_t known = (wfbs_load_u16(data + vtable) - 4u) / 2;    /* verified: at least 4 */
    for (unsigned slot = 0; slot < t->slot_count; slot++) {
        uint16_t offset = slot < known ? wfbs_load_u16(data + vtable + 4 + 2 * (size_t)slot) : 0;
        out[slot] =
            offset ? field_value(data, start, position + offset, (wfbs_kind)t->fields[slot].kind)
                   : WFBS_FLAT_ABSENT;
    }
}

/* Removes the description of the payload from a message without a payload. Returns the codec for
 * the header. */
static int64_t
settle_payload(const wfbs_table *t, int64_t *fields)
{
    unsigned payload = t->slot_of[WFBS_USE_PAYLOAD];
    if (payload == WFBS_NO_SLOT) {
        return 0;
    }
    if (fields[payload] != WFBS_FLAT_ABSENT) {
        return -1;
    }
    int64_t codec = fields[t->slot_of[WFBS_USE_ENC_SERIALIZER]];
    for (unsigned use = WFBS_USE_ENC_ALGO; use <= WFBS_USE_PPT_CIPHER; use++) {
        fields[t->slot_of[use]] = WFBS_FLAT_ABSENT; /* a message with a payload has all four */
    }
    return codec == WFBS_FLAT_ABSENT ? 0 : codec;
}

int
wfbs_flat_index(const uint8_t *buffer, int64_t start, int64_t size, int dialect,
                const wfbs_limits *limits, int64_t *out)
{
    const uint8_t *data = buffer + start;
    wfbs_envelope envelope;
    wfbs_error error;
    if (!wfbs_verify(data, (size_t)size, (wfbs_dialect)dialect, limits, &envelope, &error)) {
        return 0;
    }
    const wfbs_table *t = &wfbs_tables[wfbs_messages[envelope.message].table];
    out[WFBS_FLAT_MESSAGE] = envelope.message;
    out[WFBS_FLAT_METADATA] = envelope.metadata
                                  ? span(start + envelope.metadata, envelope.metadata_size)
                                  : WFBS_FLAT_ABSENT;
    out[WFBS_FLAT_START] = start;
    out[WFBS_FLAT_SIZE] = size;
    out[WFBS_FLAT_DIALECT] = dialect;
    out[WFBS_FLAT_ASSIGNED] = 0;
    out[WFBS_FLAT_EXPOSED] = 0;
    table_values(data, start, envelope.table, t, out + WFBS_FLAT_FIELDS);
    for (unsigned i = t->slot_count; i < t->field_count; i++) {
        out[WFBS_FLAT_FIELDS + i] = WFBS_FLAT_ABSENT;
    }
    out[WFBS_FLAT_CODEC] = settle_payload(t, out + WFBS_FLAT_FIELDS);
    return WFBS_FLAT_FIELDS + t->field_count;
}

void
wfbs_flat_fault(const uint8_t *buffer, int64_t start, int64_t size, int dialect,
                const wfbs_limits *limits, wfbs_error *error)
{
    wfbs_envelope ignored;
    wfbs_verify(buffer + start, (size_t)size, (wfbs_dialect)dialect, limits, &ignored, error);
}

void
wfbs_flat_table(const uint8_t *buffer, int64_t position, int table, int64_t *out)
{
    table_values(buffer, 0, (uint32_t)position, &wfbs_tables[table], out);
}

void
wfbs_flat_tables(const uint8_t *buffer, int64_t first, int64_t count, int table, int64_t *out)
{
    const wfbs_table *t = &wfbs_tables[table];
    for (int64_t i = 0; i < count; i++) {
        uint32_t position = wfbs_follow(buffer, (uint32_t)(first + 4 * i));
        table_values(buffer, 0, position, t, out + i * t->slot_count);
    }
}

void
wfbs_flat_strings(const uint8_t *buffer, int64_t first, int64_t count, int64_t *out)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t at = wfbs_follow(buffer, (uint32_t)(first + 4 * i));
        out[i] = span((int64_t)at + 4, wfbs_load_u32(buffer + at));
    }
}

/* ---- building */

/* The state of one call. */
typedef struct {
    int64_t *record;
    const uint8_t *text; /* the next bytes */
    char *arena;         /* memory for vectors and tables, aligned for any type */
    size_t used;         /* its size in bytes */
} builder;

/* Rounds the size of a piece of the arena up, so that the next one is aligned. No object in memory
 * is so large that the sum wraps. */
static inline size_t
arena_size(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

_Static_assert(_Alignof(wfbs_record) <= 8 && _Alignof(wfbs_value) <= 8 && _Alignof(wfbs_span) <= 8,
               "pieces of the arena are aligned to 8");

/* The next `size` bytes of the arena, which has room: see arena_bound. */
static void *
arena_take(builder *b, size_t size)
{
    void *place = b->arena + b->used;
    b->used += arena_size(size);
    return place;
}

/* Memory for everything that the elements after the record's slots can become. Each becomes at most
 * one of these. */
static size_t
arena_bound(int64_t count)
{
    size_t largest =
        sizeof(wfbs_value) > sizeof(wfbs_record) ? sizeof(wfbs_value) : sizeof(wfbs_record);
    return (size_t)(count - WFBS_BUILD_ROOM) * arena_size(largest);
}

static void read_table(builder *b, const wfbs_table *t, uint32_t present, int64_t *in,
                       wfbs_value *out);

/* The table whose presence mask is at index `at` of the record. Its values follow. */
static void
read_record(builder *b, const wfbs_table *t, int64_t *at, wfbs_record *out)
{
    wfbs_value *values = arena_take(b, t->slot_count * sizeof *values);
    *out = (wfbs_record){t, (uint32_t)at[0], values};
    read_table(b, t, out->present, at + 1, values);
}

/* Converts the values `in` of a table to the writer's input. */
static void
read_table(builder *b, const wfbs_table *t, uint32_t present, int64_t *in, wfbs_value *out)
{
    for (; present; present &= present - 1) {
        unsigned slot = wfbs_lowest_bit(present);
        const wfbs_field *field = &t->fields[slot];
        wfbs_value *value = &out[slot];
        int64_t *at = b->record + (in[slot] >> 32); /* index into the record */
        size_t count = (size_t)(in[slot] & 0xFFFFFFFF);
        switch ((wfbs_kind)field->kind) {
        case WFBS_KIND_STRING:
        case WFBS_KIND_VECTOR_ENUM8:
            value->size = (size_t)in[slot];
            value->as.bytes = b->text;
            b->text += value->size;
            break;
        case WFBS_KIND_BYTES:
            value->size = (size_t)in[slot];
            value->as.bytes = b->text;
            if (value->size < WFBS_BLOB_MIN) {
                b->text += value->size;
            }
            else { /* the writer doesn't read it: it only returns the address */
                value->as.bytes = (const uint8_t *)&in[slot];
            }
            break;
        case WFBS_KIND_VECTOR_U64: /* a signed integer may be read as its unsigned type */
            value->as.integers = (const uint64_t *)at;
            value->size = count;
            break;
        case WFBS_KIND_VECTOR_STRING: {
            wfbs_span *strings = arena_take(b, count * sizeof *strings);
            for (size_t i = 0; i < count; i++) {
                strings[i] = (wfbs_span){b->text, (size_t)at[i]};
                b->text += at[i];
            }
            value->as.strings = strings;
            value->size = count;
            break;
        }
        case WFBS_KIND_TABLE: {
            wfbs_record *record = arena_take(b, sizeof *record);
            read_record(b, &wfbs_tables[field->sub], b->record + in[slot], record);
            value->as.records = record;
            value->size = 1;
            break;
        }
        case WFBS_KIND_VECTOR_TABLE: {
            const wfbs_table *sub = &wfbs_tables[field->sub];
            wfbs_record *records = arena_take(b, count * sizeof *records);
            for (size_t i = 0; i < count; i++) {
                read_record(b, sub, at + i * (1u + sub->slot_count), &records[i]);
            }
            value->as.records = records;
            value->size = count;
            break;
        }
        default:
            value->as.scalar = (uint64_t)in[slot];
            break;
        }
    }
}

/* Writes those args and kwargs of `t` that the record has as tokens to the beginning of `out`, and
 * stores their places in payloads[]; ignores the others. Returns the number of bytes used, or -1 if
 * there is not enough room or a payload is too large to be copied. */
static int64_t
write_payloads(builder *b, const wfbs_table *t, uint8_t *out, size_t room, wfbs_span payloads[2])
{
    size_t used = 0;
    for (unsigned i = 0; i < 2; i++) {
        unsigned slot = t->slot_of[i ? WFBS_USE_KWARGS : WFBS_USE_ARGS];
        payloads[i] = (wfbs_span){NULL, 0};
        if (slot == WFBS_NO_SLOT || !((uint32_t)b->record[WFBS_BUILD_PRESENT] >> slot & 1)) {
            continue;
        }
        int64_t value = b->record[WFBS_BUILD_FIELDS + slot];
        if (value < 0) {
            int64_t size = wfbs_cffi_cbor_write(b->record + (-value >> 32), -value & 0xFFFFFFFF,
                                                &b->text, out + used, room - used);
            if (size < 0 || size >= WFBS_BLOB_MIN) {
                return -1;
            }
            payloads[i] = (wfbs_span){out + used, (size_t)size};
            used += (size_t)size;
        }
    }
    return (int64_t)used;
}

/* Overwrites the record with the omitted pieces and their positions. */
static void
describe_pieces(const wfbs_written *gather, int64_t *record)
{
    int64_t slots[WFBS_MAX_BLOBS];
    for (unsigned i = 0; i < gather->count; i++) {
        slots[i] =
            (const int64_t *)(const void *)gather->blobs[i].data - record - WFBS_BUILD_FIELDS;
    }
    record[0] = gather->count;
    for (unsigned i = 0; i < gather->count; i++) {
        record[1 + 2 * i] = slots[i];
        record[2 + 2 * i] = (int64_t)gather->blobs[i].offset;
    }
}

int64_t
wfbs_flat_build(int message, int dialect, int batched, int64_t *record, int64_t count,
                const uint8_t *text, uint8_t *out, int64_t room)
{
    const wfbs_message_type *type = &wfbs_messages[message];
    wfbs_value values[WFBS_MAX_FIELDS];
    char *arena = count > WFBS_BUILD_ROOM ? malloc(arena_bound(count)) : NULL;
    if (count > WFBS_BUILD_ROOM && !arena) {
        return WFBS_BUILD_NO_MEMORY;
    }
    builder b = {record, text, arena ? arena : (char *)values,
                 0}; /* in this case, nothing is read from it */
    wfbs_record top = {&wfbs_tables[type->table], (uint32_t)record[WFBS_BUILD_PRESENT], values};
    wfbs_span payloads[2];
    int64_t used = write_payloads(&b, top.table, out, (size_t)room, payloads);
    if (used < 0) {
        free(arena);
        return WFBS_BUILD_NO_ROOM;
    }
    read_table(&b, top.table, top.present, record + WFBS_BUILD_FIELDS, values);
    for (unsigned i = 0; i < 2; i++) {
        if (payloads[i].data) {
            wfbs_value *value = &values[top.table->slot_of[i ? WFBS_USE_KWARGS : WFBS_USE_ARGS]];
            value->as.bytes = payloads[i].data;
            value->size = payloads[i].size;
        }
    }
    wfbs_outgoing outgoing = {
        &top,
        dialect == WFBS_DIALECT_SCHEMA ? type->ordinal : type->code,
        {NULL, 0},
    };
    int64_t metadata = record[WFBS_BUILD_METADATA];
    if (metadata >= 0) {
        outgoing.metadata.size = (size_t)metadata;
        outgoing.metadata.data =
            metadata < WFBS_BLOB_MIN ? b.text : (const uint8_t *)&record[WFBS_BUILD_METADATA];
    }
    size_t bound = wfbs_write_bound(&outgoing);
    size_t header = batched ? WFBS_FRAME_SIZE : 0;
    int64_t result;
    if (!bound) {
        result = WFBS_BUILD_TOO_LONG;
    }
    else if (header + bound > (size_t)(room - used)) {
        result = WFBS_BUILD_NO_ROOM - (int64_t)(header + bound) - used;
    }
    else {
        wfbs_written gather;
        uint8_t *behind = out + used + header; /* so that notes don't overwrite the payloads */
        wfbs_write_message(&outgoing, behind, (size_t)(room - used) - header, &gather);
        uint8_t *first = out + (gather.written - out); /* the same, but writable */
        if (batched) {
            first -= WFBS_FRAME_SIZE;
            wfbs_frame_store(first, gather.size);
        }
        result = out + room - first;
        describe_pieces(&gather, record);
    }
    free(arena);
    return result;
}
