/* A FlexBuffer, or a part of it, checked and written as tokens: all that a binding needs to build
 * its values, in one walk that knows nothing of them. */
#ifndef WFBS_FLEX_TOKENS_H
#define WFBS_FLEX_TOKENS_H

#include "flex_read.h"

/* The tokens: each a kind and its operands, all int64_t. A container is followed by what is in
 * it: items, or a text and a value for each entry. Positions count from the data's beginning. */
enum {
    WFBS_TOKEN_NULL,
    WFBS_TOKEN_FALSE,
    WFBS_TOKEN_TRUE,
    WFBS_TOKEN_INT,        /* the number */
    WFBS_TOKEN_UINT,       /* the number modulo 2^64 */
    WFBS_TOKEN_FLOAT,      /* position of 4 bytes */
    WFBS_TOKEN_DOUBLE,     /* position of 8 bytes */
    WFBS_TOKEN_TEXT,       /* position and size of valid UTF-8 */
    WFBS_TOKEN_TEXT_AGAIN, /* the same, of one that there was before */
    WFBS_TOKEN_BLOB,       /* position and size */
    WFBS_TOKEN_VECTOR,     /* number of items */
    WFBS_TOKEN_MAP         /* number of entries, position of the keys' vector */
};

/* Where tokens go. */
typedef struct {
    wfbs_flex_reader *reader; /* borrowed */
    int64_t *out;             /* borrowed */
    int64_t room;             /* numbers that `out` can take */
    int64_t count;            /* of numbers, those beyond `room` as well */
} wfbs_flex_tokens;

/* The functions below return true, or false with the reader's error set and the tokens before the
 * fault written. Of a map's equal keys they find neighbours alone: the others take memory. */

/* The tokens of what `ref` refers to. */
bool wfbs_flex_put_value(wfbs_flex_tokens *w, const wfbs_flex_ref *ref);

/* Those of the keys of a map: as many texts. */
bool wfbs_flex_put_keys(wfbs_flex_tokens *w, const wfbs_flex_map *map);

/* Checks a whole buffer: true where decoding it succeeds, given the memory. */
bool wfbs_flex_verify(wfbs_flex_reader *r);

#endif
