/* The writer. Positions are counted from the end of the buffer, because the message grows towards
 * its front. See write.h. */
#include "write.h"

/* How many different vtables are remembered for sharing. Only vectors of tables and nested roles
 * repeat vtables. Beyond this number, a vtable is written again. */
enum { SHARED_VTABLES = 16 };

typedef struct {
    uint8_t *next; /* the first written byte; blobs are not included */
    wfbs_written *gather;
    uint8_t *front; /* the first byte that notes don't use */
    uint32_t used;  /* bytes of the message so far; the bound ensures < 2^31 */
    uint32_t align; /* the largest alignment needed */
    unsigned shared;
    struct {
        const uint8_t *at;
        uint32_t position;
        uint32_t sizes; /* of the vtable and of its table */
    } vtables[SHARED_VTABLES];
} writer;

static inline void
store_u16(uint8_t *p, uint16_t v)
{
    if (WFBS_BIG_ENDIAN) {
        p[0] = (uint8_t)v;
        p[1] = (uint8_t)(v >> 8);
        return;
    }
    memcpy(p, &v, sizeof v);
}

static inline void
store_u32(uint8_t *p, uint32_t v)
{
    if (WFBS_BIG_ENDIAN) {
        store_u16(p, (uint16_t)v);
        store_u16(p + 2, (uint16_t)(v >> 16));
        return;
    }
    memcpy(p, &v, sizeof v);
}

static inline void
store_u64(uint8_t *p, uint64_t v)
{
    if (WFBS_BIG_ENDIAN) {
        store_u32(p, (uint32_t)v);
        store_u32(p + 4, (uint32_t)(v >> 32));
        return;
    }
    memcpy(p, &v, sizeof v);
}

/* Pads with zeros so that, after `additional` more bytes, the position is a
 * multiple of `size` (a power of two). */
static inline void
prepare(writer *w, uint32_t size, uint32_t additional)
{
    if (size > w->align) {
        w->align = size;
    }
    uint32_t padding = (~(w->used + additional) + 1) & (size - 1);
    if (padding) {
        w->used += padding;
        w->next -= padding;
        memset(w->next, 0, padding);
    }
}

/* Reserves `size` bytes in front of the written bytes; returns their place. */
static inline uint8_t *
take(writer *w, uint32_t size)
{
    w->used += size;
    w->next -= size;
    return w->next;
}

/* Writes a scalar of `width` bytes, aligned to its width. */
static inline void
put_scalar(writer *w, uint64_t value, uint32_t width)
{
    prepare(w, width, 0);
    uint8_t *p = take(w, width);
    switch (width) {
    case 1:
        *p = (uint8_t)value;
        break;
    case 2:
        store_u16(p, (uint16_t)value);
        break;
    case 4:
        store_u32(p, (uint32_t)value);
        break;
    default:
        store_u64(p, value);
        break;
    }
}

/* Writes an offset to the object at position `target`. */
static inline void
put_offset(writer *w, uint32_t target)
{
    prepare(w, 4, 0);
    uint8_t *p = take(w, 4);
    store_u32(p, w->used - target);
}

/* Writes the length of the bytes and the bytes, with a zero after them if `terminated`; returns
 * their position. */
static uint32_t
put_bytes(writer *w, const uint8_t *data, uint32_t size, uint32_t terminated)
{
    prepare(w, 4, size + terminated);
    if (terminated) {
        *take(w, 1) = 0;
    }
    uint8_t *p = take(w, size);
    if (size) {
        memcpy(p, data, size);
    }
    store_u32(take(w, 4), size);
    return w->used;
}

/* Reserves room for a byte vector that is not copied yet; returns its position. */
static uint32_t
put_blob(writer *w, const uint8_t *data, uint32_t size)
{
    wfbs_written *g = w->gather;
    prepare(w, 4, size);
    w->used += size;
    g->blobs[g->count].offset = w->used; /* counted from the end until the size is known */
    g->blobs[g->count].data = data;
    g->blobs[g->count++].size = size;
    store_u32(take(w, 4), size);
    return w->used;
}

/* Writes a byte vector or defers it, depending on its size. No message has more than four: see
 * tools/generate.py. */
static inline uint32_t
put_byte_vector(writer *w, const uint8_t *data, uint32_t size)
{
    return size < WFBS_BLOB_MIN ? put_bytes(w, data, size, 0) : put_blob(w, data, size);
}

static uint32_t
put_integers(writer *w, const uint64_t *items, uint32_t count)
{
    prepare(w, 4, 8 * count);
    if (count) {
        prepare(w, 8, 8 * count);
    }
    for (uint32_t i = count; i-- > 0;) {
        store_u64(take(w, 8), items[i]);
    }
    store_u32(take(w, 4), count);
    return w->used;
}

static uint32_t put_table(writer *w, const wfbs_record *record);

/* While a vector is written, its children's positions are stored at the unused front of the buffer.
 * The upper bound includes that room. */
static inline void
remember(uint8_t *note, uint32_t index, uint32_t position)
{
    memcpy(note + 4 * (size_t)index, &position, sizeof position);
}

/* Writes the vector of offsets to `count` remembered children. */
static uint32_t
put_offsets(writer *w, const uint8_t *note, uint32_t count)
{
    prepare(w, 4, 4 * count);
    for (uint32_t i = count; i-- > 0;) {
        uint32_t position;
        memcpy(&position, note + 4 * (size_t)i, sizeof position);
        put_offset(w, position);
    }
    store_u32(take(w, 4), count);
    return w->used;
}

static uint32_t
put_strings(writer *w, const wfbs_span *items, uint32_t count)
{
    uint8_t *note = w->front;
    w->front += 4 * (size_t)count;
    for (uint32_t i = 0; i < count; i++) {
        remember(note, i, put_bytes(w, items[i].data, (uint32_t)items[i].size, 1));
    }
    uint32_t position = put_offsets(w, note, count);
    w->front = note;
    return position;
}

static uint32_t
put_tables(writer *w, const wfbs_record *items, uint32_t count)
{
    uint8_t *note = w->front;
    w->front += 4 * (size_t)count;
    for (uint32_t i = 0; i < count; i++) {
        remember(note, i, put_table(w, &items[i]));
    }
    uint32_t position = put_offsets(w, note, count);
    w->front = note;
    return position;
}

/* Writes the target of an offset field; returns its position. */
static uint32_t
put_child(writer *w, const wfbs_field *field, const wfbs_value *value)
{
    uint32_t size = (uint32_t)value->size; /* the upper bound has checked it */
    switch ((wfbs_kind)field->kind) {
    case WFBS_KIND_STRING:
        return put_bytes(w, value->as.bytes, size, 1);
    case WFBS_KIND_VECTOR_U64:
        return put_integers(w, value->as.integers, size);
    case WFBS_KIND_VECTOR_STRING:
        return put_strings(w, value->as.strings, size);
    case WFBS_KIND_TABLE:
        return put_table(w, value->as.records);
    case WFBS_KIND_VECTOR_TABLE:
        return put_tables(w, value->as.records, size);
    case WFBS_KIND_BYTES:
        return put_byte_vector(w, value->as.bytes, size);
    default:
        return put_bytes(w, value->as.bytes, size, 0);
    }
}

/* The inline width of a scalar, 0 for an offset field. */
static const uint8_t scalar_width[WFBS_KIND_COUNT] = {
    [WFBS_KIND_BOOL] = 1,   [WFBS_KIND_U8] = 1,  [WFBS_KIND_ENUM8] = 1, [WFBS_KIND_U16] = 2,
    [WFBS_KIND_ENUM16] = 2, [WFBS_KIND_U32] = 4, [WFBS_KIND_U64] = 8,
};

/* Ends a table that began at `start`: its vtable offset, and its vtable unless an equal one was
 * written before. `written` has a bit for each present slot, `at` their positions. Returns the
 * table's position. */
static uint32_t
end_table(writer *w, uint32_t start, uint32_t written, const uint32_t *at)
{
    prepare(w, 4, 0);
    uint8_t *offset = take(w, 4);
    uint32_t table = w->used;
    uint32_t size = 4 + 2 * (written ? wfbs_highest_bit(written) + 1 : 0);
    uint8_t *vtable = take(w, size); /* a table ends at a multiple of 4 */
    store_u16(vtable, (uint16_t)size);
    store_u16(vtable + 2, (uint16_t)(table - start)); /* at most 32 fields of 8 bytes and padding */
    for (uint8_t *entry = vtable + 4; written; entry += 2, written >>= 1, at++) {
        store_u16(entry, written & 1 ? (uint16_t)(table - *at) : 0);
    }
    /* Sizes first, because reading back bytes that were just stored in small pieces is slow. */
    uint32_t sizes = size << 16 | (table - start);
    for (unsigned i = 0; i < w->shared; i++) {
        if (w->vtables[i].sizes == sizes && !memcmp(vtable, w->vtables[i].at, size)) {
            w->next += size;
            w->used -= size;
            store_u32(offset, w->vtables[i].position - table);
            return table;
        }
    }
    store_u32(offset, w->used - table);
    if (w->shared < SHARED_VTABLES) {
        w->vtables[w->shared].at = vtable;
        w->vtables[w->shared].position = w->used;
        w->vtables[w->shared++].sizes = sizes;
    }
    return table;
}

/* The bits of `slots`, moved to their positions in writing order. */
static inline uint32_t
in_order(uint32_t slots, const uint8_t *rank)
{
    uint32_t ordered = 0;
    for (; slots; slots &= slots - 1) {
        ordered |= UINT32_C(1) << rank[wfbs_lowest_bit(slots)];
    }
    return ordered;
}

/* Writes a table, children first. Recursion follows the schema, which is acyclic. */
static uint32_t
put_table(writer *w, const wfbs_record *record)
{
    const wfbs_table *t = record->table;
    uint32_t child[WFBS_MAX_FIELDS];
    uint32_t at[WFBS_MAX_FIELDS];
    uint32_t todo = in_order(record->present & t->child_mask, t->child_rank);
    for (; todo; todo &= todo - 1) {
        unsigned slot = t->children[wfbs_lowest_bit(todo)];
        child[slot] = put_child(w, &t->fields[slot], &record->values[slot]);
    }
    uint32_t start = w->used, written = 0;
    for (todo = in_order(record->present, t->rank); todo; todo &= todo - 1) {
        unsigned slot = t->order[wfbs_lowest_bit(todo)];
        const wfbs_field *field = &t->fields[slot];
        uint32_t width = scalar_width[field->kind];
        if (!width) {
            put_offset(w, child[slot]);
        }
        else {
            uint64_t value = record->values[slot].as.scalar;
            if (!(field->flags & WFBS_FLAG_OPTIONAL) && value == field->default_value) {
                continue; /* this is the value of an absent field anyway */
            }
            put_scalar(w, value, width);
        }
        at[slot] = w->used;
        written |= UINT32_C(1) << slot;
    }
    return end_table(w, start, written, at);
}

/* Adds `more` to `*sum`; false if the result exceeds WFBS_MAX_MESSAGE. Neither wraps: *sum is below
 * 2^31, and `more` is checked first. */
static bool
add(size_t *sum, size_t more)
{
    if (more > WFBS_MAX_MESSAGE || *sum + more > WFBS_MAX_MESSAGE) {
        return false;
    }
    *sum += more;
    return true;
}

/* Overheads, rounded up: length, terminator and padding of a vector; a field with its padding; the
 * two headers of a table. */
enum { VECTOR_EXTRA = 16, FIELD_EXTRA = 16, TABLE_EXTRA = 16 };

/* Adds a byte vector: its written part to `*sum`, its deferred part to `*blobs`. */
static bool
add_bytes(size_t *sum, size_t *blobs, size_t size)
{
    return add(sum, VECTOR_EXTRA) && add(size < WFBS_BLOB_MIN ? sum : blobs, size);
}

static bool
add_record(size_t *sum, size_t *blobs, const wfbs_record *record)
{
    const wfbs_table *t = record->table;
    if (!add(sum, TABLE_EXTRA + (2 + FIELD_EXTRA) * (size_t)t->slot_count)) {
        return false;
    }
    for (uint32_t todo = record->present & t->child_mask; todo; todo &= todo - 1) {
        unsigned slot = wfbs_lowest_bit(todo);
        const wfbs_value *value = &record->values[slot];
        size_t width = 1; /* bytes per element, and memory for its position */
        switch ((wfbs_kind)t->fields[slot].kind) {
        case WFBS_KIND_BYTES:
            if (!add_bytes(sum, blobs, value->size)) {
                return false;
            }
            continue;
        case WFBS_KIND_VECTOR_U64:
        case WFBS_KIND_VECTOR_STRING:
        case WFBS_KIND_VECTOR_TABLE:
            width = 8;
            break;
        default:
            break;
        }
        /* Division instead of multiplication, so it can't wrap on 32-bit hosts either. */
        if (value->size > WFBS_MAX_MESSAGE / width
            || !add(sum, VECTOR_EXTRA + width * value->size)) {
            return false;
        }
        if (t->fields[slot].kind == WFBS_KIND_VECTOR_STRING) {
            for (size_t k = 0; k < value->size; k++) {
                if (value->as.strings[k].size > WFBS_MAX_MESSAGE
                    || !add(sum, VECTOR_EXTRA + value->as.strings[k].size)) {
                    return false;
                }
            }
        }
        else if (t->fields[slot].kind == WFBS_KIND_VECTOR_TABLE
                 || t->fields[slot].kind == WFBS_KIND_TABLE) {
            size_t count = t->fields[slot].kind == WFBS_KIND_TABLE ? 1 : value->size;
            for (size_t k = 0; k < count; k++) {
                if (!add_record(sum, blobs, &value->as.records[k])) {
                    return false;
                }
            }
        }
    }
    return true;
}

size_t
wfbs_write_bound(const wfbs_outgoing *message)
{
    size_t sum = 128; /* the root's table, vtable and offset with their padding */
    size_t blobs = 0;
    if ((message->metadata.data && !add_bytes(&sum, &blobs, message->metadata.size))
        || !add_record(&sum, &blobs, message->record) || !add(&blobs, sum)) {
        return 0;
    }
    return sum;
}

void
wfbs_write_message(const wfbs_outgoing *message, uint8_t *buffer, size_t room, wfbs_written *out)
{
    writer w;
    w.next = buffer + room;
    w.front = buffer;
    w.gather = out;
    w.used = 0;
    w.align = 1;
    w.shared = 0;
    out->count = 0;
    uint32_t metadata = 0;
    if (message->metadata.data) {
        metadata = put_byte_vector(&w, message->metadata.data, (uint32_t)message->metadata.size);
    }
    uint32_t value = put_table(&w, message->record);
    uint32_t start = w.used;
    uint32_t at[3], written = 3; /* the union's type and the message */
    put_scalar(&w, message->tag, 1);
    at[0] = w.used;
    put_offset(&w, value);
    at[1] = w.used;
    if (metadata) {
        put_offset(&w, metadata);
        at[2] = w.used;
        written |= 4;
    }
    uint32_t root = end_table(&w, start, written, at);
    prepare(&w, w.align, 4);
    put_offset(&w, root);
    out->written = w.next;
    out->size = w.used;
    for (unsigned i = 0; i < out->count; i++) {
        out->blobs[i].offset = w.used - out->blobs[i].offset;
    }
}

void
wfbs_write_copy(const wfbs_written *message, uint8_t *to)
{
    const uint8_t *from = message->written;
    size_t done = 0;
    for (unsigned i = message->count; i-- > 0;) { /* first in the message first */
        size_t before = message->blobs[i].offset - done;
        memcpy(to + done, from, before);
        if (message->blobs[i].data) {
            memcpy(to + done + before, message->blobs[i].data, message->blobs[i].size);
        }
        from += before;
        done += before + message->blobs[i].size;
    }
    memcpy(to + done, from, message->size - done);
}
