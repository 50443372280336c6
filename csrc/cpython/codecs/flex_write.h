/* The writer of FlexBuffers: declarations that its three files share. Values that wait for their
 * container are on a stack of slots; core/flex_put.h writes containers from them. */
#ifndef WFBS_FLEX_WRITE_H
#define WFBS_FLEX_WRITE_H

#include "flex.h"

#include "../../core/flex_pool.h"
#include "../../core/flex_put.h"

/* A key of the map being written. */
typedef struct {
    const uint8_t *text; /* of the key: UTF-8, borrowed from it */
    size_t size;
    PyObject *key;   /* borrowed from the dict */
    PyObject *value; /* borrowed from the dict */
    size_t position; /* where the key was written, from the beginning of the buffer */
} wfbs_flex_key;

/* The place of a key in the order of a map. */
typedef struct {
    uint64_t prefix; /* of the bytes after the common prefix of all keys */
    size_t index;    /* into the keys */
} wfbs_flex_rank;

/* The keys of a map and their vector. */
typedef struct {
    wfbs_flex_key *keys;   /* owned, PyMem: in the order of the dict */
    wfbs_flex_rank *ranks; /* owned, PyMem, twice as many as keys: the first half sorted */
    size_t capacity;       /* keys allocated */
    size_t count;
    size_t vector;  /* position of the vector of keys */
    uint32_t stamp; /* of the call that filled it */
    uint8_t width;  /* logarithm, of the vector of keys */
} wfbs_flex_layout;

/* If scratch memory has grown beyond this size, it is freed after the call. */
#define WFBS_FLEX_KEPT_SIZE ((size_t)2 << 20)

/* The writer's memory that is kept between calls. */
typedef struct wfbs_flex_scratch {
    wfbs_flex_slot *slots; /* owned, PyMem */
    size_t slot_capacity;
    uint32_t stamp;         /* of the current call; entries with another stamp are outdated */
    size_t grown;           /* bytes allocated for slots and layouts */
    wfbs_flex_layout fresh; /* being sorted, before it replaces another */
    wfbs_flex_layout layouts[WFBS_FLEX_MAX_DEPTH]; /* the last map at each depth */
    struct { /* keys that were written, by a hash of their bytes */
        uint32_t stamp;
        uint32_t size;
        size_t position;
    } pool[WFBS_FLEX_POOL];
} wfbs_flex_scratch;

/* The reason why a value can't be written; PYTHON: the exception is already set. */
typedef enum {
    WFBS_FLEX_BAD_TYPE,
    WFBS_FLEX_BAD_INT,
    WFBS_FLEX_BAD_TEXT,
    WFBS_FLEX_BAD_KEY_TYPE,
    WFBS_FLEX_BAD_KEY_TEXT,
    WFBS_FLEX_BAD_KEY_NUL,
    WFBS_FLEX_BAD_KEY_TWICE,
    WFBS_FLEX_BAD_DEPTH,
    WFBS_FLEX_BAD_PYTHON
} wfbs_flex_refusal;

/* A step on the path to a value: an index, or a key, given by its position in the output. */
typedef struct {
    bool is_key;
    size_t at; /* the index, or the position of the key */
    size_t size;
} wfbs_flex_step;

typedef struct {
    wfbs_buffer *out;           /* borrowed */
    size_t base;                /* start of the FlexBuffer in `out`; positions count from there */
    wfbs_flex_scratch *scratch; /* owned while writing */
    bool compact;               /* typed vectors, indirect numbers, shared vectors of keys */
    size_t slot_count;
    wfbs_flex_refusal refusal;
    PyObject *culprit; /* owned; NULL until something is refused */
    unsigned step_count;
    wfbs_flex_step steps[WFBS_FLEX_MAX_DEPTH]; /* innermost first; only step_count are valid */
} wfbs_flex_writer;

/* The functions below return 0, or -1 with a refused value or an exception set (then `refusal` is
 * PYTHON). */

/* ---- flex_write.c */

/* The writer's memory for one call: kept from an earlier call, or new. NULL with MemoryError. */
wfbs_flex_scratch *wfbs_flex_scratch_take(wfbs_flex *f);

/* Takes the memory back: keeps it, or frees it if it has become large. */
void wfbs_flex_scratch_give(wfbs_flex *f, wfbs_flex_scratch *scratch);

/* Frees the memory (NULL: does nothing). */
void wfbs_flex_scratch_free(wfbs_flex_scratch *scratch);

/* Records that `culprit` (borrowed, NULL for PYTHON) can't be written. Always returns -1. */
int wfbs_flex_refuse(wfbs_flex_writer *w, wfbs_flex_refusal refusal, PyObject *culprit);

/* Reserves `count` more slots on the stack, and sets *first to the index of the first. To release
 * them, set slot_count. The stack may move. */
WFBS_MUST_USE int wfbs_flex_take_slots(wfbs_flex_writer *w, size_t count, size_t *first);

/* Appends a string or blob, and sets *slot to it. */
WFBS_MUST_USE int wfbs_flex_append_bytes(wfbs_flex_writer *w, uint8_t type, const void *data,
                                         size_t size, wfbs_flex_slot *slot);

/* The same without the content: the caller must write `size` bytes to the returned address
 * immediately. NULL instead of -1. */
uint8_t *wfbs_flex_begin_bytes(wfbs_flex_writer *w, uint8_t type, size_t size,
                               wfbs_flex_slot *slot);

/* Appends the last `count` slots of the stack as a vector, and removes them from the stack. Sets
 * *slot to the vector. A map's vector has a layout, with its keys; otherwise, layout is NULL. */
WFBS_MUST_USE int wfbs_flex_append_vector(wfbs_flex_writer *w, uint8_t type, size_t count,
                                          const wfbs_flex_layout *layout, wfbs_flex_slot *slot);

/* Makes the widest numbers among the last `count` slots indirect if that saves space. */
WFBS_MUST_USE int wfbs_flex_append_indirect(wfbs_flex_writer *w, size_t count);

/* Appends the root, which ends a FlexBuffer. */
WFBS_MUST_USE int wfbs_flex_append_root(wfbs_flex_writer *w, const wfbs_flex_slot *slot);

/* ---- flex_keys.c */

/* Ensures that the keys of `dict` (borrowed, an exact dict or a subclass) and their vector are
 * written, and fills the layout of `depth`, which is valid until the next map at that depth. */
WFBS_MUST_USE int wfbs_flex_write_keys(wfbs_flex_writer *w, PyObject *dict, unsigned depth);

#endif
