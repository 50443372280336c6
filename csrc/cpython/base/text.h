/* Bytes as str, and a cache for short map keys, which calls share. */
#ifndef WFBS_TEXT_H
#define WFBS_TEXT_H

#include "utf8.h"

#include <stdbool.h>
#include <string.h>

#include "../../core/read.h"

/* The top bits of all 8 bytes of a word: all clear in ASCII. */
#define WFBS_TOP_BITS UINT64_C(0x8080808080808080)

/* Whether all bytes are ASCII. */
static inline bool
wfbs_text_is_ascii(const uint8_t *p, size_t size)
{
    uint64_t seen = 0;
    size_t i = 0;
    for (; size - i >= 8; i += 8) { /* i <= size, so the difference can't wrap */
        seen |= wfbs_load_u64(p + i);
    }
    for (; i < size; i++) {
        seen |= p[i];
    }
    return (seen & WFBS_TOP_BITS) == 0;
}

/* A new str of ASCII bytes, or NULL with MemoryError. */
static inline PyObject *
wfbs_text_from_ascii(const uint8_t *p, size_t size)
{
    PyObject *text = PyUnicode_New((Py_ssize_t)size, 127);
    if (text) {
        memcpy(PyUnicode_DATA(text), p, size);
    }
    return text;
}

/* A new str of valid UTF-8 that isn't all ASCII, or is short. NULL with MemoryError. */
static inline PyObject *
wfbs_text_from_wide(const uint8_t *p, size_t size)
{
    if (size <= 2) { /* at most one character, which CPython shares */
        return PyUnicode_DecodeUTF8((const char *)p, (Py_ssize_t)size, NULL);
    }
    return wfbs_utf8_decode_valid(p, size);
}

/* A new str of valid UTF-8, or NULL with MemoryError. */
static inline PyObject *
wfbs_text_from_valid(const uint8_t *p, size_t size)
{
    return size > 1 && wfbs_text_is_ascii(p, size) ? wfbs_text_from_ascii(p, size)
                                                   : wfbs_text_from_wide(p, size);
}

/* The same for the string whose offset is at `place` of a verified buffer. */
static inline PyObject *
wfbs_text_at(const uint8_t *data, uint32_t place)
{
    const wfbs_span text = wfbs_span_at(data, place);
    return wfbs_text_from_valid(text.data, text.size);
}

/* ---- map keys */

/* ASCII keys of at most this many bytes are shared between decoded maps. */
#define WFBS_KEY_MAX 32
/* Slots of the cache of shared keys, as a power of two. A slot has at most one string, so this also
 * bounds the memory that the cache keeps alive. */
#define WFBS_KEY_BITS 9
#define WFBS_KEY_SLOTS (1 << WFBS_KEY_BITS)

/* Shared keys; all zero is a valid, empty cache. Without a GIL, nothing is shared. */
typedef struct {
#ifdef Py_GIL_DISABLED
    char unused;
#else
    PyObject *slots[WFBS_KEY_SLOTS]; /* owned, exact ASCII str; or NULL */
#endif
} wfbs_keys;

#ifdef Py_GIL_DISABLED

static inline PyObject *
wfbs_keys_share(wfbs_keys *keys, const uint8_t *p, size_t size)
{
    (void)keys;
    (void)p;
    (void)size;
    return NULL;
}

static inline void
wfbs_keys_clear(wfbs_keys *keys)
{
    (void)keys;
}

#else

/* Mixes `size` bytes (1 to WFBS_KEY_MAX) into a word whose top bits are well distributed, and ORs
 * all of them into `seen`. Reads some bytes twice, which is faster than byte by byte. */
static inline uint64_t
wfbs_keys_mix(const uint8_t *p, size_t size, uint64_t *seen)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15); /* 2**64 divided by the golden ratio */
    uint64_t hash = size, word;
    if (size >= 8) {
        for (size_t i = 0; i + 8 < size; i += 8) {
            word = wfbs_load_u64(p + i);
            *seen |= word;
            hash = (hash ^ word) * factor;
            hash ^= hash >> 32;
        }
        word = wfbs_load_u64(p + size - 8);
    }
    else if (size >= 4) {
        word = wfbs_load_u32(p) | (uint64_t)wfbs_load_u32(p + size - 4) << 32;
    }
    else {
        word = (uint64_t)p[0] | (uint64_t)p[size / 2] << 8 | (uint64_t)p[size - 1] << 16;
    }
    *seen |= word;
    return (hash ^ word) * factor;
}

/* The shared str of a key, with its hash already computed. New reference; or NULL: without an
 * exception for a key that is not shared (short, long, or not ASCII), or with MemoryError. */
static inline PyObject *
wfbs_keys_share(wfbs_keys *keys, const uint8_t *p, size_t size)
{
    uint64_t seen = 0;
    if (size < 2 || size > WFBS_KEY_MAX) {
        return NULL;
    }
    const uint64_t hash = wfbs_keys_mix(p, size, &seen);
    if (seen & WFBS_TOP_BITS) {
        return NULL;
    }
    PyObject **slot = &keys->slots[hash >> (64 - WFBS_KEY_BITS)];
    PyObject *key = *slot;
    if (key && (size_t)PyUnicode_GET_LENGTH(key) == size
        && memcmp(PyUnicode_DATA(key), p, size) == 0) {
        return Py_NewRef(key);
    }
    key = wfbs_text_from_ascii(p, size);
    if (key) {
        Py_XSETREF(*slot, Py_NewRef(key)); /* freeing a str runs no code */
    }
    return key;
}

/* Drops all keys. */
static inline void
wfbs_keys_clear(wfbs_keys *keys)
{
    for (size_t i = 0; i < WFBS_KEY_SLOTS; i++) {
        Py_CLEAR(keys->slots[i]);
    }
}

#endif

#endif
