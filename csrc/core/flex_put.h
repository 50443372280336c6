/* The bytes of FlexBuffers' vectors, maps and root, for all writers.
 *
 * A FlexBuffer is written bottom-up: the parts of a container first, then the container, whose
 * width is the smallest that fits its parts, as in Google's builder. Until then, the parts wait as
 * slots. The caller owns slots and output. `at` is the position in the FlexBuffer of the first byte
 * that a call writes. Nothing here can fail. */
#ifndef WFBS_FLEX_PUT_H
#define WFBS_FLEX_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "flex_read.h"

/* A value that waits for its container: a number itself, or the position of the written value. */
typedef struct {
    uint64_t bits; /* of a float: those of a double */
    uint8_t type;
    uint8_t width;     /* logarithm: the smallest for a number, or that of the written value */
    uint8_t unused[6]; /* for 16 bytes where uint64_t is aligned to 4, too */
} wfbs_flex_slot;

/* The parts of a vector or map. */
typedef struct {
    const wfbs_flex_slot *slots;
    size_t count;
    uint64_t keys;      /* the position of a map's vector of keys; WFBS_FLEX_NO_KEYS for a vector */
    uint8_t keys_width; /* its width, as a logarithm */
    uint8_t type;
} wfbs_flex_parts;

#define WFBS_FLEX_NO_KEYS UINT64_MAX

/* The logarithm of the width that an unsigned number needs. */
static inline uint8_t
wfbs_flex_width_of(uint64_t n)
{
    return n <= UINT8_MAX ? 0 : n <= UINT16_MAX ? 1 : n <= UINT32_MAX ? 2 : 3;
}

/* How many bytes to add to `at` until it is a multiple of `width`, a power of two. */
static inline size_t
wfbs_flex_padding(uint64_t at, unsigned width)
{
    return (size_t)((0 - at) & (width - 1u));
}

/* Stores the lower `width` bytes of `n`, little-endian. */
static inline void
wfbs_flex_put(uint8_t *p, uint64_t n, unsigned width)
{
    switch (width) {
    case 8:
        p[7] = (uint8_t)(n >> 56);
        p[6] = (uint8_t)(n >> 48);
        p[5] = (uint8_t)(n >> 40);
        p[4] = (uint8_t)(n >> 32);
        /* fall through */
    case 4:
        p[3] = (uint8_t)(n >> 24);
        p[2] = (uint8_t)(n >> 16);
        /* fall through */
    case 2:
        p[1] = (uint8_t)(n >> 8);
        /* fall through */
    default:
        p[0] = (uint8_t)n;
    }
}

static inline bool
wfbs_flex_is_inline(uint8_t type)
{
    return type <= WFBS_FLEX_FLOAT || type == WFBS_FLEX_BOOL;
}

/* The number of fields before the elements: a map's keys and their width, and the count. */
static inline size_t
wfbs_flex_header_of(const wfbs_flex_parts *v)
{
    const bool fixed = v->type >= WFBS_FLEX_VECTOR_INT2 && v->type <= WFBS_FLEX_VECTOR_FLOAT4;
    return v->keys != WFBS_FLEX_NO_KEYS ? 3 : fixed ? 0 : 1;
}

static inline bool
wfbs_flex_has_types(uint8_t type)
{
    return type == WFBS_FLEX_VECTOR || type == WFBS_FLEX_MAP;
}

/* Whether all offsets from a vector of `width` bytes, the first at `at`, fit into `width`. */
static inline bool
wfbs_flex_offsets_fit(const wfbs_flex_slot *slots, size_t count, uint64_t at, unsigned width)
{
    const uint64_t most = UINT64_MAX >> (64 - 8 * width);

    for (size_t i = 0; i < count; i++) {
        /* Written bytes are before `at`, so the difference can't wrap. */
        if (!wfbs_flex_is_inline(slots[i].type) && at + i * width - slots[i].bits > most) {
            return false;
        }
    }
    return true;
}

/* The smallest width, as a logarithm, with `header` fields before the elements; `end` is the start
 * of the padding before them. */
static inline uint8_t
wfbs_flex_width_with(const wfbs_flex_parts *v, size_t header, uint64_t end)
{
    const wfbs_flex_slot *slots = v->slots;
    uint8_t log = wfbs_flex_width_of(v->count);
    uint64_t lowest = v->keys;

    for (size_t i = 0; i < v->count; i++) {
        if (wfbs_flex_is_inline(slots[i].type)) {
            log = slots[i].width > log ? slots[i].width : log;
        }
        else if (slots[i].bits < lowest) {
            lowest = slots[i].bits;
        }
    }
    for (; lowest != WFBS_FLEX_NO_KEYS && log < 3; log++) {
        const unsigned width = 1u << log;
        const uint64_t most = UINT64_MAX >> (64 - 8 * width);
        const uint64_t start = end + wfbs_flex_padding(end, width);
        const uint64_t at = start + header * width;
        /* No offset is greater than the distance from the end to the lowest position. */
        if (at + v->count * width - lowest <= most) {
            break;
        }
        if ((v->keys == WFBS_FLEX_NO_KEYS || start - v->keys <= most)
            && wfbs_flex_offsets_fit(slots, v->count, at, width)) {
            break;
        }
    }
    return log;
}

/* Stores the elements, the first at position `at`. Inlined for a constant `width`. */
static inline void
wfbs_flex_put_elements(uint8_t *p, const wfbs_flex_slot *slots, size_t count, uint64_t at,
                       unsigned width)
{
    for (size_t i = 0; i < count; i++, p += width) {
        uint64_t bits = slots[i].bits;
        if (!wfbs_flex_is_inline(slots[i].type)) {
            bits = at + i * width - bits;
        }
        else if (width == 4 && slots[i].type == WFBS_FLEX_FLOAT) {
            double wide;
            memcpy(&wide, &bits, sizeof wide);
            const float narrow = (float)wide; /* exact, otherwise its width would be 8 */
            uint32_t word;
            memcpy(&word, &narrow, sizeof word);
            bits = word;
        }
        wfbs_flex_put(p, bits, width);
    }
}

/* The type of the smallest vector for the slots: a typed one if all are numbers (or bools) of one
 * type. */
static inline uint8_t
wfbs_flex_vector_type(const wfbs_flex_slot *slots, size_t count)
{
    const uint8_t type = count ? slots[0].type : WFBS_FLEX_NULL;

    if (!wfbs_flex_is_inline(type) || type == WFBS_FLEX_NULL) {
        return WFBS_FLEX_VECTOR;
    }
    for (size_t i = 1; i < count; i++) {
        if (slots[i].type != type) {
            return WFBS_FLEX_VECTOR;
        }
    }
    if (type == WFBS_FLEX_BOOL) {
        return WFBS_FLEX_VECTOR_BOOL;
    }
    if (count >= 2 && count <= 4) {
        return (uint8_t)(WFBS_FLEX_VECTOR_INT2 + 3 * (count - 2) + type - WFBS_FLEX_INT);
    }
    return (uint8_t)(WFBS_FLEX_VECTOR_INT + type - WFBS_FLEX_INT);
}

/* The number of bytes that the widest numbers among the slots take if they are written indirectly,
 * at most 8 * count + 7, and their width in *width, as a logarithm. 0 if that saves no space. */
static inline size_t
wfbs_flex_indirect_size(const wfbs_flex_slot *slots, size_t count, uint64_t at, uint8_t *width)
{
    size_t of_width[4] = {0};
    unsigned log = 3, rest;

    for (size_t i = 0; i < count; i++) {
        if (wfbs_flex_is_inline(slots[i].type)) {
            of_width[slots[i].width]++;
        }
    }
    while (log > 0 && of_width[log] == 0) {
        log--;
    }
    for (rest = log ? log - 1 : 0; rest > 0 && of_width[rest] == 0; rest--) {
    }
    rest = wfbs_flex_width_of(count) > rest ? wfbs_flex_width_of(count) : rest;
    /* Each of `count` slots gets narrower by this much, and the wide numbers are stored elsewhere.
     * The slots are in memory, so the products can't wrap. */
    if (rest >= log || count * ((1u << log) - (1u << rest)) <= of_width[log] << log) {
        return 0;
    }
    *width = (uint8_t)log;
    return wfbs_flex_padding(at, 1u << log) + (of_width[log] << log);
}

/* Writes them, this many bytes, and changes their slots. */
static inline void
wfbs_flex_write_indirect(wfbs_flex_slot *slots, size_t count, uint64_t at, uint8_t log,
                         uint8_t *out)
{
    const unsigned width = 1u << log;
    size_t size = wfbs_flex_padding(at, width);

    memset(out, 0, size);
    for (size_t i = 0; i < count; i++) {
        if (wfbs_flex_is_inline(slots[i].type) && slots[i].width == log) {
            wfbs_flex_put_elements(out + size, &slots[i], 1, at + size, width);
            slots[i].bits = at + size;
            slots[i].type = (uint8_t)(slots[i].type - WFBS_FLEX_INT + WFBS_FLEX_INDIRECT_INT);
            size += width;
        }
    }
}

/* The smallest width, as a logarithm, of a vector or map. */
static inline uint8_t
wfbs_flex_width(const wfbs_flex_parts *parts, uint64_t at)
{
    return wfbs_flex_width_with(parts, wfbs_flex_header_of(parts), at);
}

/* The size of a vector or map of that width in bytes: at most 9 * count + 31, which can't wrap for
 * slots that are in memory. */
static inline size_t
wfbs_flex_size(const wfbs_flex_parts *parts, uint64_t at, uint8_t width)
{
    const size_t bytes = (size_t)1 << width;
    return wfbs_flex_padding(at, 1u << width) + (wfbs_flex_header_of(parts) + parts->count) * bytes
           + (wfbs_flex_has_types(parts->type) ? parts->count : 0);
}

/* Writes this many bytes. Returns the slot of the vector or map. */
static inline wfbs_flex_slot
wfbs_flex_write(const wfbs_flex_parts *parts, uint64_t at, uint8_t log, uint8_t *out)
{
    const wfbs_flex_slot *slots = parts->slots;
    const size_t count = parts->count, header = wfbs_flex_header_of(parts);
    const unsigned width = 1u << log;
    const size_t pad = wfbs_flex_padding(at, width);
    uint8_t *p = out + pad;

    memset(out, 0, pad);
    at += pad;
    if (header == 3) {
        wfbs_flex_put(p, at - parts->keys, width);
        wfbs_flex_put(p + width, UINT64_C(1) << parts->keys_width, width);
        p += 2 * (size_t)width;
    }
    if (header > 0) {
        wfbs_flex_put(p, count, width);
        p += width;
    }
    at += header * width;
    switch (width) {
    case 1:
        wfbs_flex_put_elements(p, slots, count, at, 1);
        break;
    case 2:
        wfbs_flex_put_elements(p, slots, count, at, 2);
        break;
    case 4:
        wfbs_flex_put_elements(p, slots, count, at, 4);
        break;
    default:
        wfbs_flex_put_elements(p, slots, count, at, 8);
    }
    p += count * width;
    if (wfbs_flex_has_types(parts->type)) {
        for (size_t i = 0; i < count; i++) {
            *p++ = (uint8_t)(slots[i].type << 2
                             | (wfbs_flex_is_inline(slots[i].type) ? log : slots[i].width));
        }
    }
    return (wfbs_flex_slot){.bits = at, .type = parts->type, .width = log};
}

/* Writes the end of a FlexBuffer with the value of the slot: at most 17 bytes. Returns their
 * number. */
static inline size_t
wfbs_flex_write_end(const wfbs_flex_slot *slot, uint64_t at, uint8_t *out)
{
    const wfbs_flex_parts parts = {slot, 1, WFBS_FLEX_NO_KEYS, 0, WFBS_FLEX_VECTOR};
    const unsigned width =
        1u << (wfbs_flex_is_inline(slot->type) ? slot->width : wfbs_flex_width_with(&parts, 0, at));
    const size_t pad = wfbs_flex_padding(at, width);

    memset(out, 0, pad);
    wfbs_flex_put_elements(out + pad, slot, 1, at + pad, width);
    out[pad + width] = (uint8_t)(slot->type << 2 | slot->width);
    out[pad + width + 1] = (uint8_t)width;
    return pad + width + 2;
}

#endif
