/* FlexBuffers for the cffi binding: a buffer, or a part of it, read in one call into tokens; and one
 * call for each vector that is written. */
#ifndef WFBS_FLEX_CALLS_H
#define WFBS_FLEX_CALLS_H

#include "../core/flex_tokens.h"
#include "../core/flex_put.h"

/* What is wrong, and where; WFBS_FLEX_ERROR_OK if nothing is. */
typedef struct {
    int error;
    uint64_t at;
} wfbs_flex_fault;

/* All functions below read `size` bytes at `data`, which they borrow and never read outside of,
 * and set *fault. A reference, vector or map must be one that they gave for the same bytes; the
 * bytes may have changed since then. */

/* Writes the tokens of what `ref` refers to (NULL: the whole) to `out`, as many as there is `room`
 * for. Returns how many numbers they take: more than `room` if the call is to be repeated. Where
 * there is a fault, they are those before it. `whole`: for more than one value, remember as many keys as
 * large data may have. Returns -1 if there is no memory for that. */
int64_t wfbs_cffi_flex_read(const uint8_t *data, size_t size, const wfbs_flex_ref *ref, int whole,
                            int64_t *out, int64_t room, wfbs_flex_fault *fault);

/* The same for the keys of a map: as many texts. */
int64_t wfbs_cffi_flex_keys(const uint8_t *data, size_t size, const wfbs_flex_map *map,
                            int64_t *out, int64_t room, wfbs_flex_fault *fault);

/* The root. */
void wfbs_cffi_flex_root(const uint8_t *data, size_t size, wfbs_flex_ref *out,
                         wfbs_flex_fault *fault);

/* The container that a reference leads to. Returns a wfbs_flex_shape; for a scalar *out stays as it
 * is, for a vector its `values` alone are set. */
int wfbs_cffi_flex_container(const uint8_t *data, size_t size, const wfbs_flex_ref *ref,
                             wfbs_flex_map *out, wfbs_flex_fault *fault);

/* The element `i` of a container, below its count. */
void wfbs_cffi_flex_item(const uint8_t *data, size_t size, const wfbs_flex_map *map, uint64_t i,
                         wfbs_flex_ref *out);

/* The index of the key of `text_size` bytes at `text`, which hold no zero byte; the count if there
 * is none. */
uint64_t wfbs_cffi_flex_find(const uint8_t *data, size_t size, const wfbs_flex_map *map,
                             const uint8_t *text, size_t text_size, wfbs_flex_fault *fault);

/* Writes the vector, map (if `keys`, the position of its vector of keys, is not negative) or root
 * (type 0) that the `count` slots at `slots` are in, at position `at`, to `out`, which has room for
 * 17 * count + 38 bytes. Returns how many it took. A slot is two numbers, its bits and its type << 2 |
 * width; those at `slots` are overwritten, and the first becomes that of what was written. */
int64_t wfbs_cffi_flex_write(int64_t *slots, int64_t count, int type, int compact, int64_t keys,
                             int keys_width, int64_t at, uint8_t *out);

#endif
