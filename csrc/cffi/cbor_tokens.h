/* CBOR for the cffi binding: writes a small payload from a few numbers and the bytes of its
 * strings. Supports lists and dicts without nested containers, like most payloads. */
#ifndef WFBS_CBOR_TOKENS_H
#define WFBS_CBOR_TOKENS_H

#include <stddef.h>
#include <stdint.h>

/* A token is a number (below 2^60) times 8, plus CBOR's major type (RFC 8949, section 3.1):
 *
 *   0, 1             a number, or -1 minus that number
 *   2, 3             the size of a string, whose bytes come next in the text
 *   4, 5             the number of items or entries, which follow
 *   WFBS_CBOR_DOUBLE  0; the next token is not one, but the bits of a double
 *   7                the byte of a simple value */
enum { WFBS_CBOR_DOUBLE = 6 };

/* Writes the CBOR of `count` tokens to `out`, which has `room` bytes, in the same form as
 * cbor2.dumps(): the shortest. Takes the strings' bytes from *text, and moves it past them. Both
 * must match the tokens, which is not checked. Returns the size, or -1 if there is not enough
 * room. */
int64_t wfbs_cffi_cbor_write(const int64_t *tokens, int64_t count, const uint8_t **text,
                             uint8_t *out, size_t room);

#endif
