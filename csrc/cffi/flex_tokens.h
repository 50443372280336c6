/* FlexBuffers for the cffi binding: a buffer, or a part of it, read in one call into tokens. */
#ifndef WFBS_FLEX_TOKENS_H
#define WFBS_FLEX_TOKENS_H

#include "../core/flex_read.h"

/* The tokens: each a kind and its operands, all int64_t. A container is followed by what is in
 * it: items, or a text and a value for each entry. Positions count from the data's beginning. */
enum {
    WFBS_TOKEN_NULL,
    WFBS_TOKEN_FALSE,
    WFBS_TOKEN_TRUE,
    WFBS_TOKEN_INT,      /* the number */
    WFBS_TOKEN_UINT,     /* the number modulo 2^64 */
    WFBS_TOKEN_FLOAT,    /* position of 4 bytes */
    WFBS_TOKEN_DOUBLE,   /* position of 8 bytes */
    WFBS_TOKEN_TEXT,     /* position and size of valid UTF-8 */
    WFBS_TOKEN_TEXT_AGAIN, /* the same, of one that there was before */
    WFBS_TOKEN_BLOB,     /* position and size */
    WFBS_TOKEN_VECTOR,   /* number of items */
    WFBS_TOKEN_MAP       /* number of entries, position of the keys' vector */
};

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

#endif
