/* Scratch memory for encoding, which is kept from one call to the next. */
#ifndef WFBS_SCRATCH_H
#define WFBS_SCRATCH_H

#include "../base/buffer.h"

#ifndef Py_GIL_DISABLED
#define WFBS_SHARED_SCRATCH 1 /* one thread at a time: scratch memory can be kept in the state */
#endif

/* Scratch memory is kept between calls, but never above this many bytes. */
enum { WFBS_SCRATCH_KEPT = 1024 * 1024 };

/* Takes a scratch buffer out of the state: encoding can re-enter. */
static inline wfbs_buffer
wfbs_scratch_take(wfbs_buffer *kept)
{
    wfbs_buffer taken = {0};
#ifdef WFBS_SHARED_SCRATCH
    taken = *kept;
    *kept = (wfbs_buffer){0};
    taken.size = 0;
    taken.uncopied = NULL;
#else
    (void)kept;
#endif
    return taken;
}

static inline void
wfbs_scratch_return(wfbs_buffer *kept, wfbs_buffer *taken)
{
#ifdef WFBS_SHARED_SCRATCH
    if (!kept->data && taken->capacity <= WFBS_SCRATCH_KEPT) {
        *kept = *taken;
        return;
    }
#else
    (void)kept;
#endif
    wfbs_buffer_free(taken);
}

#endif
