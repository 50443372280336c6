/* CBOR's heads and numbers (RFC 8949, section 3), written in the shortest form. */
#ifndef WFBS_CBOR_HEAD_H
#define WFBS_CBOR_HEAD_H

#include <stdint.h>

/* The major types, as encoded in an initial byte. */
enum {
    WFBS_CBOR_UNSIGNED = 0x00,
    WFBS_CBOR_NEGATIVE = 0x20,
    WFBS_CBOR_BYTES = 0x40,
    WFBS_CBOR_TEXT = 0x60,
    WFBS_CBOR_ARRAY = 0x80,
    WFBS_CBOR_MAP = 0xa0
};

/* Size of the longest head: the initial byte and a 64-bit argument. A float has the same size. */
#define WFBS_CBOR_HEAD_MAX 9

/* The stores write an integer most significant byte first and return the end. They are spelled out
 * because compilers turn this, but not a loop, into one instruction. */
static inline uint8_t *
wfbs_cbor_put16(uint8_t *p, uint64_t n)
{
    p[0] = (uint8_t)(n >> 8);
    p[1] = (uint8_t)n;
    return p + 2;
}

static inline uint8_t *
wfbs_cbor_put32(uint8_t *p, uint64_t n)
{
    p[0] = (uint8_t)(n >> 24);
    p[1] = (uint8_t)(n >> 16);
    p[2] = (uint8_t)(n >> 8);
    p[3] = (uint8_t)n;
    return p + 4;
}

static inline uint8_t *
wfbs_cbor_put64(uint8_t *p, uint64_t n)
{
    p[0] = (uint8_t)(n >> 56);
    p[1] = (uint8_t)(n >> 48);
    p[2] = (uint8_t)(n >> 40);
    p[3] = (uint8_t)(n >> 32);
    p[4] = (uint8_t)(n >> 24);
    p[5] = (uint8_t)(n >> 16);
    p[6] = (uint8_t)(n >> 8);
    p[7] = (uint8_t)n;
    return p + 8;
}

/* Writes the shortest head for major type `major` with argument `n` to `p`, which has
 * WFBS_CBOR_HEAD_MAX free bytes. Returns its end. */
static inline uint8_t *
wfbs_cbor_put_head(uint8_t *p, uint8_t major, uint64_t n)
{
    if (n < 24) {
        *p++ = (uint8_t)(major | n);
        return p;
    }
    if (n <= UINT8_MAX) {
        *p++ = major | 24;
        *p++ = (uint8_t)n;
        return p;
    }
    if (n <= UINT16_MAX) {
        *p++ = major | 25;
        return wfbs_cbor_put16(p, n);
    }
    if (n <= UINT32_MAX) {
        *p++ = major | 26;
        return wfbs_cbor_put32(p, n);
    }
    *p++ = major | 27;
    return wfbs_cbor_put64(p, n);
}

/* Writes a float, given by the bits of a double, to `p`, which has WFBS_CBOR_HEAD_MAX free bytes.
 * Uses 64 bits, or 16 bits for infinities and NaN, as cbor2 does. Returns its end. */
static inline uint8_t *
wfbs_cbor_put_double(uint8_t *p, uint64_t bits)
{
    const uint64_t infinite = UINT64_C(0x7ff) << 52;
    if ((bits & infinite) != infinite) {
        *p++ = 0xfb;
        return wfbs_cbor_put64(p, bits);
    }
    *p++ = 0xf9;
    return wfbs_cbor_put16(p, bits << 12 ? 0x7e00 : bits >> 63 ? 0xfc00 : 0x7c00);
}

#endif
