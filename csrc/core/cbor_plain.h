/* Recognizes CBOR in the form that this package writes; see cbor_plain.c. */
#ifndef WFBS_CBOR_PLAIN_H
#define WFBS_CBOR_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The type that the outermost item must have. */
typedef enum { WFBS_CBOR_ARRAY = 4, WFBS_CBOR_MAP = 5 } wfbs_cbor_major;

/* The maximum nesting of containers, and the maximum number of keys in one map to compare. */
enum { WFBS_CBOR_PLAIN_DEPTH = 64, WFBS_CBOR_PLAIN_KEYS = 32 };

/* Whether the `size` bytes at `data` are one array or one map that every CBOR decoder reads in the
 * same way: only null, booleans, 64-bit integers, floats, UTF-8 text, byte strings, arrays, and
 * maps with distinct text keys; all of definite length and in the shortest form, floats with 64
 * bits. Other input isn't necessarily invalid. Never reads outside `data`. */
bool wfbs_cbor_is_plain(const uint8_t *data, size_t size, wfbs_cbor_major outermost);

#endif
