/* The CBOR codec's state between calls: other modules' functions and the shared map keys. */
#include "cbor.h"

#ifdef Py_GIL_DISABLED
#define LOCK(c) PyMutex_Lock(&(c)->lock)
#define UNLOCK(c) PyMutex_Unlock(&(c)->lock)
#else
#define LOCK(c) ((void)(c))
#define UNLOCK(c) ((void)(c))
#endif

/* Returns a new reference to the attribute `name` of the module `origin`, from `slot` (inside `c`)
 * or, the first time, by importing it. The import runs Python code that may call this again, so no
 * lock is held meanwhile, and the first to finish fills the slot. */
static PyObject *
from_module(wfbs_cbor *c, PyObject **slot, const char *origin, const char *name)
{
    PyObject *found, *module;

    LOCK(c);
    found = Py_XNewRef(*slot);
    UNLOCK(c);
    if (found != NULL) {
        return found;
    }
    module = PyImport_ImportModule(origin);
    if (module == NULL) {
        return NULL;
    }
    found = PyObject_GetAttrString(module, name);
    Py_DECREF(module);
    if (found == NULL) {
        return NULL;
    }
    LOCK(c);
    if (*slot == NULL) {
        *slot = Py_NewRef(found);
    }
    UNLOCK(c);
    return found;
}

PyObject *
wfbs_cbor_opened(wfbs_cbor *c)
{
    return from_module(c, &c->opened, "autobahn_fbs._cbor_foreign", "opened");
}

PyObject *
wfbs_cbor_refuse(wfbs_cbor *c)
{
    return from_module(c, &c->refuse, "autobahn_fbs._cbor_foreign", "refuse");
}

PyObject *
wfbs_cbor_loads(wfbs_cbor *c)
{
    return from_module(c, &c->loads, "cbor2", "loads");
}

PyObject *
wfbs_cbor_decode_error(wfbs_cbor *c)
{
    return from_module(c, &c->decode_error, "cbor2", "CBORDecodeError");
}

int
wfbs_cbor_traverse(wfbs_cbor *c, visitproc visit, void *arg)
{
    Py_VISIT(c->opened);
    Py_VISIT(c->refuse);
    Py_VISIT(c->loads);
    Py_VISIT(c->decode_error);
    return 0; /* the keys are exact str, which have no references */
}

void
wfbs_cbor_clear(wfbs_cbor *c)
{
    Py_CLEAR(c->opened);
    Py_CLEAR(c->refuse);
    Py_CLEAR(c->loads);
    Py_CLEAR(c->decode_error);
    wfbs_keys_clear(&c->keys);
}
