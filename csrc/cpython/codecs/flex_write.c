/* FlexBuffers: the bytes of strings, blobs, vectors, maps and the root. Widths are the smallest
 * that fit all parts, as in Google's builder. */
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

static inline bool
is_inline(uint8_t type)
{
    return type <= WFBS_FLEX_FLOAT || type == WFBS_FLEX_BOOL;
}

static inline size_t
position(const wfbs_flex_writer *w)
{
    return w->out->size - w->base;
}

/* How many bytes to add to `at` until it is a multiple of `width`, a power of two. */
static inline size_t
padding(size_t at, size_t width)
{
    return (0 - at) & (width - 1);
}

/* Stores the lower `width` bytes of `n`, little-endian. */
static inline void
put(uint8_t *p, uint64_t n, unsigned width)
{
    switch (width) {
    case 8:
        p[7] = (uint8_t)(n >> 56);
        p[6] = (uint8_t)(n >> 48);
        p[5] = (uint8_t)(n >> 40);
        p[4] = (uint8_t)(n >> 32);
        /* fall through */
    case 4:
        p[3] = (uint8_t)(n >> 24);
        p[2] = (uint8_t)(n >> 16);
        /* fall through */
    case 2:
        p[1] = (uint8_t)(n >> 8);
        /* fall through */
    default:
        p[0] = (uint8_t)n;
    }
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
    const size_t pad = padding(position(w), width);

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
    put(p + pad, size, width);
    p += pad + width;
    *slot = (wfbs_flex_slot){position(w) + pad + width, type, log};
    w->out->size += pad + width + size;
    if (type == WFBS_FLEX_STRING) {
        p[size] = 0;
        w->out->size++;
    }
    return p;
}

int
wfbs_flex_write_bytes(wfbs_flex_writer *w, uint8_t type, const void *data, size_t size,
                      wfbs_flex_slot *slot)
{
    uint8_t *p = wfbs_flex_begin_bytes(w, type, size, slot);

    if (!p) {
        return -1;
    }
    memcpy(p, data, size);
    return 0;
}

/* Whether all offsets from a vector with elements of `width` bytes, the first at `at`, fit into
 * `width`. */
static bool
offsets_fit(const wfbs_flex_slot *slots, size_t count, uint64_t at, unsigned width)
{
    const uint64_t most = UINT64_MAX >> (64 - 8 * width);

    for (size_t i = 0; i < count; i++) {
        /* Written bytes are before `at`, so the difference can't wrap. */
        if (!is_inline(slots[i].type) && at + i * width - slots[i].bits > most) {
            return false;
        }
    }
    return true;
}

/* The smallest width, as a logarithm, of a vector with `header` fields before its elements. `keys`
 * is the position of a map's keys, SIZE_MAX for none. */
static unsigned
vector_width(const wfbs_flex_writer *w, const wfbs_flex_slot *slots, size_t count, size_t header,
             size_t keys)
{
    unsigned log = wfbs_flex_width_of(count);
    uint64_t lowest = keys;

    for (size_t i = 0; i < count; i++) {
        if (is_inline(slots[i].type)) {
            log = slots[i].width > log ? slots[i].width : log;
        }
        else if (slots[i].bits < lowest) {
            lowest = slots[i].bits;
        }
    }
    for (; lowest != SIZE_MAX && log < 3; log++) {
        const unsigned width = 1u << log;
        const uint64_t most = UINT64_MAX >> (64 - 8 * width);
        const uint64_t start = position(w) + padding(position(w), width);
        const uint64_t at = start + header * width;
        /* No offset is greater than the distance from the end to the lowest position. */
        if (at + count * width - lowest <= most) {
            break;
        }
        if ((keys == SIZE_MAX || start - keys <= most) && offsets_fit(slots, count, at, width)) {
            break;
        }
    }
    return log;
}

/* Stores the elements, the first at position `at`. Inlined for a constant `width`. */
static inline void
put_elements(uint8_t *p, const wfbs_flex_slot *slots, size_t count, uint64_t at, unsigned width)
{
    for (size_t i = 0; i < count; i++, p += width) {
        uint64_t bits = slots[i].bits;
        if (!is_inline(slots[i].type)) {
            bits = at + i * width - bits;
        }
        else if (width == 4 && slots[i].type == WFBS_FLEX_FLOAT) {
            double wide;
            memcpy(&wide, &bits, sizeof wide);
            const float narrow = (float)wide; /* exact, otherwise its width would be 8 */
            uint32_t word;
            memcpy(&word, &narrow, sizeof word);
            bits = word;
        }
        put(p, bits, width);
    }
}

int
wfbs_flex_write_vector(wfbs_flex_writer *w, uint8_t type, size_t count,
                       const wfbs_flex_layout *layout, wfbs_flex_slot *slot)
{
    const wfbs_flex_slot *slots = w->scratch->slots + (w->slot_count - count);
    const bool fixed = type >= WFBS_FLEX_VECTOR_INT2 && type <= WFBS_FLEX_VECTOR_FLOAT4;
    const size_t header = layout ? 3 : fixed ? 0 : 1;
    const uint8_t log =
        (uint8_t)vector_width(w, slots, count, header, layout ? layout->vector : SIZE_MAX);
    const unsigned width = 1u << log;
    const size_t pad = padding(position(w), width);

    assert(count <= w->slot_count);
    /* Each slot takes 16 bytes of memory, so 9 bytes for each can't wrap. */
    if (reserve(w, pad + header * width + count * (width + 1u)) < 0) {
        return -1;
    }
    uint8_t *p = w->out->data + w->out->size;
    memset(p, 0, pad);
    p += pad;
    if (layout) {
        put(p, position(w) + pad - layout->vector, width);
        put(p + width, UINT64_C(1) << layout->width, width);
        p += 2 * (size_t)width;
    }
    if (!fixed) {
        put(p, count, width);
        p += width;
    }
    const size_t at = position(w) + pad + header * width;
    switch (width) {
    case 1:
        put_elements(p, slots, count, at, 1);
        break;
    case 2:
        put_elements(p, slots, count, at, 2);
        break;
    case 4:
        put_elements(p, slots, count, at, 4);
        break;
    default:
        put_elements(p, slots, count, at, 8);
    }
    p += count * width;
    if (type == WFBS_FLEX_VECTOR || type == WFBS_FLEX_MAP) {
        for (size_t i = 0; i < count; i++) {
            *p++ =
                (uint8_t)(slots[i].type << 2 | (is_inline(slots[i].type) ? log : slots[i].width));
        }
    }
    w->out->size = (size_t)(p - w->out->data);
    w->slot_count -= count;
    *slot = (wfbs_flex_slot){at, type, log};
    return 0;
}

uint8_t
wfbs_flex_typed_vector(const wfbs_flex_writer *w, size_t count)
{
    const wfbs_flex_slot *slots = w->scratch->slots + (w->slot_count - count);
    const uint8_t type = count ? slots[0].type : WFBS_FLEX_NULL;

    if (!is_inline(type) || type == WFBS_FLEX_NULL) {
        return WFBS_FLEX_VECTOR;
    }
    for (size_t i = 1; i < count; i++) {
        if (slots[i].type != type) {
            return WFBS_FLEX_VECTOR;
        }
    }
    if (type == WFBS_FLEX_BOOL) {
        return WFBS_FLEX_VECTOR_BOOL;
    }
    if (count >= 2 && count <= 4) {
        return (uint8_t)(WFBS_FLEX_VECTOR_INT2 + 3 * (count - 2) + type - WFBS_FLEX_INT);
    }
    return (uint8_t)(WFBS_FLEX_VECTOR_INT + type - WFBS_FLEX_INT);
}

int
wfbs_flex_write_indirect(wfbs_flex_writer *w, size_t count)
{
    wfbs_flex_slot *slots = w->scratch->slots + (w->slot_count - count);
    size_t of_width[4] = {0};
    unsigned log = 3, rest;

    for (size_t i = 0; i < count; i++) {
        if (is_inline(slots[i].type)) {
            of_width[slots[i].width]++;
        }
    }
    while (log > 0 && of_width[log] == 0) {
        log--;
    }
    for (rest = log ? log - 1 : 0; rest > 0 && of_width[rest] == 0; rest--) {
    }
    rest = wfbs_flex_width_of(count) > rest ? wfbs_flex_width_of(count) : rest;
    /* Each of `count` slots gets narrower by this much, and the wide numbers are stored elsewhere.
     * The slots are in memory, so the products can't wrap. */
    if (rest >= log || count * ((1u << log) - (1u << rest)) <= of_width[log] << log) {
        return 0;
    }
    const unsigned width = 1u << log;
    const size_t pad = padding(position(w), width);
    if (reserve(w, pad + (of_width[log] << log)) < 0) {
        return -1;
    }
    memset(w->out->data + w->out->size, 0, pad);
    w->out->size += pad;
    for (size_t i = 0; i < count; i++) {
        if (is_inline(slots[i].type) && slots[i].width == log) {
            const size_t at = position(w);
            put_elements(w->out->data + w->out->size, &slots[i], 1, at, width);
            w->out->size += width;
            slots[i].bits = at;
            slots[i].type = (uint8_t)(slots[i].type - WFBS_FLEX_INT + WFBS_FLEX_INDIRECT_INT);
        }
    }
    return 0;
}

int
wfbs_flex_write_root(wfbs_flex_writer *w, const wfbs_flex_slot *slot)
{
    const unsigned log =
        is_inline(slot->type) ? slot->width : vector_width(w, slot, 1, 0, SIZE_MAX);
    const unsigned width = 1u << log;
    const size_t pad = padding(position(w), width);

    if (reserve(w, pad + width + 2) < 0) {
        return -1;
    }
    uint8_t *p = w->out->data + w->out->size;
    memset(p, 0, pad);
    p += pad;
    put_elements(p, slot, 1, position(w) + pad, width);
    p[width] = (uint8_t)(slot->type << 2 | slot->width);
    p[width + 1] = (uint8_t)width;
    w->out->size += pad + width + 2;
    return 0;
}
