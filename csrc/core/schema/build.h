/* Writes a buffer of any schema by its plan, from back to front.
 *
 * Written bytes grow down from the end of one block of memory. Data that can't be written yet is
 * stacked up from its start. A written object is referred to by its distance from the end (a ref,
 * never 0). The refs of an object's parts are needed before the object can be written. All bytes
 * are set, padding to zero. */
#ifndef WFBS_BUILD_H
#define WFBS_BUILD_H

#include "../read.h"
#include "plan.h"

/* Buffers have fewer than 2^31 bytes. */
#define WFBS_BUILD_MAX ((size_t)INT32_MAX)
/* The number of vtables that are remembered for sharing. */
#define WFBS_BUILD_VTABLES 16

typedef struct wfbs_builder {
    uint8_t *memory; /* owned by the provider of `grow` */
    size_t capacity;
    size_t used;     /* bytes written, at the end */
    size_t held;     /* bytes stacked, at the start */
    uint32_t align;  /* alignment of everything written, at least 4 */
    uint64_t cost;   /* cost of everything written, as verification will charge it, */
    uint64_t tables; /* and the number of tables that it will visit */
    /* Replaces memory with a block of at least `capacity` bytes. Its first `held` and last `used`
     * bytes are those of the old block. False if it can't. */
    bool (*grow)(struct wfbs_builder *b, size_t capacity);
    uint32_t vtables[WFBS_BUILD_VTABLES]; /* refs by object number, 0 for none */
} wfbs_builder;

/* Starts a buffer in the memory of `b`. */
static inline void
wfbs_build_start(wfbs_builder *b)
{
    b->used = 0;
    b->held = 0;
    b->align = 4;
    b->cost = 0;
    b->tables = 0;
    memset(b->vtables, 0, sizeof b->vtables);
}

/* The cold part of wfbs_build_reserve. */
bool wfbs_build_more(wfbs_builder *b, size_t size);

/* Ensures that `size` bytes are free; memory may move. False if there is no memory, or if the
 * buffer would get too large: then `used + size` is above WFBS_BUILD_MAX. */
static inline bool
wfbs_build_reserve(wfbs_builder *b, size_t size)
{
    /* held + used <= capacity always, so the difference can't wrap. */
    return size <= b->capacity - b->held - b->used || wfbs_build_more(b, size);
}

/* Stacks `size` zeroed bytes and sets *at to their offset from the start of memory. To remove them,
 * set `held` to *at. False as for wfbs_build_reserve. */
static inline bool
wfbs_build_hold(wfbs_builder *b, size_t size, size_t *at)
{
    const size_t start = (b->held + 7) & ~(size_t)7;
    if (!wfbs_build_reserve(b, size + 8)) {
        return false;
    }
    memset(b->memory + start, 0, size);
    *at = start;
    b->held = start + size;
    return true;
}

static inline void
wfbs_store_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void
wfbs_store_u32(uint8_t *p, uint32_t v)
{
    wfbs_store_u16(p, (uint16_t)v);
    wfbs_store_u16(p + 2, (uint16_t)(v >> 16));
}

/* Stores the lower `size` bytes (1, 2, 4 or 8) of a value. */
static inline void
wfbs_store_bits(uint8_t *p, uint64_t bits, uint32_t size)
{
    switch (size) {
    case 1:
        p[0] = (uint8_t)bits;
        break;
    case 2:
        wfbs_store_u16(p, (uint16_t)bits);
        break;
    case 4:
        wfbs_store_u32(p, (uint32_t)bits);
        break;
    default:
        wfbs_store_u32(p, (uint32_t)bits);
        wfbs_store_u32(p + 4, (uint32_t)(bits >> 32));
    }
}

/* Each of these writes an object. Afterwards, its ref is `b->used`. NULL, or 0, if there is no
 * room.
 *
 * A string of `size` bytes, or a vector with this many elements. Returns where the caller must
 * store them immediately. */
uint8_t *wfbs_build_string(wfbs_builder *b, size_t size);
uint8_t *wfbs_build_vector(wfbs_builder *b, size_t count, size_t stride, size_t align);
/* A struct as a member of a union. */
uint8_t *wfbs_build_struct(wfbs_builder *b, size_t size, size_t align);

/* Stores the ref of an object in element `i` of a vector of offsets. The vector's elements are at
 * `p`, and it must be the last written object. */
static inline void
wfbs_build_link(const wfbs_builder *b, uint8_t *p, size_t i, uint32_t ref)
{
    wfbs_store_u32(p + 4 * i, (uint32_t)(b->used - 4 - 4 * i) - ref);
}

/* The state of a table's field. */
typedef struct {
    uint64_t
        bits; /* of a scalar: its bits; otherwise the ref of the target; or the offset of a struct's bytes from the start of memory */
    uint64_t present; /* 0: nothing is written */
} wfbs_cell;

/* A table of type `object`; its cells, one for each field, are stacked at `cells`. Returns its ref.
 * 0 if there is no room, or if it would have more than 65535 inline bytes. */
uint32_t wfbs_build_table(wfbs_builder *b, const wfbs_plan *plan, uint32_t object, size_t cells);

/* Writes the root. Afterwards, the whole buffer is the last b->used bytes of memory. `identifier`
 * has 4 bytes, or is NULL. */
bool wfbs_build_finish(wfbs_builder *b, uint32_t root, const char *identifier);

#endif
