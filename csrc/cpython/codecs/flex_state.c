/* FlexBuffers: what the codec keeps between calls, its exception, and the functions of the
 * module. */
#include "flex_write.h"
#include "../module.h"

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
    if (f->scratch || scratch->grown > WFBS_FLEX_KEPT_SIZE) {
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

/* The arguments of both functions: one by position, and a bool. Returns it, or -1 with an
 * exception set. */
static int
parse_flag(PyObject *const *args, Py_ssize_t count, PyObject *names, const char *function,
           const char *flag)
{
    const Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;

    if (count == 1 && named == 0) {
        return 0;
    }
    if (count < 1 || count + named > 2) {
        PyErr_Format(PyExc_TypeError, "%s takes one argument and %s", function, flag);
        return -1;
    }
    if (named && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), flag) != 0) {
        PyErr_Format(PyExc_TypeError, "%s has no argument %R", function,
                     PyTuple_GET_ITEM(names, 0));
        return -1;
    }
    return PyObject_IsTrue(args[1]);
}

const char wfbs_flex_dumps_doc[] = "flex_dumps(obj, /, compact=False)\n--\n\n"
"The FlexBuffer of a value.\n\n"
"Equal values (of equal types) give equal bytes, whatever the order of their dicts: maps are\n"
"sorted by key, as the format wants. A key of at most 64 bytes that occurs again is written\n"
"once. Widths are the least ones, as in Google's builder.\n\n"
":param obj: a value of the types in the table of autobahn_fbs.flexbuffers, or of subclasses,\n"
"    which are written as what they derive from. Keys of dicts must be str.\n"
":param compact: take less space. Lists whose items are all int, all float or all bool become\n"
"    typed vectors (of 2 to 4 numbers: of fixed length), a few wide numbers among narrow ones\n"
"    are written indirectly, and a dict shares all its keys with the last one at its depth if\n"
"    these are the same, as records in a list do. This is off by default because the type on\n"
"    the wire then depends on the values, which readers without a common type for all vectors\n"
"    (such as C++) must expect; and because Google's C++ verifier, if it has a reuse tracker,\n"
"    refuses more than about 60 maps that share their keys.\n"
":raises TypeError: for any other type; the message names the place, such as [3][\"name\"].\n"
":raises ValueError: for an int outside -2**63..2**64-1, a key with a NUL character (which ends\n"
"    keys in the format), a str with a surrogate, and containers nested more than 256 deep (or\n"
"    in themselves); the message names the place.";

PyObject *
wfbs_flex_dumps_function(PyObject *module, PyObject *const *args, Py_ssize_t count,
                         PyObject *names)
{
    const int compact = parse_flag(args, count, names, "flex_dumps", "compact");
    wfbs_buffer out = {0};
    PyObject *result = NULL;

    if (compact < 0) {
        return NULL;
    }
    if (wfbs_flex_encode_as(&wfbs_state_of(module)->flex, &out, args[0], compact) == 0) {
        result = PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.size);
    }
    wfbs_buffer_free(&out);
    return result;
}

const char wfbs_flex_loads_doc[] = "flex_loads(data, /, lazy=False)\n--\n\n"
"The value of a FlexBuffer.\n\n"
"All of it is checked while it is decoded. What the format leaves open: containers may share\n"
"parts as long as these don't add up to much more than the buffer (about four times its size,\n"
"a sixteenth of a text counted where it occurs again); containers may be nested 256 deep; a map\n"
"may have its keys in any order, but each only once; bytes that nothing refers to are ignored.\n\n"
":param data: a bytes-like object that holds one FlexBuffer and nothing behind it, since the\n"
"    format is read from the end.\n"
":param lazy: return a Lazy for a vector or map, which decodes (and checks) only what is asked\n"
"    of it: loads(data, lazy=True)[\"a\"][3][\"b\"]. Any other value is decoded at once. The Lazy\n"
"    keeps data alive, which should not be changed meanwhile.\n"
":raises FlexBuffersError: if the bytes are malformed; a ValueError with the attribute offset.";

PyObject *
wfbs_flex_loads_function(PyObject *module, PyObject *const *args, Py_ssize_t count,
                         PyObject *names)
{
    const int lazy = parse_flag(args, count, names, "flex_loads", "lazy");
    wfbs_flex *f = &wfbs_state_of(module)->flex;
    wfbs_input in;

    if (lazy != 0) {
        return lazy < 0 ? NULL : wfbs_flex_lazy_root(f, args[0]);
    }
    if (wfbs_input_open(args[0], PyBUF_SIMPLE, &in) < 0) {
        return NULL;
    }
    PyObject *result = wfbs_flex_decode(f, in.data, in.size);
    Py_DECREF(in.buffer);
    return result;
}
