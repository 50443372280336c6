/* Checks a FlexBuffer, or a part of it, and writes it as tokens: a binding needs only one walk,
 * which knows nothing about values, to build its own values. */
#ifndef WFBS_FLEX_TOKENS_H
#define WFBS_FLEX_TOKENS_H

#include "flex_read.h"

/* The tokens: a kind and its operands, all int64_t. A container is followed by its content: items,
 * or a text and a value for each entry. Positions count from the beginning of the data. */
enum {
    WFBS_TOKEN_NULL,
    WFBS_TOKEN_FALSE,
    WFBS_TOKEN_TRUE,
    WFBS_TOKEN_INT,        /* the number */
    WFBS_TOKEN_UINT,       /* the number modulo 2^64 */
    WFBS_TOKEN_FLOAT,      /* position of 4 bytes */
    WFBS_TOKEN_DOUBLE,     /* position of 8 bytes */
    WFBS_TOKEN_TEXT,       /* position and size of valid UTF-8 */
    WFBS_TOKEN_TEXT_AGAIN, /* the same, for a text that occurred before */
    WFBS_TOKEN_BLOB,       /* position and size */
    WFBS_TOKEN_VECTOR,     /* number of items */
    WFBS_TOKEN_MAP         /* number of entries, position of the key vector */
};

/* The output for tokens. */
typedef struct {
    wfbs_flex_reader *reader; /* borrowed */
    int64_t *out;             /* borrowed */
    int64_t room;             /* capacity of `out` in numbers */
    int64_t count;            /* count of numbers, including those beyond `room` */
} wfbs_flex_tokens;

/* The functions below return true, or false with the reader's error set and the tokens before the
 * error written. Of a map's equal keys, they detect only neighbours: the others would need
 * memory. */

/* Writes the tokens of the value that `ref` refers to. */
bool wfbs_flex_put_value(wfbs_flex_tokens *w, const wfbs_flex_ref *ref);

/* Writes the tokens of a map's keys: as many texts. */
bool wfbs_flex_put_keys(wfbs_flex_tokens *w, const wfbs_flex_map *map);

/* Checks a whole buffer: true if decoding it would succeed, given enough memory. */
bool wfbs_flex_verify(wfbs_flex_reader *r);

#endif
