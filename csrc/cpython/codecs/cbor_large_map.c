/* Rare operations on a large map. See cbor_large_map.h. */
#include "cbor_large_map.h"

#include <string.h>

int
wfbs_large_map_begin(wfbs_large_map *m, size_t entries)
{
    *m = (wfbs_large_map){.dict = PyDict_New(), .entries = entries};
    return m->dict == NULL ? -1 : 0;
}

PyObject *
wfbs_large_map_end(wfbs_large_map *m, bool whole)
{
    PyMem_Free(m->hashes);
    if (!whole) {
        Py_CLEAR(m->dict);
    }
    return m->dict;
}

int
wfbs_large_map_refuse(const char *why)
{
    PyErr_SetString(PyExc_ValueError, why);
    return -1;
}

/* Makes room for the hashes and for the largest table, and fills in the hashes so far. Returns 0,
 * or -1 with MemoryError set. */
static int
make_room(wfbs_large_map *m)
{
    /* An entry takes two bytes of input, so this is less than 5 times the input's size: no
     * overflow. */
    const size_t words = m->entries + wfbs_probes_words(wfbs_probes_places(m->entries));
    m->hashes = PyMem_Malloc(words * sizeof(uint64_t));
    if (m->hashes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < m->numbers; i++) {
        m->hashes[i] = m->next - m->numbers + i; /* unsigned, so it may wrap */
    }
    return 0;
}

int
wfbs_large_map_grow(wfbs_large_map *m)
{
    const size_t places =
        wfbs_probes_places((size_t)PyDict_GET_SIZE(m->dict)); /* <= in make_room */
    if (m->hashes == NULL && make_room(m) < 0) {
        return -1;
    }
    uint64_t *const taken = m->hashes + m->entries;
    memset(taken, 0, wfbs_probes_words(places) * sizeof(uint64_t));
    wfbs_probes_begin(&m->probes, places, taken);
    m->most = wfbs_probes_most(places);
    return wfbs_probes_add_all(&m->probes, m->hashes, m->numbers, NULL)
               ? 0
               : wfbs_large_map_refuse("CBOR: " WFBS_PROBES_COLLIDE);
}
