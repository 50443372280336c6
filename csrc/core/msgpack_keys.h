/* Checks the keys of maps in MessagePack; see msgpack_keys.c. */
#ifndef WFBS_MSGPACK_KEYS_H
#define WFBS_MSGPACK_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* The maximum nesting. msgpack has the same limit, and umsgpack's is lower: the recursion limit. */
#define WFBS_MSGPACK_DEPTH 1024

/* The reason why this MessagePack must not be read, as a constant text, with the position in *at:
 * the key of a map is neither text nor binary, or there are too many levels. NULL if there is no
 * such reason, or if malformed input comes before it, which the library detects. Takes linear time.
 * Never reads outside `data`. */
const char *wfbs_msgpack_refusal(const uint8_t *data, size_t size, size_t *at);

#endif
