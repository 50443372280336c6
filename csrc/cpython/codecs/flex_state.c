/* FlexBuffers: the codec's state between calls, and its two types. */
#include "flex_write.h"

PyDoc_STRVAR(error_doc, "The bytes aren't a FlexBuffer, or break the rules of the format.\n\n"
                        "The attribute ``offset`` is a position in the bytes.");

int
wfbs_flex_init(wfbs_flex *f, PyObject *module)
{
    f->error = PyErr_NewExceptionWithDoc("autobahn_fbs.flexbuffers.FlexBuffersError", error_doc,
                                         PyExc_ValueError, NULL);
    if (!f->error || PyModule_AddObjectRef(module, "FlexBuffersError", f->error) < 0) {
        return -1;
    }
    f->lazy_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &wfbs_flex_lazy_spec, NULL);
    if (!f->lazy_type || PyModule_AddType(module, f->lazy_type) < 0) {
        return -1;
    }
    return 0;
}

int
wfbs_flex_traverse(wfbs_flex *f, visitproc visit, void *arg)
{
    Py_VISIT(f->error);
    Py_VISIT(f->lazy_type);
    return 0; /* the keys are exact str, which have no references */
}

void
wfbs_flex_clear(wfbs_flex *f)
{
    Py_CLEAR(f->error);
    Py_CLEAR(f->lazy_type);
    wfbs_keys_clear(&f->keys);
#ifndef Py_GIL_DISABLED
    wfbs_flex_scratch_free(f->scratch);
    f->scratch = NULL;
#endif
}
