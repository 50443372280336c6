/* FlexBuffers: the writer's memory, and appending to its output. */
#include "flex_write.h"

#include <assert.h>

/* ---- the writer's memory */

/* Frees the memory of a layout. */
static void
layout_free(wfbs_flex_layout *layout)
{
    PyMem_Free(layout->keys);
    PyMem_Free(layout->ranks);
}

static wfbs_flex_scratch *
scratch_new(void)
{
    wfbs_flex_scratch *scratch = PyMem_Calloc(1, sizeof *scratch);

    if (!scratch) {
        PyErr_NoMemory();
    }
    return scratch;
}

void
wfbs_flex_scratch_free(wfbs_flex_scratch *scratch)
{
    if (scratch) {
        PyMem_Free(scratch->slots);
        layout_free(&scratch->fresh);
        for (size_t i = 0; i < Py_ARRAY_LENGTH(scratch->layouts); i++) {
            layout_free(&scratch->layouts[i]);
        }
        PyMem_Free(scratch);
    }
}

wfbs_flex_scratch *
wfbs_flex_scratch_take(wfbs_flex *f)
{
#ifdef Py_GIL_DISABLED
    wfbs_flex_scratch *scratch = scratch_new();
    (void)f;
#else
    wfbs_flex_scratch *scratch = f->scratch ? f->scratch : scratch_new();
    f->scratch = NULL;
#endif
    if (scratch && ++scratch->stamp == 0) {
        /* After 2**32 calls, old stamps occur again, so everything with a stamp is forgotten. */
        wfbs_flex_scratch_free(scratch);
        scratch = scratch_new();
        if (scratch) {
            scratch->stamp = 1;
        }
    }
    return scratch;
}

void
wfbs_flex_scratch_give(wfbs_flex *f, wfbs_flex_scratch *scratch)
{
#ifdef Py_GIL_DISABLED
    (void)f;
    wfbs_flex_scratch_free(scratch);
#else
    if (f->scratch || scratch->grown > WFBS_FLEX_KEPT_SIZE) {
        wfbs_flex_scratch_free(scratch);
    }
    else {
        f->scratch = scratch;
    }
#endif
}

/* ---- the bytes */

int
wfbs_flex_refuse(wfbs_flex_writer *w, wfbs_flex_refusal refusal, PyObject *culprit)
{
    w->refusal = refusal;
    w->culprit = Py_XNewRef(culprit);
    return -1;
}

static inline size_t
position(const wfbs_flex_writer *w)
{
    return w->out->size - w->base;
}

int
wfbs_flex_take_slots(wfbs_flex_writer *w, size_t count, size_t *first)
{
    wfbs_flex_scratch *scratch = w->scratch;

    *first = w->slot_count;
    /* Never NULL afterwards, because even adding 0 to NULL is undefined. slot_count <=
     * slot_capacity, so the difference can't wrap. */
    if (!scratch->slots || count > scratch->slot_capacity - w->slot_count) {
        const size_t limit = (size_t)PY_SSIZE_T_MAX / sizeof(wfbs_flex_slot);
        size_t capacity;
        /* slot_count <= limit, so neither the difference nor the sum can wrap. */
        if (count > limit - w->slot_count) {
            PyErr_NoMemory();
            return wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
        }
        capacity = w->slot_count + count;
        capacity += capacity / 2 + 64; /* <= 1.5 * SIZE_MAX / 32 */
        wfbs_flex_slot *moved = PyMem_Realloc(scratch->slots, capacity * sizeof *moved);
        if (!moved) {
            PyErr_NoMemory();
            return wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
        }
        scratch->slots = moved;
        scratch->grown += (capacity - scratch->slot_capacity) * sizeof *moved;
        scratch->slot_capacity = capacity;
    }
    w->slot_count += count;
    return 0;
}

/* Reserves `extra` bytes of output. */
static inline int
reserve(wfbs_flex_writer *w, size_t extra)
{
    return wfbs_buffer_reserve(w->out, extra) < 0 ? wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL)
                                                  : 0;
}

uint8_t *
wfbs_flex_begin_bytes(wfbs_flex_writer *w, uint8_t type, size_t size, wfbs_flex_slot *slot)
{
    const uint8_t log = wfbs_flex_width_of(size);
    const unsigned width = 1u << log;
    const size_t pad = wfbs_flex_padding(position(w), width);

    if (size > (size_t)PY_SSIZE_T_MAX) { /* so that the sum can't wrap; as UTF-8 it may be */
        PyErr_NoMemory();
        wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
        return NULL;
    }
    if (reserve(w, pad + width + size + 1) < 0) {
        return NULL;
    }
    uint8_t *p = w->out->data + w->out->size;
    memset(p, 0, pad);
    wfbs_flex_put(p + pad, size, width);
    p += pad + width;
    *slot = (wfbs_flex_slot){.bits = position(w) + pad + width, .type = type, .width = log};
    w->out->size += pad + width + size;
    if (type == WFBS_FLEX_STRING) {
        p[size] = 0;
        w->out->size++;
    }
    return p;
}

int
wfbs_flex_append_bytes(wfbs_flex_writer *w, uint8_t type, const void *data, size_t size,
                       wfbs_flex_slot *slot)
{
    uint8_t *p = wfbs_flex_begin_bytes(w, type, size, slot);

    if (!p) {
        return -1;
    }
    memcpy(p, data, size);
    return 0;
}

int
wfbs_flex_append_vector(wfbs_flex_writer *w, uint8_t type, size_t count,
                        const wfbs_flex_layout *layout, wfbs_flex_slot *slot)
{
    assert(count <= w->slot_count);
    const wfbs_flex_parts parts = {.slots = w->scratch->slots + (w->slot_count - count),
                                   .count = count,
                                   .keys = layout ? layout->vector : WFBS_FLEX_NO_KEYS,
                                   .keys_width = layout ? layout->width : 0,
                                   .type = type};
    const uint8_t width = wfbs_flex_width(&parts, position(w));
    const size_t size = wfbs_flex_size(&parts, position(w), width);
    if (reserve(w, size) < 0) {
        return -1;
    }
    *slot = wfbs_flex_write(&parts, position(w), width, w->out->data + w->out->size);
    w->out->size += size;
    w->slot_count -= count;
    return 0;
}

int
wfbs_flex_append_indirect(wfbs_flex_writer *w, size_t count)
{
    wfbs_flex_slot *slots = w->scratch->slots + (w->slot_count - count);
    uint8_t width;
    const size_t size = wfbs_flex_indirect_size(slots, count, position(w), &width);

    if (!size) {
        return 0;
    }
    if (reserve(w, size) < 0) {
        return -1;
    }
    wfbs_flex_write_indirect(slots, count, position(w), width, w->out->data + w->out->size);
    w->out->size += size;
    return 0;
}

int
wfbs_flex_append_root(wfbs_flex_writer *w, const wfbs_flex_slot *slot)
{
    if (reserve(w, 17) < 0) {
        return -1;
    }
    w->out->size += wfbs_flex_write_end(slot, position(w), w->out->data + w->out->size);
    return 0;
}
