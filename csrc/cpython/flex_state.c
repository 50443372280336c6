/* FlexBuffers: what the codec keeps between calls, its exception, and the functions of the
 * module. */
#include "flex_write.h"
#include "module.h"

/* ---- memory of the writer */

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
        wfbs_flex_layout_free(&scratch->fresh);
        for (size_t i = 0; i < Py_ARRAY_LENGTH(scratch->layouts); i++) {
            wfbs_flex_layout_free(&scratch->layouts[i]);
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
        /* After 2**32 calls old stamps come again, so whatever has one is forgotten. */
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
    if (f->scratch || scratch->large) {
        wfbs_flex_scratch_free(scratch);
    } else {
        f->scratch = scratch;
    }
#endif
}

/* ---- life */

PyObject *
wfbs_flex_raise(wfbs_flex *f, const wfbs_flex_reader *r)
{
    /* While the module is being taken down the class is gone, but not the objects. */
    PyObject *type = f->error ? f->error : PyExc_ValueError;
    PyObject *text = PyUnicode_FromFormat("%s, at offset %llu", wfbs_flex_error_text(r->error),
                                          (unsigned long long)r->error_at);
    PyObject *offset = PyLong_FromUnsignedLongLong(r->error_at);
    PyObject *exception = text && offset ? PyObject_CallOneArg(type, text) : NULL;

    if (exception && PyObject_SetAttrString(exception, "offset", offset) == 0) {
        PyErr_SetObject(type, exception);
    }
    Py_XDECREF(text);
    Py_XDECREF(offset);
    Py_XDECREF(exception);
    return NULL;
}

PyDoc_STRVAR(error_doc,
"The bytes are no FlexBuffer, or one that breaks the rules of the format.\n\n"
"The attribute ``offset`` says where: a position in the bytes.");

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
    return 0; /* the keys are exact str, which refer to nothing */
}

void
wfbs_flex_clear(wfbs_flex *f)
{
    Py_CLEAR(f->error);
    Py_CLEAR(f->lazy_type);
#ifndef Py_GIL_DISABLED
    for (size_t i = 0; i < WFBS_FLEX_KEY_SLOTS; i++) {
        Py_CLEAR(f->keys[i]);
    }
    wfbs_flex_scratch_free(f->scratch);
    f->scratch = NULL;
#endif
}

/* ---- functions of the module */

const char wfbs_flex_dumps_doc[] = "flex_dumps(obj, /)\n--\n\n"
"The FlexBuffer of a value; see autobahn_fbs.flexbuffers.dumps.";

PyObject *
wfbs_flex_dumps_function(PyObject *module, PyObject *obj)
{
    wfbs_buffer out = {0};
    PyObject *result = NULL;

    if (wfbs_flex_encode(&wfbs_state_of(module)->flex, &out, obj) == 0) {
        result = PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.size);
    }
    wfbs_buffer_free(&out);
    return result;
}

const char wfbs_flex_loads_doc[] = "flex_loads(data, lazy=False)\n--\n\n"
"The value of a FlexBuffer; see autobahn_fbs.flexbuffers.loads.";

PyObject *
wfbs_flex_loads_function(PyObject *module, PyObject *const *args, Py_ssize_t count,
                         PyObject *names)
{
    wfbs_flex *f = &wfbs_state_of(module)->flex;
    const Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    PyObject *lazy = count == 2 ? args[1] : Py_False;
    Py_buffer view;

    if (count < 1 || count + named > 2) {
        PyErr_SetString(PyExc_TypeError, "flex_loads takes data and lazy");
        return NULL;
    }
    if (named) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "lazy") != 0) {
            PyErr_Format(PyExc_TypeError, "flex_loads has no argument %R",
                         PyTuple_GET_ITEM(names, 0));
            return NULL;
        }
        lazy = args[1];
    }
    const int is_lazy = PyObject_IsTrue(lazy);
    if (is_lazy != 0) {
        return is_lazy < 0 ? NULL : wfbs_flex_lazy_root(f, args[0]);
    }
    if (PyObject_GetBuffer(args[0], &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = wfbs_flex_decode(f, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return result;
}
