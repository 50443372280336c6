/* The counters as Python objects. */
#include "counters.h"

static const char *const count_names[WFBS_COUNTS] = {
    [WFBS_COUNT_ENCODED] = "encoded",
    [WFBS_COUNT_CACHE_HITS] = "cache_hits",
    [WFBS_COUNT_PASS_ONS] = "pass_ons",
    [WFBS_COUNT_PAYLOADS] = "payloads",
    [WFBS_COUNT_PAYLOADS_DECODED] = "payloads_decoded",
};

/* The name of a reason to refuse a message; never NULL. */
static const char *
reason_name(unsigned reason)
{
    switch (reason) {
    case WFBS_REFUSED_METADATA:
        return "METADATA";
    case WFBS_REFUSED_BATCH:
        return "BATCH";
    case WFBS_REFUSED_PAYLOAD:
        return "PAYLOAD";
    default:
        return wfbs_error_name((wfbs_error_code)reason);
    }
}

/* Stores a number under a name. 0, or -1 with an exception. */
static int
store(PyObject *dict, const char *name, uint64_t number)
{
    PyObject *value = PyLong_FromUnsignedLongLong(number);
    int result = value ? PyDict_SetItemString(dict, name, value) : -1;
    Py_XDECREF(value);
    return result;
}

/* The value of a counter. Cannot fail. */
static uint64_t
number_at(uint64_t *number)
{
#ifdef Py_GIL_DISABLED
    return wfbs_atomic_add(number, 0);
#else
    return *number;
#endif
}

PyObject *
wfbs_counters_dict(wfbs_counters *counters)
{
    PyObject *dict = PyDict_New();
    PyObject *refused = dict ? PyDict_New() : NULL;
    int failed = refused ? 0 : -1;
    for (unsigned what = 0; !failed && what < WFBS_COUNTS; what++) {
        uint64_t sum = 0;
        for (unsigned i = 0; i < WFBS_COUNT_PLACES; i++) {
            sum += number_at(&counters->places[i].counts[what]);
        }
        failed = store(dict, count_names[what], sum);
    }
    for (unsigned reason = WFBS_ERROR_OK + 1; !failed && reason < WFBS_REFUSED_COUNT; reason++) {
        uint64_t number = number_at(&counters->refused[reason]);
        failed = number ? store(refused, reason_name(reason), number) : 0;
    }
    if (!failed) {
        failed = PyDict_SetItemString(dict, "refused", refused);
    }
    Py_XDECREF(refused);
    if (failed) {
        Py_CLEAR(dict);
    }
    return dict;
}
