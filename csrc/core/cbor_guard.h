/* What cbor2 is kept away from; see cbor_guard.c. */
#ifndef WFBS_CBOR_GUARD_H
#define WFBS_CBOR_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In what is handed to cbor2.loads: keys of one map (elements of one set) that can be given equal
 * hashes, and bytes of one decimal, bigfloat or rational. What has more is refused. */
#define WFBS_CBOR_COSTLY_KEYS 256
#define WFBS_CBOR_NUMBER_MAX 1024

/* Why cbor2.loads must not be given this input, as a constant text; NULL where it can take it (also
 * input that it will refuse) in linear time. Never reads outside `data`. */
const char *wfbs_cbor_refusal(const uint8_t *data, size_t size);

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
