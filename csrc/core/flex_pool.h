/* The table of keys that a writer of FlexBuffers has written and may refer to again. Sharing
 * affects the bytes, so all writers must evict the same keys. */
#ifndef WFBS_FLEX_POOL_H
#define WFBS_FLEX_POOL_H

#include <stddef.h>
#include <stdint.h>

#define WFBS_FLEX_POOL_BITS 9
#define WFBS_FLEX_POOL (1u << WFBS_FLEX_POOL_BITS)

/* Up to 8 bytes of a key from `skip` on as a number, most significant byte first, padded with
 * zeros. Keys contain no zero byte, so if these numbers differ, the keys have the same order as the
 * numbers. */
static inline uint64_t
wfbs_flex_key_prefix(const uint8_t *text, size_t size, size_t skip)
{
    const size_t left = skip < size ? size - skip : 0;
    const uint8_t *p = text + size - left;
    uint64_t prefix = 0;

    if (left >= 8) {
        return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40
               | (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16
               | (uint64_t)p[6] << 8 | (uint64_t)p[7];
    }
    for (size_t i = 0; i < left; i++) {
        prefix |= (uint64_t)p[i] << (56 - 8 * i);
    }
    return prefix;
}

/* The slot of a key in the table: a hash of its bytes, the same in every process. */
static inline unsigned
wfbs_flex_pool_index(const uint8_t *text, size_t size)
{
    uint64_t hash = size;

    for (size_t i = 0; i < size && i < 64; i += 8) {
        hash = (hash ^ wfbs_flex_key_prefix(text, size, i)) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return (unsigned)((hash * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - WFBS_FLEX_POOL_BITS));
}

#endif
