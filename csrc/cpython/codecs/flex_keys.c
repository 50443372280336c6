/* FlexBuffers: map keys, sorted by their bytes.
 *
 * Two things are shared, by rules that depend only on the value, so that equal values give equal
 * bytes. First, keys that were written before, if a table of fixed size, which is indexed by a hash
 * of the key's bytes, still remembers them. Second, in compact form, the whole key vector of the
 * last map at the same depth, if it has the same keys: most often in a list of records. Keys of
 * more than WFBS_FLEX_SHARED_MAX bytes are not shared, because readers limit the expansion by
 * sharing.
 *
 * Only in compact form, because Google's C++ verifier with a reuse tracker (flatc) counts each
 * shared vector as another level of nesting, and refuses more than 64 levels. */
#include "flex_write.h"
#include "../base/utf8.h"

/* Makes room for `count` keys. Even for 0 keys, the arrays aren't NULL, because adding to NULL is
 * undefined. */
static int
layout_reserve(wfbs_flex_writer *w, wfbs_flex_layout *layout, size_t count)
{
    if (layout->ranks && count <= layout->capacity) {
        return 0;
    }
    if (count > (size_t)PY_SSIZE_T_MAX / 128) { /* so that none of the products below can wrap */
        PyErr_NoMemory();
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
    }
    const size_t capacity = count + count / 4 + 4;
    wfbs_flex_key *keys = PyMem_Realloc(layout->keys, capacity * sizeof *keys);
    if (keys) {
        layout->keys = keys;
    }
    wfbs_flex_rank *ranks = PyMem_Realloc(layout->ranks, 2 * capacity * sizeof *ranks);
    if (ranks) {
        layout->ranks = ranks;
    }
    if (!keys || !ranks) {
        layout->capacity = 0; /* both are at least as large as before */
        PyErr_NoMemory();
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
    }
    w->scratch->grown += (capacity - layout->capacity) * (sizeof *keys + 2 * sizeof *ranks);
    layout->capacity = capacity;
    return 0;
}

/* Finds the UTF-8 of a key (borrowed from it), and checks that it is valid. CPython keeps the UTF-8
 * of a non-ASCII str, which helps because keys repeat. NULL if the key is refused. */
static inline const uint8_t *
key_text(wfbs_flex_writer *w, PyObject *key, size_t *size)
{
    if (!PyUnicode_Check(key)) {
        wfbs_flex_refuse(w, WFBS_FLEX_BAD_KEY_TYPE, key);
        return NULL;
    }
#if PY_VERSION_HEX < 0x030c0000
    if (PyUnicode_READY(key) < 0) { /* strings of the old API exist until 3.11 */
        wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
        return NULL;
    }
#endif
    if (PyUnicode_IS_ASCII(key)) {
        *size = (size_t)PyUnicode_GET_LENGTH(key);
        return PyUnicode_DATA(key);
    }
    if (wfbs_utf8_size(key) == SIZE_MAX) { /* here, because raising could run a finalizer */
        wfbs_flex_refuse(w, WFBS_FLEX_BAD_KEY_TEXT, key);
        return NULL;
    }
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(key, &length);
    if (!text) {
        wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
        return NULL;
    }
    *size = (size_t)length;
    return (const uint8_t *)text;
}

/* Whether the written key at `position`, `size` bytes long, is `text`. */
static inline bool
is_written(const wfbs_flex_writer *w, size_t position, const uint8_t *text, size_t size)
{
    return memcmp(w->out->data + w->base + position, text, size) == 0;
}

/* ---- the same keys in the same order as the last map at this depth: the fast path */

/* Whether `dict` has the keys of `layout` in the same order; if so, the layout gets its values.
 * Returns 1 or 0, or -1 as above. */
static int
fits_layout(wfbs_flex_writer *w, PyObject *dict, wfbs_flex_layout *layout)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    if (layout->stamp != w->scratch->stamp || layout->count != (size_t)PyDict_GET_SIZE(dict)) {
        return 0;
    }
    for (wfbs_flex_key *known = layout->keys; PyDict_Next(dict, &at, &key, &value); known++) {
#ifndef Py_GIL_DISABLED
        /* No code has run since that could have replaced the object with another one. */
        if (key == known->key) {
            known->value = value;
            continue;
        }
#endif
        size_t size;
        const uint8_t *text = key_text(w, key, &size);
        if (!text) {
            return -1;
        }
        if (size != known->size || !is_written(w, known->position, text, size)) {
            return 0;
        }
        known->key = key;
        known->text = text;
        known->value = value;
    }
    return 1;
}

/* ---- sorting */

/* Compares two keys in the order of maps: < 0, 0 or > 0. */
static inline int
compare(const wfbs_flex_key *keys, const wfbs_flex_rank *a, const wfbs_flex_rank *b)
{
    if (a->prefix != b->prefix) {
        return a->prefix < b->prefix ? -1 : 1;
    }
    const wfbs_flex_key *x = &keys[a->index], *y = &keys[b->index];
    const int order = memcmp(x->text, y->text, x->size < y->size ? x->size : y->size);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

/* The length of the common prefix of all keys, in bytes. */
static size_t
common_prefix(const wfbs_flex_key *keys, size_t count)
{
    size_t common = keys[0].size;

    for (size_t i = 1; i < count && common > 0; i++) {
        size_t same = 0;
        common = keys[i].size < common ? keys[i].size : common;
        while (same < common && keys[i].text[same] == keys[0].text[same]) {
            same++;
        }
        common = same;
    }
    return common;
}

static void
insertion_sort(const wfbs_flex_key *keys, wfbs_flex_rank *ranks, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const wfbs_flex_rank rank = ranks[i];
        size_t k = i;
        for (; k > 0 && compare(keys, &ranks[k - 1], &rank) > 0; k--) {
            ranks[k] = ranks[k - 1];
        }
        ranks[k] = rank;
    }
}

enum { RUN = 16 };   /* up to this many, insertion sort is fastest */
enum { MANY = 256 }; /* from this many on, counting bytes pays off */

/* Merges two sorted neighbours, [0, middle) and [middle, count), into `into`. */
static void
merge(const wfbs_flex_key *keys, const wfbs_flex_rank *from, size_t middle, size_t count,
      wfbs_flex_rank *into)
{
    size_t a = 0, b = middle;

    for (size_t i = 0; i < count; i++) {
        if (b == count || (a < middle && compare(keys, &from[a], &from[b]) <= 0)) {
            into[i] = from[a++];
        }
        else {
            into[i] = from[b++];
        }
    }
}

/* Sorts `count` ranks, with as many more as scratch memory. Takes time n log n. */
static void
merge_sort(const wfbs_flex_key *keys, wfbs_flex_rank *ranks, wfbs_flex_rank *work, size_t count)
{
    wfbs_flex_rank *from = ranks, *into = work;

    for (size_t i = 0; i < count; i += RUN) {
        insertion_sort(keys, ranks + i, count - i < RUN ? count - i : RUN);
    }
    for (size_t run = RUN; run < count; run *= 2) { /* 2 * run < 4 * count can't wrap */
        for (size_t i = 0; i < count; i += 2 * run) {
            const size_t left = count - i;
            merge(keys, from + i, left < run ? left : run, left < 2 * run ? left : 2 * run,
                  into + i);
        }
        wfbs_flex_rank *swap = from;
        from = into;
        into = swap;
    }
    if (from != ranks) {
        memcpy(ranks, from, count * sizeof *ranks);
    }
}

/* The same by the first four bytes of the prefixes, last byte first; merges ranks with equal
 * bytes. */
static void
radix_sort(const wfbs_flex_key *keys, wfbs_flex_rank *ranks, wfbs_flex_rank *work, size_t count)
{
    enum { BYTES = 4 };
    size_t counts[BYTES][256] = {{0}};
    wfbs_flex_rank *from = ranks, *into = work;

    for (size_t i = 0; i < count; i++) {
        const uint64_t first = ranks[i].prefix >> 32;
        for (unsigned byte = 0; byte < BYTES; byte++) {
            counts[byte][(first >> (8 * byte)) & 0xff]++;
        }
    }
    for (unsigned byte = 0; byte < BYTES; byte++) {
        size_t *next = counts[byte], sum = 0;
        const unsigned shift = 32 + 8 * byte;
        if (next[(ranks[0].prefix >> shift) & 0xff] == count) {
            continue; /* the same byte everywhere */
        }
        for (size_t i = 0; i < 256; i++) { /* turns counts into start positions */
            const size_t some = next[i];
            next[i] = sum;
            sum += some;
        }
        for (size_t i = 0; i < count; i++) {
            into[next[(from[i].prefix >> shift) & 0xff]++] = from[i];
        }
        wfbs_flex_rank *swap = from;
        from = into;
        into = swap;
    }
    if (from != ranks) {
        memcpy(ranks, from, count * sizeof *ranks);
    }
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && (ranks[end].prefix ^ ranks[i].prefix) >> 32 == 0; end++) {
        }
        if (end - i > 1) {
            merge_sort(keys, ranks + i, work, end - i);
        }
    }
}

/* Sets the prefixes of ranks in the order of the keys, and returns the bits in which they
 * differ. */
static uint64_t
set_prefixes(wfbs_flex_layout *layout, size_t skip)
{
    uint64_t difference = 0;

    for (size_t i = 0; i < layout->count; i++) {
        layout->ranks[i] = (wfbs_flex_rank){
            wfbs_flex_key_prefix(layout->keys[i].text, layout->keys[i].size, skip), i};
        difference |= layout->ranks[i].prefix ^ layout->ranks[0].prefix;
    }
    return difference;
}

/* Sorts the layout's keys into the first half of its ranks. */
static void
sort(wfbs_flex_layout *layout)
{
    const size_t count = layout->count;
    const wfbs_flex_key *keys = layout->keys;
    wfbs_flex_rank *ranks = layout->ranks, *work = layout->ranks + layout->capacity;
    uint64_t difference = set_prefixes(layout, 0);
    bool sorted = true;

    /* If all keys begin with the same bytes ("item_1", "item_2"), uses the bytes after those. */
    if (count > RUN && difference >> 56 == 0) {
        size_t skip = 0;
        for (; difference != 0 && difference >> 56 == 0; difference <<= 8) {
            skip++;
        }
        set_prefixes(layout, skip ? skip : common_prefix(keys, count));
    }
    for (size_t i = 1; sorted && i < count; i++) {
        sorted = compare(keys, &ranks[i - 1], &ranks[i]) < 0;
    }
    if (!sorted) {
        (count < MANY ? merge_sort : radix_sort)(keys, ranks, work, count);
    }
}

/* ---- writing */

/* Writes a key unless the pool (if used) knows it. Afterwards, its position is known in either
 * case. */
static int
write_key(wfbs_flex_writer *w, wfbs_flex_key *key, bool pooled)
{
    wfbs_flex_scratch *scratch = w->scratch;
    pooled = pooled && key->size <= WFBS_FLEX_SHARED_MAX;
    const unsigned index = pooled ? wfbs_flex_pool_index(key->text, key->size) : 0;

    if (pooled && scratch->pool[index].stamp == scratch->stamp
        && scratch->pool[index].size == key->size
        && is_written(w, scratch->pool[index].position, key->text, key->size)) {
        key->position = scratch->pool[index].position;
        return 0;
    }
    if (memchr(key->text, 0, key->size)) {
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_KEY_NUL, key->key);
    }
    if (wfbs_buffer_reserve(w->out, key->size + 1) < 0) { /* of an object: can't wrap */
        return wfbs_flex_refuse(w, WFBS_FLEX_BAD_PYTHON, NULL);
    }
    key->position = w->out->size - w->base;
    memcpy(w->out->data + w->out->size, key->text, key->size);
    w->out->data[w->out->size + key->size] = 0;
    w->out->size += key->size + 1;
    if (pooled) {
        scratch->pool[index].stamp = scratch->stamp;
        scratch->pool[index].size = (uint32_t)key->size;
        scratch->pool[index].position = key->position;
    }
    return 0;
}

/* Whether the sorted keys of two layouts are equal. Those of `old` are written. */
static bool
same_keys(const wfbs_flex_writer *w, const wfbs_flex_layout *old, const wfbs_flex_layout *fresh)
{
    if (old->stamp != w->scratch->stamp || old->count != fresh->count) {
        return false;
    }
    for (size_t i = 0; i < old->count; i++) {
        const wfbs_flex_key *a = &old->keys[old->ranks[i].index];
        const wfbs_flex_key *b = &fresh->keys[fresh->ranks[i].index];
        if (a->size != b->size || !is_written(w, a->position, b->text, b->size)) {
            return false;
        }
    }
    return true;
}

/* Writes the key vector of a sorted layout, after the keys themselves unless they are `written`. A
 * layout with a key that must not be shared gets no stamp, so that later maps don't share it. */
static int
write_key_vector(wfbs_flex_writer *w, wfbs_flex_layout *layout, bool written)
{
    /* A map with very many keys is a table rather than a record. Its keys don't occur again, and
     * would only evict others. */
    const bool pooled = layout->count <= WFBS_FLEX_POOL / 2;
    const wfbs_flex_rank *ranks = layout->ranks;
    wfbs_flex_slot vector;
    bool shared = true;
    size_t first;

    if (wfbs_flex_take_slots(w, layout->count, &first) < 0) {
        return -1;
    }
    for (size_t i = 0; i < layout->count; i++) {
        wfbs_flex_key *key = &layout->keys[ranks[i].index];
        shared = shared && key->size <= WFBS_FLEX_SHARED_MAX;
        if (!written && write_key(w, key, pooled) < 0) {
            return -1;
        }
        /* A dict can have two keys of a str subclass with the same text. */
        if (!written && i > 0 && compare(layout->keys, &ranks[i - 1], &ranks[i]) == 0) {
            return wfbs_flex_refuse(w, WFBS_FLEX_BAD_KEY_TWICE, key->key);
        }
        w->scratch->slots[first + i] =
            (wfbs_flex_slot){.bits = key->position, .type = WFBS_FLEX_KEY, .width = 0};
    }
    if (wfbs_flex_append_vector(w, WFBS_FLEX_VECTOR_KEY, layout->count, NULL, &vector) < 0) {
        return -1;
    }
    layout->vector = (size_t)vector.bits;
    layout->width = vector.width;
    layout->stamp = shared ? w->scratch->stamp : 0;
    return 0;
}

int
wfbs_flex_write_keys(wfbs_flex_writer *w, PyObject *dict, unsigned depth)
{
    wfbs_flex_layout *layout = &w->scratch->layouts[depth];
    wfbs_flex_layout *fresh = &w->scratch->fresh;
    PyObject *key, *value;
    Py_ssize_t at = 0;
    const int fits = fits_layout(w, dict, layout);

    if (fits != 0) {
        return fits < 0 ? -1 : w->compact ? 0 : write_key_vector(w, layout, true);
    }
    fresh->stamp = 0;
    fresh->count = (size_t)PyDict_GET_SIZE(dict);
    if (layout_reserve(w, fresh, fresh->count) < 0) {
        return -1;
    }
    for (wfbs_flex_key *next = fresh->keys; PyDict_Next(dict, &at, &key, &value); next++) {
        next->key = key;
        next->value = value;
        next->text = key_text(w, key, &next->size);
        if (!next->text) {
            return -1;
        }
    }
    sort(fresh);
    const bool same = same_keys(w, layout, fresh);
    if (same) {
        for (size_t i = 0; i < fresh->count; i++) {
            fresh->keys[fresh->ranks[i].index].position =
                layout->keys[layout->ranks[i].index].position;
        }
        fresh->vector = layout->vector;
        fresh->width = layout->width;
        fresh->stamp = layout->stamp;
    }
    const wfbs_flex_layout swap = *layout;
    *layout = *fresh;
    *fresh = swap;
    return same && w->compact ? 0 : write_key_vector(w, layout, same);
}
