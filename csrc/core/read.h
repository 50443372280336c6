/* Loads from a little-endian buffer, at any alignment, on any host.
 *
 * None of these functions checks anything. Use them for positions that wfbs_verify() has accepted,
 * or that the caller has just checked. */
#ifndef WFBS_READ_H
#define WFBS_READ_H

#include <stdint.h>
#include <string.h>

#include "portable.h"
#include "schema.h"

/* Each returns the value at `p`; `p` must have that many readable bytes. */
static inline uint16_t
wfbs_load_u16(const uint8_t *p)
{
    if (WFBS_BIG_ENDIAN) {
        return (uint16_t)(p[0] | (p[1] << 8));
    }
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t
wfbs_load_u32(const uint8_t *p)
{
    if (WFBS_BIG_ENDIAN) {
        return (uint32_t)wfbs_load_u16(p) | ((uint32_t)wfbs_load_u16(p + 2) << 16);
    }
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t
wfbs_load_u64(const uint8_t *p)
{
    if (WFBS_BIG_ENDIAN) {
        return (uint64_t)wfbs_load_u32(p) | ((uint64_t)wfbs_load_u32(p + 4) << 32);
    }
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Bytes inside a buffer; borrowed from the buffer's owner. */
typedef struct {
    const uint8_t *data;
    size_t size;
} wfbs_span;

/* The position of slot `slot` of the verified table at `table`, 0 if absent. A field can't be at
 * position 0, where the root offset is. Cannot fail after verification. */
static inline uint32_t
wfbs_slot_position(const uint8_t *data, uint32_t table, unsigned slot)
{
    uint32_t vtable = table - wfbs_load_u32(data + table); /* mod 2^32, as signed offsets require */
    uint32_t entry = 4 + 2 * (uint32_t)slot;
    if (entry + 2 > wfbs_load_u16(data + vtable)) {
        return 0;
    }
    uint16_t offset = wfbs_load_u16(data + vtable + entry);
    return offset ? table + offset : 0;
}

/* The target of the verified offset stored at `position`. */
static inline uint32_t
wfbs_follow(const uint8_t *data, uint32_t position)
{
    return position + wfbs_load_u32(data + position);
}

/* The bytes of the verified string or byte vector whose offset is stored at `position`. */
static inline wfbs_span
wfbs_span_at(const uint8_t *data, uint32_t position)
{
    uint32_t start = wfbs_follow(data, position);
    wfbs_span span = {data + start + 4, wfbs_load_u32(data + start)};
    return span;
}

#endif
