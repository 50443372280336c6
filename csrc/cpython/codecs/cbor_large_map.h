/* Creates a dict from a map with many entries. Refuses numbers that collide before they take much
 * time: core/key_probes.h. */
#ifndef WFBS_CBOR_LARGE_MAP_H
#define WFBS_CBOR_LARGE_MAP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

#include "../../core/key_probes.h"

typedef struct {
    PyObject *dict; /* owned */
    size_t entries; /* the maximum number of entries */
    size_t numbers; /* keys that were counted */
    uint64_t
        next; /* while `hashes` is NULL, their hashes are the integers below `numbers`, in ascending order, so that each has a slot of its own */
    uint64_t *hashes; /* owned, or NULL: their hashes; room for `entries`, followed by `probes` */
    size_t most;      /* the number of elements that `probes` is for; 0 without hashes */
    wfbs_probes probes;
} wfbs_large_map;

/* Initializes an empty map. Returns 0, or -1 with MemoryError set. Call wfbs_large_map_end in
 * either case. */
int wfbs_large_map_begin(wfbs_large_map *m, size_t entries);

/* Returns the dict as a new reference if `whole`, otherwise NULL. Frees everything else. */
PyObject *wfbs_large_map_end(wfbs_large_map *m, bool whole);

/* Makes the table as large as the dict's table after one more key. Returns 0, or -1 with ValueError
 * or MemoryError set. */
int wfbs_large_map_grow(wfbs_large_map *m);

/* Sets ValueError with that text. Always returns -1. */
int wfbs_large_map_refuse(const char *why);

/* Inserts an entry. Returns 0, or -1 with an exception set: ValueError if there are too many
 * numbers together with others. */
static inline int
wfbs_large_map_put(wfbs_large_map *m, PyObject *key, PyObject *value)
{
    if (PyDict_SetItem(m->dict, key, value) < 0) {
        return -1;
    }
    return wfbs_probes_may_mix(m->numbers, (size_t)PyDict_GET_SIZE(m->dict) - m->numbers)
               ? 0
               : wfbs_large_map_refuse("CBOR: " WFBS_PROBES_MIXED);
}

/* The same for a key that is neither text nor bytes, and its hash. Also sets ValueError if the
 * numbers collide. */
static inline int
wfbs_large_map_put_number(wfbs_large_map *m, PyObject *key, uint64_t hash, PyObject *value)
{
    const size_t before = (size_t)PyDict_GET_SIZE(m->dict);
    const bool in_sequence = m->hashes == NULL && (m->numbers == 0 || hash == m->next);
    size_t place = 0;
    if (!in_sequence) {
        if (before >= m->most && wfbs_large_map_grow(m) < 0) {
            return -1;
        }
        place = wfbs_probes_add(&m->probes, hash); /* numbers <= before < most, so some are free */
        if (!wfbs_probes_are_few(&m->probes)) {
            return wfbs_large_map_refuse("CBOR: " WFBS_PROBES_COLLIDE);
        }
        m->hashes[m->numbers] = hash; /* numbers <= before < entries */
    }
    if (PyDict_SetItem(m->dict, key, value) < 0) {
        return -1;
    }
    if ((size_t)PyDict_GET_SIZE(m->dict) > before) {
        m->numbers++;
        m->next = hash + 1;
    }
    else if (m->hashes != NULL) {
        wfbs_probes_leave(&m->probes, place);
    }
    return wfbs_probes_may_mix(m->numbers, (size_t)PyDict_GET_SIZE(m->dict) - m->numbers)
               ? 0
               : wfbs_large_map_refuse("CBOR: " WFBS_PROBES_MIXED);
}

#endif
