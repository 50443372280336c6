/* The functions of the module: the payload codecs, a check of MessagePack, and the counters. */
#include "functions.h"

#include "../core/msgpack_keys.h"
#include "base/input.h"
#include "state.h"

/* ---- CBOR */

PyDoc_STRVAR(
    cbor_dumps_doc,
    "cbor_dumps(obj, /)\n--\n\n"
    "Returns the same as cbor2.dumps(obj) (RFC 8949), faster for the common data model.\n\n"
    "Raises ValueError for values that cbor_loads would refuse; SECURITY.rst names\n"
    "the exceptions.");

static PyObject *
cbor_dumps(PyObject *module, PyObject *object)
{
    wfbs_buffer out = {0};
    const int failed = wfbs_cbor_encode(&wfbs_state_of(module)->cbor, &out, object);
    return wfbs_buffer_close(&out, failed);
}

PyDoc_STRVAR(
    cbor_loads_doc,
    "cbor_loads(data, /)\n--\n\n"
    "Returns or raises the same as cbor2.loads(data) (RFC 8949), faster for the common data\n"
    "model.\n\n"
    "Raises ValueError for input that would take cbor2 more than linear time: SECURITY.rst.");

static PyObject *
cbor_loads(PyObject *module, PyObject *data)
{
    wfbs_input in;
    if (wfbs_input_open(data, PyBUF_SIMPLE, &in) < 0) {
        return NULL;
    }
    PyObject *result = wfbs_cbor_decode(&wfbs_state_of(module)->cbor, in.data, in.size);
    Py_DECREF(in.buffer);
    return result;
}

/* ---- FlexBuffers */

/* Parses the arguments of both functions: one positional argument, and a bool. Returns the bool, or
 * -1 with an exception set. */
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

PyDoc_STRVAR(
    flex_dumps_doc,
    "flex_dumps(obj, /, compact=False)\n--\n\n"
    "Encodes a value as a FlexBuffer.\n\n"
    "Equal values (of equal types) give equal bytes, whatever the order of their dicts: maps are\n"
    "sorted by key, as the format requires. A repeated key of at most 64 bytes is written once.\n"
    "Widths are as small as possible, as in Google's builder.\n\n"
    ":param obj: a value of the types in the table of autobahn_fbs.flexbuffers, or of subclasses,\n"
    "    which are written as their base types. Keys of dicts must be str.\n"
    ":param compact: take less space. Lists whose items are all int, all float or all bool become\n"
    "    typed vectors (of 2 to 4 numbers: of fixed length), a few wide numbers among narrow ones\n"
    "    are written indirectly, and a dict shares all its keys with the last one at its depth if\n"
    "    they are the same, like records in a list. This is off by default because the type on\n"
    "    the wire then depends on the values, which readers without a common type for all vectors\n"
    "    (such as C++) must expect; and because Google's C++ verifier, if it has a reuse tracker,\n"
    "    refuses more than about 60 maps that share their keys.\n"
    ":raises TypeError: for any other type; the message names the place, such as [3][\"name\"].\n"
    ":raises ValueError: for an int outside -2**63..2**64-1, a key with a NUL character (which ends\n"
    "    keys in the format), a str with a surrogate, and containers nested more than 256 deep (or\n"
    "    in themselves); the message names the place.");

static PyObject *
flex_dumps(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    const int compact = parse_flag(args, count, names, "flex_dumps", "compact");
    wfbs_buffer out = {0};

    if (compact < 0) {
        return NULL;
    }
    const int failed = wfbs_flex_encode_as(&wfbs_state_of(module)->flex, &out, args[0], compact);
    return wfbs_buffer_close(&out, failed);
}

PyDoc_STRVAR(
    flex_loads_doc,
    "flex_loads(data, /, lazy=False)\n--\n\n"
    "Decodes a FlexBuffer.\n\n"
    "Everything is checked while it is decoded. Where the format is not specific: containers may\n"
    "share parts as long as these don't add up to much more than the buffer (about four times its\n"
    "size; a repeated text counts one sixteenth); containers may be nested 256 deep; a map may have\n"
    "its keys in any order, but no duplicates; bytes that nothing refers to are ignored.\n\n"
    ":param data: a bytes-like object with one FlexBuffer and nothing after it, because the\n"
    "    format is read from the end.\n"
    ":param lazy: return a Lazy for a vector or map, which decodes (and checks) values on access:\n"
    "    loads(data, lazy=True)[\"a\"][3][\"b\"]. Any other value is decoded immediately. The Lazy\n"
    "    keeps data alive. Don't change data meanwhile.\n"
    ":raises FlexBuffersError: if the bytes are malformed; a ValueError with the attribute offset.");

static PyObject *
flex_loads(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
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

/* ---- MessagePack */

PyDoc_STRVAR(
    msgpack_check_doc,
    "msgpack_check(data, /)\n--\n\n"
    "Checks that all map keys in MessagePack are text or binary, in linear time. The libraries that\n"
    "read MessagePack detect malformed input.\n\n"
    ":param data: a bytes-like object.\n"
    ":raises ValueError: for another key, and for more than 1024 levels.");

static PyObject *
msgpack_check(PyObject *Py_UNUSED(module), PyObject *data)
{
    wfbs_input in;
    if (wfbs_input_open(data, PyBUF_SIMPLE, &in) < 0) {
        return NULL;
    }
    size_t at;
    const char *refusal = wfbs_msgpack_refusal(in.data, in.size, &at);
    Py_DECREF(in.buffer);
    if (refusal) {
        PyErr_Format(PyExc_ValueError, "MessagePack: %s, at offset %zu", refusal, at);
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- counters */

PyDoc_STRVAR(counters_doc,
             "counters()\n--\n\n"
             "Counts what this process did with its messages; see autobahn_fbs.counters().");

static PyObject *
counters(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return wfbs_counters_dict(&wfbs_state_of(module)->counters);
}

PyMethodDef wfbs_functions[] = {
    {"cbor_dumps", cbor_dumps, METH_O, cbor_dumps_doc},
    {"cbor_loads", cbor_loads, METH_O, cbor_loads_doc},
    {"counters", counters, METH_NOARGS, counters_doc},
    {"flex_dumps", (PyCFunction)(void (*)(void))flex_dumps, METH_FASTCALL | METH_KEYWORDS,
     flex_dumps_doc},
    {"flex_loads", (PyCFunction)(void (*)(void))flex_loads, METH_FASTCALL | METH_KEYWORDS,
     flex_loads_doc},
    {"msgpack_check", msgpack_check, METH_O, msgpack_check_doc},
    {NULL, NULL, 0, NULL},
};
