/* Unit tests of the FlexBuffers reader, without Python.
 *
 * Every buffer under test is a heap block of exactly its size: see check.h. */
#include "../core/flex_tokens.h"
#include "check.h"

/* Verifies a copy of the bytes on the heap. Returns the error, OK for none. */
static wfbs_flex_error
verify(const uint8_t *data, size_t size)
{
    uint8_t *copy = take_copy(data, size);
    wfbs_flex_reader reader;

    wfbs_flex_open(&reader, copy, size);
    const bool good = wfbs_flex_verify(&reader);
    CHECK(good == (reader.error == WFBS_FLEX_ERROR_OK));
    CHECK(reader.error_at <= size);
    free(copy);
    return reader.error;
}

#define VERIFY(...) verify((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

enum {
    INT = WFBS_FLEX_INT << 2,
    KEY = WFBS_FLEX_KEY << 2,
    STRING = WFBS_FLEX_STRING << 2,
    MAP = WFBS_FLEX_MAP << 2,
    VECTOR = WFBS_FLEX_VECTOR << 2
};

/* {"a": 9, "b": [7, "x"]}, with one byte for each slot. */
static const uint8_t SAMPLE[] = {
    'a', 0,   'b', 0,                        /* 0: the keys */
    2,   5,   4,                             /* 4: their vector, which begins at 5 */
    1,   'x', 0,                             /* 7: the string, which begins at 8 */
    2,   7,   4,   INT, STRING,              /* 10: the vector, which begins at 11 */
    10,  1,   2,   9,   8,      INT, VECTOR, /* 15: the map, which begins at 18 */
    4,   MAP, 1,                             /* 22: the root */
};

static void
test_loads_of_every_width(void)
{
    const uint8_t bytes[8] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    CHECK(wfbs_flex_load_unsigned(bytes, 1) == 0xfe);
    CHECK(wfbs_flex_load_unsigned(bytes, 2) == 0xfffe);
    CHECK(wfbs_flex_load_unsigned(bytes, 4) == 0xfffffffe);
    CHECK(wfbs_flex_load_unsigned(bytes, 8) == UINT64_MAX - 1);
    for (unsigned width = 1; width <= 8; width *= 2) {
        CHECK(wfbs_flex_load_signed(bytes, width) == -2);
    }
    CHECK(wfbs_flex_load_signed(bytes + 7, 1) == -1);
    const uint8_t one_and_a_half[8] = {0, 0, 0xc0, 0x3f, 0, 0, 0xf8, 0x3f};
    CHECK(wfbs_flex_load_float(one_and_a_half, 4) > 1.4999);
    CHECK(wfbs_flex_load_float(one_and_a_half, 4) < 1.5001);
}

static void
test_good_buffers_are_accepted(void)
{
    CHECK(verify(SAMPLE, sizeof SAMPLE) == WFBS_FLEX_ERROR_OK);
    CHECK(VERIFY(7, INT, 1) == WFBS_FLEX_ERROR_OK);
    CHECK(VERIFY(0, 0, 0, 1) == WFBS_FLEX_ERROR_OK);
    CHECK(VERIFY(0, 0, 1, VECTOR, 1) == WFBS_FLEX_ERROR_OK);
    CHECK(VERIFY('a', 0, 2, KEY, 1) == WFBS_FLEX_ERROR_OK);
}

static void
test_elements_are_read(void)
{
    wfbs_flex_reader r;
    wfbs_flex_ref root, item;
    wfbs_flex_map map;
    wfbs_flex_vector vector;
    wfbs_flex_span text = {0, 0};
    uint64_t index = 0, target = 0;

    wfbs_flex_open(&r, SAMPLE, sizeof SAMPLE);
    CHECK(wfbs_flex_root(&r, &root) && root.type == WFBS_FLEX_MAP);
    CHECK(wfbs_flex_map_of(&r, &root, &map) && map.values.count == 2 && map.keys.count == 2);
    CHECK(wfbs_flex_find(&r, &map, (const uint8_t *)"a", 1, &index) && index == 0);
    CHECK(wfbs_flex_find(&r, &map, (const uint8_t *)"ab", 2, &index) && index == 2);
    CHECK(wfbs_flex_find(&r, &map, (const uint8_t *)"", 0, &index) && index == 2);
    CHECK(wfbs_flex_find(&r, &map, (const uint8_t *)"b", 1, &index) && index == 1);
    item = wfbs_flex_item(&r, &map.values, index);
    CHECK(item.type == WFBS_FLEX_VECTOR && wfbs_flex_vector_of(&r, &item, &vector));
    CHECK(vector.count == 2 && !vector.typed);
    item = wfbs_flex_item(&r, &vector, 0);
    CHECK(item.type == WFBS_FLEX_INT && wfbs_flex_load_signed(SAMPLE + item.at, 1) == 7);
    item = wfbs_flex_item(&r, &vector, 1);
    CHECK(item.type == WFBS_FLEX_STRING && wfbs_flex_aligned_target(&r, &item, &target));
    CHECK(wfbs_flex_bytes_at(&r, &item, target, &text) && text.size == 1);
    CHECK(SAMPLE[text.at] == 'x');
    CHECK(r.error == WFBS_FLEX_ERROR_OK);
}

static void
test_each_fault_has_its_error(void)
{
    CHECK(verify(SAMPLE, 0) == WFBS_FLEX_ERROR_TOO_SHORT);
    CHECK(VERIFY(INT, 1) == WFBS_FLEX_ERROR_TOO_SHORT);
    CHECK(VERIFY(0, INT, 2) == WFBS_FLEX_ERROR_TOO_SHORT);
    CHECK(VERIFY(0, INT, 3) == WFBS_FLEX_ERROR_WIDTH);
    CHECK(VERIFY(0, 63 << 2, 1) == WFBS_FLEX_ERROR_TYPE);
    CHECK(VERIFY(0, WFBS_FLEX_FLOAT << 2, 1) == WFBS_FLEX_ERROR_FLOAT_WIDTH);
    CHECK(VERIFY(1, VECTOR, 1) == WFBS_FLEX_ERROR_OFFSET);
    CHECK(VERIFY(1, 0, VECTOR, 1) == WFBS_FLEX_ERROR_RANGE); /* a cycle */
    CHECK(VERIFY('a', 1, KEY, 1) == WFBS_FLEX_ERROR_KEY_TERMINATOR);
    CHECK(VERIFY(1, 'a', 1, 2, STRING, 1) == WFBS_FLEX_ERROR_STRING_TERMINATOR);
    CHECK(VERIFY(1, 0xff, 0, 2, STRING, 1) == WFBS_FLEX_ERROR_UTF8);
    CHECK(VERIFY(0, 0, 1, VECTOR | 1, 1) == WFBS_FLEX_ERROR_ALIGNMENT);
    CHECK(VERIFY('a', 0, 1, 3, 1, 1, 2, 9, 9, INT, INT, 4, MAP, 1) == WFBS_FLEX_ERROR_MAP_KEYS);
    CHECK(VERIFY('a', 0, 2, 3, 4, 2, 1, 2, 9, 9, INT, INT, 4, MAP, 1) == WFBS_FLEX_ERROR_DUPLICATE);
    for (int code = 0; code < WFBS_FLEX_ERROR_COUNT; code++) {
        CHECK(strlen(wfbs_flex_error_text((wfbs_flex_error)code)) > 5);
    }
}

/* Vectors of `fan` references to the vector one level below, with `levels` levels. */
static wfbs_flex_error
verify_shared(unsigned levels, unsigned fan)
{
    uint8_t data[4096] = {0};
    size_t size = 1, target = 1;

    for (unsigned level = 0; level < levels; level++) {
        data[size++] = (uint8_t)fan;
        const size_t start = size;
        for (unsigned i = 0; i < fan; i++, size++) {
            data[size] = (uint8_t)(size - target);
        }
        memset(data + size, VECTOR, fan);
        size += fan;
        target = start;
    }
    data[size] = (uint8_t)(size - target);
    data[size + 1] = VECTOR;
    data[size + 2] = 1;
    return verify(data, size + 3);
}

static void
test_depth_and_work_are_bounded(void)
{
    CHECK(verify_shared(WFBS_FLEX_MAX_DEPTH - 1, 1) == WFBS_FLEX_ERROR_OK);
    CHECK(verify_shared(WFBS_FLEX_MAX_DEPTH, 1) == WFBS_FLEX_ERROR_DEPTH);
    CHECK(verify_shared(2, 10) == WFBS_FLEX_ERROR_OK);
    CHECK(verify_shared(8, 60) == WFBS_FLEX_ERROR_BUDGET);
}

/* Appends a byte. */
static void
push(uint8_t *data, size_t *size, size_t byte)
{
    data[(*size)++] = (uint8_t)byte;
}

/* The order of keys and values is that of decoding, so the first error is the same. */
static void
test_the_first_fault_in_a_map_is_the_first_one_in_its_order(void)
{
    uint8_t data[64] = {'a', 0, 0xff, 0};
    size_t size = 4;

    push(data, &size, 2); /* the key vector begins at 5: "a", and bytes that aren't UTF-8 */
    push(data, &size, 5);
    push(data, &size, 4);
    push(data, &size, 2); /* the map begins at 10 */
    push(data, &size, 1);
    push(data, &size, 2);
    push(data, &size, 0);
    push(data, &size, 0);
    push(data, &size, 63 << 2); /* the first value has no valid type */
    push(data, &size, INT);
    push(data, &size, 4);
    push(data, &size, MAP);
    push(data, &size, 1);
    CHECK(verify(data, size) == WFBS_FLEX_ERROR_TYPE);
    data[12] = INT;
    CHECK(verify(data, size) == WFBS_FLEX_ERROR_UTF8);
    data[2] = 'b';
    CHECK(verify(data, size) == WFBS_FLEX_ERROR_OK);
}

/* A reader with lent memory charges for each of very many keys once. */
static void
test_lent_places_are_used(void)
{
    enum { KEYS = 600, LENGTH = 40, TIMES = 20 };
    static uint8_t data[KEYS * LENGTH + TIMES * (8 * KEYS + 4) + 1024];
    static uint64_t seen[2048 + WFBS_FLEX_SEEN], ends[2048 + WFBS_FLEX_SEEN];
    wfbs_flex_reader r;
    wfbs_flex_ref key;
    wfbs_flex_span span = {0, 0};
    uint64_t target = 0;
    size_t place, known = 0, at = KEYS * LENGTH;

    memset(data, 'k', KEYS * LENGTH);
    wfbs_flex_open(&r, data, sizeof data);
    wfbs_flex_lend(&r, 11, seen, ends);
    for (unsigned i = 0; i < KEYS * TIMES; i++) {
        const size_t begin = i % KEYS * LENGTH;
        data[begin + LENGTH - 1] = 0;
        for (unsigned byte = 0; byte < 4; byte++) {
            data[at + byte] = (uint8_t)((at - begin) >> (8 * byte));
        }
        key = wfbs_flex_ref_of(at, at, 4, KEY);
        CHECK(wfbs_flex_target(&r, &key, &target) && target == begin);
        CHECK(wfbs_flex_key_at(&r, target, at, &span) && span.size == LENGTH - 1);
        known += wfbs_flex_visit_text(&r, &span, 0, &place) == WFBS_FLEX_KNOWN;
        CHECK(place >= WFBS_FLEX_SEEN && place < 2048 + WFBS_FLEX_SEEN);
        at += 4;
    }
    CHECK(r.error == WFBS_FLEX_ERROR_OK);
    CHECK(known > KEYS * (TIMES - 1) * 9 / 10);
}

static void
test_no_mutation_makes_it_read_outside(void)
{
    uint8_t data[sizeof SAMPLE];

    for (size_t size = 0; size < sizeof SAMPLE; size++) {
        verify(SAMPLE, size);
        verify(SAMPLE + size, sizeof SAMPLE - size);
    }
    for (size_t i = 0; i < sizeof SAMPLE; i++) {
        for (unsigned a = 0; a < 256; a++) {
            memcpy(data, SAMPLE, sizeof SAMPLE);
            data[i] = (uint8_t)a;
            verify(data, sizeof data);
            data[(i * 7 + a) % sizeof SAMPLE] = (uint8_t)(a * 31);
            verify(data, sizeof data);
        }
    }
}

static void
test_random_bytes_are_never_read_outside(void)
{
    uint64_t state = 88172645463325252;
    uint8_t data[64];

    for (int round = 0; round < 200000; round++) {
        for (size_t i = 0; i < sizeof data; i += 8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            memcpy(data + i, &state, 8);
        }
        const size_t size = state % sizeof data;
        for (size_t i = 0; i < size; i++) {
            data[i] &= 0x3f; /* small offsets and counts lead further */
        }
        if (size > 2) {
            data[size - 1] = (uint8_t)(1u << (state >> 62));
            data[size - 2] = (uint8_t)(state >> 50) % (27 << 2);
        }
        verify(data, size);
    }
}

int
main(void)
{
    test_loads_of_every_width();
    test_good_buffers_are_accepted();
    test_elements_are_read();
    test_each_fault_has_its_error();
    test_depth_and_work_are_bounded();
    test_the_first_fault_in_a_map_is_the_first_one_in_its_order();
    test_lent_places_are_used();
    test_no_mutation_makes_it_read_outside();
    test_random_bytes_are_never_read_outside();
    return report("flex");
}
