/* CBOR out of tokens. See cbor_tokens.h. */
#include "cbor_tokens.h"

#include <string.h>

enum { MAJOR_BYTES = 2, MAJOR_TEXT = 3, MAJOR_SIMPLE = 7 };

/* Writes the low `size` bytes of `n`, the most significant first. Returns what is behind them. */
static uint8_t *
put_number(uint8_t *p, uint64_t n, unsigned size)
{
    while (size-- > 0) {
        *p++ = (uint8_t)(n >> (8 * size));
    }
    return p;
}

/* Writes the shortest head of a major type with the argument `n`: 9 bytes at most. Returns what
 * is behind it. */
static uint8_t *
put_head(uint8_t *p, unsigned major, uint64_t n)
{
    uint8_t first = (uint8_t)(major << 5);
    if (n < 24) {
        *p = (uint8_t)(first | n);
        return p + 1;
    }
    unsigned power = n < 0x100 ? 0 : n < 0x10000 ? 1 : n < 0x100000000 ? 2 : 3;
    *p = (uint8_t)(first | (24 + power));
    return put_number(p + 1, n, 1u << power);
}

/* Writes a float: 9 bytes at most. What is not finite has two bytes, as from cbor2. Returns what
 * is behind it. */
static uint8_t *
put_double(uint8_t *p, uint64_t bits)
{
    const uint64_t infinite = UINT64_C(0x7ff) << 52;
    if ((bits & infinite) != infinite) {
        *p = 0xfb;
        return put_number(p + 1, bits, 8);
    }
    *p = 0xf9;
    return put_number(p + 1, bits << 12 ? 0x7e00 : bits >> 63 ? 0xfc00 : 0x7c00, 2);
}

int64_t
wfbs_cffi_cbor_write(const int64_t *tokens, int64_t count, const uint8_t **text, uint8_t *out,
                     size_t room)
{
    uint8_t *p = out;
    for (const int64_t *token = tokens, *end = tokens + count; token < end; token++) {
        unsigned major = *token & 7;
        uint64_t n = (uint64_t)*token >> 3;
        size_t bytes = major == MAJOR_BYTES || major == MAJOR_TEXT ? (size_t)n : 0;
        size_t left = room - (size_t)(p - out); /* p never passes out + room: below */
        if (left < 9 || left - 9 < bytes) {
            return -1;
        }
        if (major == WFBS_CBOR_DOUBLE) {
            p = put_double(p, (uint64_t) * ++token);
        }
        else if (major == MAJOR_SIMPLE) {
            *p++ = (uint8_t)n;
        }
        else {
            p = put_head(p, major, n);
            memcpy(p, *text, bytes);
            p += bytes;
            *text += bytes;
        }
    }
    return p - out;
}
