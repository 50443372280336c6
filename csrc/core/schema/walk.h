/* Reads a buffer that wfbs_typed_verify() has accepted, by the plan. None of these functions can
 * fail or checks anything. */
#ifndef WFBS_WALK_H
#define WFBS_WALK_H

#include "../read.h"
#include "plan.h"

/* The position of a field of the table at `table`, 0 if it is absent. */
static inline uint32_t
wfbs_walk_slot(const uint8_t *data, uint32_t table, const wfbs_plan_field *field)
{
    const uint32_t vtable =
        table - wfbs_load_u32(data + table); /* mod 2^32, as signed offsets require */
    if (field->offset + 2u > wfbs_load_u16(data + vtable)) {
        return 0;
    }
    const uint16_t offset = wfbs_load_u16(data + vtable + field->offset);
    return offset ? table + offset : 0;
}

/* The bits of the scalar at `p`, in the low bytes. */
static inline uint64_t
wfbs_walk_bits(const uint8_t *p, unsigned base)
{
    switch (wfbs_base_size(base)) {
    case 1:
        return p[0];
    case 2:
        return wfbs_load_u16(p);
    case 4:
        return wfbs_load_u32(p);
    default:
        return wfbs_load_u64(p);
    }
}

/* The bits as a 64-bit number, sign-extended for signed integers. */
static inline uint64_t
wfbs_walk_extend(uint64_t bits, unsigned base)
{
    switch (base) {
    case WFBS_BASE_BYTE:
        return (uint64_t)(int64_t)(int8_t)bits;
    case WFBS_BASE_SHORT:
        return (uint64_t)(int64_t)(int16_t)bits;
    case WFBS_BASE_INT:
        return (uint64_t)(int64_t)(int32_t)bits;
    default:
        return bits;
    }
}

/* A vector whose offset is at `at`: the position of its first element. */
static inline uint32_t
wfbs_walk_vector(const uint8_t *data, uint32_t at, uint32_t *count)
{
    const uint32_t start = wfbs_follow(data, at);
    *count = wfbs_load_u32(data + start);
    return start + 4;
}

#endif
