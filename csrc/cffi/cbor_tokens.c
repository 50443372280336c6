/* CBOR from tokens. See cbor_tokens.h. */
#include "cbor_tokens.h"

#include <string.h>

#include "../core/cbor_head.h"

enum { MAJOR_BYTES = 2, MAJOR_TEXT = 3, MAJOR_SIMPLE = 7 };

int64_t
wfbs_cffi_cbor_write(const int64_t *tokens, int64_t count, const uint8_t **text, uint8_t *out,
                     size_t room)
{
    uint8_t *p = out;
    for (const int64_t *token = tokens, *end = tokens + count; token < end; token++) {
        unsigned major = *token & 7;
        uint64_t n = (uint64_t)*token >> 3;
        size_t bytes = major == MAJOR_BYTES || major == MAJOR_TEXT ? (size_t)n : 0;
        size_t left = room - (size_t)(p - out); /* p is never beyond out + room, see below */
        if (left < WFBS_CBOR_HEAD_MAX || left - WFBS_CBOR_HEAD_MAX < bytes) {
            return -1;
        }
        if (major == WFBS_CBOR_DOUBLE) {
            p = wfbs_cbor_put_double(p, (uint64_t)*++token);
        }
        else if (major == MAJOR_SIMPLE) {
            *p++ = (uint8_t)n;
        }
        else {
            p = wfbs_cbor_put_head(p, (uint8_t)(major << 5), n);
            memcpy(p, *text, bytes);
            p += bytes;
            *text += bytes;
        }
    }
    return p - out;
}
