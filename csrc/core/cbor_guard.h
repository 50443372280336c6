/* What must not be given to cbor2; see cbor_guard.c. */
#ifndef WFBS_CBOR_GUARD_H
#define WFBS_CBOR_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema.h"

/* In what is handed to cbor2.loads: keys of one map (elements of one set) that can be given any
 * hash, tags (in a key, tags and maps) within each other, and bytes of one decimal, bigfloat or
 * rational. What has more is refused. */
#define WFBS_CBOR_COSTLY_KEYS 256
#define WFBS_CBOR_OBJECTS 32
#define WFBS_CBOR_NUMBER_MAX 1024

/* Bytes of memory, aligned for uint64_t, that wfbs_cbor_refusal needs for this input: 0 for all but
 * those with numbers as keys, and SIZE_MAX where there can't be as many. Never reads outside
 * `data`. */
size_t wfbs_cbor_scratch(const uint8_t *data, size_t size);

/* Why cbor2.loads must not be given this input, as a constant text; NULL where it can take it (also
 * input that it will refuse) in linear time. `scratch` is NULL where wfbs_cbor_scratch says 0. Never
 * reads outside `data`. */
const char *wfbs_cbor_refusal(const uint8_t *data, size_t size, void *scratch);

/* Whether all maps in the metadata of a message with that table have nothing but text as keys,
 * other than those in entries of which WAMP doesn't say what is in them: authextra, extra and x_*.
 * True, too, for what is no CBOR map with text keys, which is for others to refuse. Never reads
 * outside `data`. */
bool wfbs_cbor_has_text_keys(const wfbs_table *t, const uint8_t *data, size_t size);

/* Bytes of the tags 55799 (RFC 8949, 3.4.6: what follows is CBOR) that the input begins with. They
 * mean nothing, and cbor2's versions make different values of what they tag. */
size_t wfbs_cbor_skip_tag(const uint8_t *data, size_t size);

/* What the input has that is not well-formed but that some versions of cbor2 take for a value, as a
 * constant text: a break that ends nothing, or two bytes for a simple value that fits one. NULL if
 * it has neither. Never reads outside `data`. */
const char *wfbs_cbor_malformation(const uint8_t *data, size_t size);

/* The length of the item that the input begins with, which cbor2 doesn't say; `size` if it isn't
 * whole or is refused. Never reads outside `data`. */
size_t wfbs_cbor_item_size(const uint8_t *data, size_t size);

/* Whether the input is one well-formed item, that cbor2.loads can be given, and nothing else. Never
 * reads outside `data`. */
bool wfbs_cbor_is_well_formed(const uint8_t *data, size_t size);

#endif
