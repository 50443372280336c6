/* Fuzz target: one message in the core, in both dialects.
 *
 * An accepted message is read in full, through every nested table, and written again from the
 * values. The result must also be accepted, have the same content, and stay the same when it is
 * read and written once more. All memory is in heap blocks of exactly its size, so that a sanitizer
 * detects a read that is off by one.
 *
 * The same bytes also go through the checks that take any bytes: the settings under which they are
 * valid, and the keys of MessagePack.
 *
 * Any broken promise ends in abort(). */
#include <stdio.h>
#include <stdlib.h>

#include "../csrc/core/msgpack_keys.h"
#include "../csrc/core/read.h"
#include "../csrc/core/text.h"
#include "../csrc/core/valid_settings.h"
#include "../csrc/core/verify.h"
#include "../csrc/core/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                             \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                  \
        }                                                                             \
    } while (0)

/* Longer inputs are ignored: 64 kB reach every path, and their values fit the room below (8 * 64 kB
 * of apparent size, at least 8 per table, with at most 128 bytes for the values of each). */
enum { MAX_INPUT = 64 * 1024, ROOM = 32 * 1024 * 1024 };

static _Alignas(16) uint8_t room[ROOM];
static size_t used;

/* `size` bytes that remain valid until this input is finished. */
static void *
take(size_t size)
{
    size_t start = (used + 15) & ~(size_t)15;
    EXPECT(size <= ROOM - start);
    used = start + size;
    return room + start;
}

/* An exact-size copy; the caller frees it. */
static uint8_t *
block_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    EXPECT(copy);
    if (size) {
        memcpy(copy, data, size);
    }
    return copy;
}

/* Reads every byte of `span`; the sum prevents the compiler from omitting this. */
static volatile uint8_t sink;

static void
touch(wfbs_span span)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < span.size; i++) {
        sum = (uint8_t)(sum + span.data[i]);
    }
    sink = sum;
}

/* The slots of `t` that are ever written. */
static uint32_t
written_slots(const wfbs_table *t)
{
    uint32_t slots = 0;
    for (unsigned i = 0; i < t->order_count; i++) {
        slots |= UINT32_C(1) << t->order[i];
    }
    return slots;
}

static void
expect_enum(unsigned sub, uint64_t value)
{
    EXPECT(value < wfbs_enums[sub].count && wfbs_enums[sub].names[value]);
}

static wfbs_record read_table(const uint8_t *data, uint32_t table, const wfbs_table *t);

/* The elements of the vector or string at `place`; checks verification's promises about them. */
static wfbs_value
read_elements(const uint8_t *data, uint32_t place, const wfbs_field *f)
{
    const wfbs_span span = wfbs_span_at(data, place);
    const uint32_t first = (uint32_t)(span.data - data);
    wfbs_value value = {.as.bytes = span.data, .size = span.size};
    switch ((wfbs_kind)f->kind) {
    case WFBS_KIND_STRING:
        EXPECT(!span.data[span.size] && wfbs_utf8_is_valid(span.data, span.size));
        break;
    case WFBS_KIND_BYTES:
        touch(span);
        break;
    case WFBS_KIND_VECTOR_ENUM8:
        for (size_t i = 0; i < span.size; i++) {
            expect_enum(f->sub, span.data[i]);
        }
        break;
    case WFBS_KIND_VECTOR_U64: {
        uint64_t *integers = take(8 * span.size);
        for (size_t i = 0; i < span.size; i++) {
            integers[i] = wfbs_load_u64(span.data + 8 * i);
        }
        value.as.integers = integers;
        break;
    }
    case WFBS_KIND_VECTOR_STRING: {
        wfbs_span *strings = take(sizeof *strings * span.size);
        for (size_t i = 0; i < span.size; i++) {
            strings[i] = wfbs_span_at(data, first + 4 * (uint32_t)i);
            EXPECT(wfbs_utf8_is_valid(strings[i].data, strings[i].size));
        }
        value.as.strings = strings;
        break;
    }
    case WFBS_KIND_VECTOR_TABLE: {
        wfbs_record *records = take(sizeof *records * span.size);
        for (size_t i = 0; i < span.size; i++) {
            uint32_t target = wfbs_follow(data, first + 4 * (uint32_t)i);
            records[i] = read_table(data, target, &wfbs_tables[f->sub]);
        }
        value.as.records = records;
        break;
    }
    default:
        EXPECT(f->kind >= WFBS_KIND_COUNT); /* no message has a field of another kind */
    }
    return value;
}

/* The value of the present field `f` at `place` of a verified message; checks verification's
 * promises about it. */
static wfbs_value
read_value(const uint8_t *data, uint32_t place, const wfbs_field *f)
{
    wfbs_value value = {.size = 0};
    switch ((wfbs_kind)f->kind) {
    case WFBS_KIND_BOOL:
        EXPECT(data[place] <= 1);
        value.as.scalar = data[place];
        return value;
    case WFBS_KIND_ENUM8:
        expect_enum(f->sub, data[place]);
        value.as.scalar = data[place];
        return value;
    case WFBS_KIND_U8:
        value.as.scalar = data[place];
        return value;
    case WFBS_KIND_ENUM16:
        expect_enum(f->sub, wfbs_load_u16(data + place));
        value.as.scalar = wfbs_load_u16(data + place);
        return value;
    case WFBS_KIND_U16:
        value.as.scalar = wfbs_load_u16(data + place);
        return value;
    case WFBS_KIND_U32:
        value.as.scalar = wfbs_load_u32(data + place);
        return value;
    case WFBS_KIND_U64:
        value.as.scalar = wfbs_load_u64(data + place);
        return value;
    case WFBS_KIND_TABLE: {
        wfbs_record *record = take(sizeof *record);
        *record = read_table(data, wfbs_follow(data, place), &wfbs_tables[f->sub]);
        value.as.records = record;
        value.size = 1;
        return value;
    }
    default:
        return read_elements(data, place, f);
    }
}

/* Reads everything in the verified table at `table`. Slots that are never written are read as well,
 * and then omitted. */
static wfbs_record
read_table(const uint8_t *data, uint32_t table, const wfbs_table *t)
{
    wfbs_value *values = take(sizeof *values * t->slot_count);
    wfbs_record record = {t, 0, values};
    for (unsigned slot = 0; slot < t->slot_count; slot++) {
        uint32_t place = wfbs_slot_position(data, table, slot);
        memset(&values[slot], 0, sizeof values[slot]);
        if (place) {
            values[slot] = read_value(data, place, &t->fields[slot]);
            record.present |= UINT32_C(1) << slot;
        }
    }
    record.present &= written_slots(t);
    return record;
}

static void
expect_same_bytes(const uint8_t *a, const uint8_t *b, size_t size)
{
    EXPECT(!size || !memcmp(a, b, size));
}

static void
expect_same_record(const wfbs_record *a, const wfbs_record *b)
{
    EXPECT(a->table == b->table);
    const wfbs_table *t = a->table;
    for (unsigned slot = 0; slot < t->slot_count; slot++) {
        const wfbs_field *f = &t->fields[slot];
        const wfbs_value *x = &a->values[slot], *y = &b->values[slot];
        uint32_t bit = UINT32_C(1) << slot;
        bool in_a = a->present & bit, in_b = b->present & bit;
        if (f->kind < WFBS_KIND_STRING) {
            /* Absence means the default, unless the scalar is optional. */
            EXPECT(in_a == in_b || !(f->flags & WFBS_FLAG_OPTIONAL));
            uint64_t standard = f->default_value;
            EXPECT((in_a ? x->as.scalar : standard) == (in_b ? y->as.scalar : standard));
            continue;
        }
        EXPECT(in_a == in_b);
        if (!in_a) {
            continue;
        }
        EXPECT(x->size == y->size);
        for (size_t i = 0; i < x->size; i++) {
            switch ((wfbs_kind)f->kind) {
            case WFBS_KIND_VECTOR_U64:
                EXPECT(x->as.integers[i] == y->as.integers[i]);
                break;
            case WFBS_KIND_VECTOR_STRING:
                EXPECT(x->as.strings[i].size == y->as.strings[i].size);
                expect_same_bytes(x->as.strings[i].data, y->as.strings[i].data,
                                  x->as.strings[i].size);
                break;
            case WFBS_KIND_TABLE:
            case WFBS_KIND_VECTOR_TABLE:
                expect_same_record(&x->as.records[i], &y->as.records[i]);
                break;
            default:
                expect_same_bytes(x->as.bytes, y->as.bytes, x->size);
                i = x->size - 1; /* all bytes at once */
                break;
            }
        }
    }
}

/* Writes the message; *size gets its length. The caller frees the exact-size block. */
static uint8_t *
encode(const wfbs_record *record, uint8_t tag, wfbs_span metadata, size_t *size)
{
    wfbs_outgoing message = {record, tag, metadata};
    size_t bound = wfbs_write_bound(&message);
    EXPECT(bound);
    uint8_t *buffer = malloc(bound);
    EXPECT(buffer);
    wfbs_written gather;
    wfbs_write_message(&message, buffer, bound, &gather);
    uint8_t *out = malloc(gather.size);
    EXPECT(out);
    wfbs_write_copy(&gather, out);
    free(buffer);
    *size = gather.size;
    return out;
}

static wfbs_span
metadata_of(const uint8_t *data, const wfbs_envelope *e)
{
    return (wfbs_span){e->metadata ? data + e->metadata : NULL, e->metadata_size};
}

/* Limits that small inputs can reach: they may only refuse more, with an error that names them. */
static void
check_limits(const uint8_t *data, size_t size, wfbs_dialect dialect)
{
    static const wfbs_limits tight = {
        .max_size = 800, .budget_minimum = 200, .budget_factor = 1, .max_tables = 4};
    wfbs_envelope e, e2;
    wfbs_error error, error2;
    bool taken = wfbs_verify(data, size, dialect, &wfbs_default_limits, &e, &error);
    if (wfbs_verify(data, size, dialect, &tight, &e2, &error2)) {
        EXPECT(taken && e.message == e2.message && e.table == e2.table);
    }
    else if (taken) {
        EXPECT(error2.code == WFBS_ERROR_TOO_LONG || error2.code == WFBS_ERROR_BUDGET
               || error2.code == WFBS_ERROR_TABLES);
    }
}

static void
check(const uint8_t *data, size_t size, wfbs_dialect dialect)
{
    wfbs_envelope e, e2;
    wfbs_error error;
    check_limits(data, size, dialect);
    if (!wfbs_verify(data, size, dialect, &wfbs_default_limits, &e, &error)) {
        EXPECT(error.code > WFBS_ERROR_OK && error.code < WFBS_ERROR_COUNT);
        EXPECT(error.offset <= UINT64_C(1) << 33);
        return;
    }
    used = 0;
    const wfbs_message_type *type = &wfbs_messages[e.message];
    wfbs_record record = read_table(data, e.table, &wfbs_tables[type->table]);
    wfbs_span metadata = metadata_of(data, &e);
    touch(metadata);

    uint8_t tag = dialect == WFBS_DIALECT_SCHEMA ? type->ordinal : type->code;
    size_t size2, size3;
    uint8_t *data2 = encode(&record, tag, metadata, &size2);
    EXPECT(wfbs_verify(data2, size2, dialect, &wfbs_default_limits, &e2, &error));
    EXPECT(e2.message == e.message);
    wfbs_record record2 = read_table(data2, e2.table, &wfbs_tables[type->table]);
    wfbs_span metadata2 = metadata_of(data2, &e2);
    expect_same_record(&record, &record2);
    EXPECT(!metadata.data == !metadata2.data && metadata.size == metadata2.size);
    expect_same_bytes(metadata.data, metadata2.data, metadata.size);

    uint8_t *data3 = encode(&record2, tag, metadata2, &size3);
    EXPECT(size2 == size3);
    expect_same_bytes(data2, data3, size2);
    free(data3);
    free(data2);
}

/* The settings agree with the verifier, and what is refused in MessagePack is in the input. */
static void
check_any_bytes(const uint8_t *data, size_t size)
{
    wfbs_envelope e;
    wfbs_error error;
    unsigned settings = wfbs_valid_settings(data, size, &wfbs_default_limits);
    if (size && size <= WFBS_SETTINGS_MAX) {
        for (unsigned schema = 0; schema < 2; schema++) {
            wfbs_dialect dialect = schema ? WFBS_DIALECT_SCHEMA : WFBS_DIALECT_AUTOBAHN;
            EXPECT(wfbs_verify(data, size, dialect, &wfbs_default_limits, &e, &error)
                   == (settings >> (schema * WFBS_SETTING_SCHEMA) & 1));
        }
    }
    else {
        EXPECT(!settings);
    }
    size_t at;
    EXPECT(!wfbs_msgpack_refusal(data, size, &at) || at < size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > MAX_INPUT) {
        return 0;
    }
    uint8_t *copy = block_copy(data, size);
    check(copy, size, WFBS_DIALECT_AUTOBAHN);
    check(copy, size, WFBS_DIALECT_SCHEMA);
    check_any_bytes(copy, size);
    free(copy);
    return 0;
}
