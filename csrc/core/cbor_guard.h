/* Input that must not be passed to cbor2; see cbor_guard.c. */
#ifndef WFBS_CBOR_GUARD_H
#define WFBS_CBOR_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema.h"

/* Limits for input to cbor2.loads: keys of one map (or elements of one set) whose hashes can be
 * chosen, nested tags (and maps within keys), and bytes of one decimal, bigfloat or rational. Input
 * beyond a limit is refused. */
#define WFBS_CBOR_COSTLY_KEYS 256
#define WFBS_CBOR_OBJECTS 32
#define WFBS_CBOR_NUMBER_MAX 1024

/* Bytes of memory, aligned for uint64_t, that wfbs_cbor_refusal needs for this input: 0 unless
 * there are numbers as keys, and SIZE_MAX if that much memory can't exist. Never reads outside
 * `data`. */
size_t wfbs_cbor_scratch(const uint8_t *data, size_t size);

/* The reason why this input must not be passed to cbor2.loads, as a constant text. NULL if
 * cbor2.loads handles it in linear time, even if it will refuse it. `scratch` is NULL if
 * wfbs_cbor_scratch returns 0. Never reads outside `data`. */
const char *wfbs_cbor_refusal(const uint8_t *data, size_t size, void *scratch);

/* Whether all maps in the metadata of a message with that table have only text keys, except in
 * entries whose content WAMP doesn't define: authextra, extra and x_*. Also true for anything that
 * isn't a CBOR map with text keys: other code refuses that. Never reads outside `data`. */
bool wfbs_cbor_has_text_keys(const wfbs_table *t, const uint8_t *data, size_t size);

/* The number of bytes of the tags 55799 (RFC 8949, 3.4.6: CBOR follows) at the beginning of the
 * input. These tags have no meaning, and versions of cbor2 return different values for the tagged
 * items. */
size_t wfbs_cbor_skip_tag(const uint8_t *data, size_t size);

/* The error in input that is not well-formed but that some versions of cbor2 accept, as a constant
 * text: a break outside an indefinite item, or a simple value in two bytes that fits in one. NULL
 * if there is neither. Never reads outside `data`. */
const char *wfbs_cbor_malformation(const uint8_t *data, size_t size);

/* The length of the first item in the input, which cbor2 doesn't report. `size` if the item is
 * incomplete or refused. Never reads outside `data`. */
size_t wfbs_cbor_item_size(const uint8_t *data, size_t size);

/* Whether the input is exactly one well-formed item that can be passed to cbor2.loads. Never reads
 * outside `data`. */
bool wfbs_cbor_is_well_formed(const uint8_t *data, size_t size);

#endif
