/* The frame of a message in a batch: its length as 32 bits, big-endian. */
#ifndef WFBS_FRAME_H
#define WFBS_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum { WFBS_FRAME_SIZE = 4 };

/* Writes the frame of a message of `size` < 2^32 bytes to the WFBS_FRAME_SIZE bytes at `to`. */
static inline void
wfbs_frame_store(uint8_t *to, size_t size)
{
    to[0] = (uint8_t)(size >> 24);
    to[1] = (uint8_t)(size >> 16);
    to[2] = (uint8_t)(size >> 8);
    to[3] = (uint8_t)size;
}

/* The length stated in the WFBS_FRAME_SIZE bytes at `from`. */
static inline uint32_t
wfbs_frame_load(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

#endif
