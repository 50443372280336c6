/* CBOR as this package itself writes it, told from all other; see cbor_plain.c. */
#ifndef WFBS_CBOR_PLAIN_H
#define WFBS_CBOR_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the outermost item has to be. */
typedef enum { WFBS_CBOR_ARRAY = 4, WFBS_CBOR_MAP = 5 } wfbs_cbor_major;

/* Containers within containers that are followed, and keys of one map that are compared. */
enum { WFBS_CBOR_PLAIN_DEPTH = 64, WFBS_CBOR_PLAIN_KEYS = 32 };

/* Whether the `size` bytes at `data` are one array, or one map, and nothing that a CBOR decoder
 * could refuse or read as something else than null, booleans, integers of 64 bits, floats, UTF-8
 * text, byte strings, arrays, and maps whose keys are texts, each once; all of definite length, in
 * the shortest form, floats of 64 bits. What is not so need not be wrong. Never reads outside `data`. */
bool wfbs_cbor_is_plain(const uint8_t *data, size_t size, wfbs_cbor_major outermost);

#endif
