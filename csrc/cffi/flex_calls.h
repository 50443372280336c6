/* FlexBuffers for the cffi binding: one call converts a buffer, or a part of it, to tokens; and one
 * call writes a vector or map. */
#ifndef WFBS_FLEX_CALLS_H
#define WFBS_FLEX_CALLS_H

#include "../core/flex_tokens.h"
#include "../core/flex_put.h"

/* An error and its place; WFBS_FLEX_ERROR_OK if there is none. */
typedef struct {
    int error;
    uint64_t at;
} wfbs_flex_fault;

/* All functions below borrow the `size` bytes at `data`, never read outside them, and set *fault. A
 * reference, vector or map must come from these functions for the same bytes, but the bytes may
 * have changed since then. */

/* Writes the tokens of the target of `ref` (NULL: the whole buffer) to `out`, up to `room` numbers.
 * Returns how many numbers they take: if more than `room`, repeat the call. If there is an error,
 * the tokens are those before it. `whole`: for more than one value, remembers as many keys as large
 * data may have. Returns -1 if there is no memory for that. */
int64_t wfbs_cffi_flex_read(const uint8_t *data, size_t size, const wfbs_flex_ref *ref, int whole,
                            int64_t *out, int64_t room, wfbs_flex_fault *fault);

/* The same for the keys of a map: as many texts. */
int64_t wfbs_cffi_flex_keys(const uint8_t *data, size_t size, const wfbs_flex_map *map,
                            int64_t *out, int64_t room, wfbs_flex_fault *fault);

/* The root. */
void wfbs_cffi_flex_root(const uint8_t *data, size_t size, wfbs_flex_ref *out,
                         wfbs_flex_fault *fault);

/* The target container of a reference. Returns a wfbs_flex_shape; for a scalar, *out is unchanged;
 * for a vector, only its `values` are set. */
int wfbs_cffi_flex_container(const uint8_t *data, size_t size, const wfbs_flex_ref *ref,
                             wfbs_flex_map *out, wfbs_flex_fault *fault);

/* The element `i` of a container, less than its count. */
void wfbs_cffi_flex_item(const uint8_t *data, size_t size, const wfbs_flex_map *map, uint64_t i,
                         wfbs_flex_ref *out);

/* The index of the key of `text_size` bytes at `text`, which contain no zero byte; the count if
 * there is none. */
uint64_t wfbs_cffi_flex_find(const uint8_t *data, size_t size, const wfbs_flex_map *map,
                             const uint8_t *text, size_t text_size, wfbs_flex_fault *fault);

/* Writes the vector, map (if `keys`, the position of its key vector, is not negative) or root (type
 * 0) with the `count` slots at `slots` as content, at position `at`, to `out`, which has room for
 * 17 * count + 38 bytes. Returns the number of bytes written. A slot is two numbers: its bits, and
 * its type << 2 | width. The slots are overwritten; the first becomes the slot of the written
 * container. */
int64_t wfbs_cffi_flex_write(int64_t *slots, int64_t count, int type, int compact, int64_t keys,
                             int keys_width, int64_t at, uint8_t *out);

#endif
