/* Fuzz target: compares the CBOR codec with cbor2, in an embedded interpreter.
 *
 * Both decode the input. Either both refuse it with the same exception, or both return the same
 * value. In the latter case, the value is encoded again: the bytes must be those of cbor2, and
 * decoding them must return the same value. Input that is kept away from cbor2
 * (csrc/core/cbor_guard.c) is kept away here, too, because cbor2 might never return. cbor2 gets the
 * input without the tags that mean "this is CBOR": we skip them, but they make cbor2 turn lists
 * into tuples. */
#include "embedded.h"

#include "../csrc/core/key_probes.h"
#include "../csrc/cpython/codecs/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONGEST = 4096 };

static wfbs_cbor codec;
static PyObject *loads, *dumps, *decode_error; /* cbor2's */

static void
start(void)
{
    Py_InitializeEx(0);
    PyObject *cbor2 = PyImport_ImportModule("cbor2");
    loads = cbor2 ? PyObject_GetAttrString(cbor2, "loads") : NULL;
    dumps = loads ? PyObject_GetAttrString(cbor2, "dumps") : NULL;
    decode_error = dumps ? PyObject_GetAttrString(cbor2, "CBORDecodeError") : NULL;
    if (!decode_error) {
        fail("cbor2 is not to be had (set PYTHONPATH)");
    }
    Py_DECREF(cbor2);
}

/* Checks that our encoding of `value` is cbor2's, and that it decodes to `value`. */
static void
check_encoding(PyObject *value)
{
    PyObject *theirs = PyObject_CallOneArg(dumps, value);
    PyObject *their_error = theirs ? NULL : take_error();
    wfbs_buffer out = {0};
    int failed = wfbs_cbor_encode(&codec, &out, value);
    PyObject *our_error = failed ? take_error() : NULL;
    if (!theirs != !!failed || their_error != our_error) {
        fail("encoding: one of the codecs refuses, or another exception comes");
    }
    if (theirs) {
        if (out.size != (size_t)PyBytes_GET_SIZE(theirs)
            || memcmp(out.data, PyBytes_AS_STRING(theirs), out.size)) {
            fail("encoding: other bytes than cbor2's");
        }
        PyObject *again = wfbs_cbor_decode(&codec, out.data, out.size);
        if (!again) {
            fail("what was encoded can't be decoded");
        }
        Py_DECREF(again);
    }
    wfbs_buffer_free(&out);
    Py_XDECREF(theirs);
    Py_XDECREF(their_error);
    Py_XDECREF(our_error);
}

/* Whether the current exception is one about numbers as keys. Leaves it set. */
static bool
is_about_collisions(void)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    PyObject *text = error ? PyObject_Str(error) : NULL;
    const bool is = text
                    && (!PyUnicode_CompareWithASCIIString(text, "CBOR: " WFBS_PROBES_COLLIDE)
                        || !PyUnicode_CompareWithASCIIString(text, "CBOR: " WFBS_PROBES_MIXED));
    Py_XDECREF(text);
    PyErr_Restore(type, error, traceback);
    return is;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LONGEST) {
        return 0;
    }
    if (!loads) {
        start();
    }
    uint8_t *copy = malloc(
        size ? size : 1); /* exactly its size, so that a sanitizer detects a read past its end */
    const size_t tags = wfbs_cbor_skip_tag(data, size);
    PyObject *bytes =
        PyBytes_FromStringAndSize((const char *)data + tags, (Py_ssize_t)(size - tags));
    if (!copy || !bytes) {
        fail("no memory");
    }
    if (size) {
        memcpy(copy, data, size);
    }
    PyObject *ours = wfbs_cbor_decode(&codec, copy, size);
    int kept_away = wfbs_cbor_check_input(copy + tags, size - tags) < 0;
    free(copy);
    if (kept_away) {
        /* A map with numbers as keys that come again and again is decoded without cbor2, and only
         * the check before cbor2 counts each of them. */
        if (ours && !is_about_collisions()) {
            fail("kept from cbor2, but decoded anyway");
        }
        PyErr_Clear();
        Py_XDECREF(ours);
        Py_DECREF(bytes);
        return 0;
    }
    if (!ours != !!PyErr_Occurred()) {
        fail("a result and an exception, or neither");
    }
    PyObject *our_error = ours ? NULL : take_error();
    if (our_error && PyErr_GivenExceptionMatches(our_error, decode_error)) {
        Py_DECREF(our_error); /* it comes from cbor2, so cbor2 need not be asked again */
        Py_DECREF(bytes);
        return 0;
    }
    PyObject *theirs = PyObject_CallOneArg(loads, bytes);
    PyObject *their_error = theirs ? NULL : take_error();
    if (our_error != their_error) {
        fail("decoding: one of the codecs refuses, or another exception comes");
    }
    if (ours && !same(ours, theirs, 1, 0)) {
        fail("decoding: another value than cbor2's");
    }
    if (our_error && !PyErr_GivenExceptionMatches(our_error, PyExc_Exception)) {
        fail("an exception that is none of the ordinary ones");
    }
    if (ours) {
        check_encoding(ours);
    }
    Py_XDECREF(ours);
    Py_XDECREF(theirs);
    Py_XDECREF(our_error);
    Py_XDECREF(their_error);
    Py_DECREF(bytes);
    return 0;
}
