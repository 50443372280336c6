/* Fuzz target: FlexBuffers, compares the core's reader with the codec in an embedded interpreter.
 *
 * The core checks the input and the codec decodes it. They must agree, except about duplicate keys
 * that aren't neighbours, which take memory to find. A decoded value must be found again by lazy
 * access, part by part. It must be encoded, in both forms, to bytes that the core accepts and that
 * decode to the same value; encoding that value must give the same bytes. All bytes are in heap
 * blocks of exactly their size. */
#include "embedded.h"

#include "../csrc/cpython/codecs/flex.h"
#include "../csrc/core/flex_tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Within the reader's own memory: more keys would need memory, which the core can't allocate. */
enum { LONGEST = 8192 };
/* Steps of lazy access into refused bytes: each is bounded, but not all of them together. */
enum { LAZY_STEPS = 50 };

static wfbs_flex codec;
static PyObject *module;

static void
start(void)
{
    Py_InitializeEx(0);
    module = PyModule_New("fuzz");
    if (!module || wfbs_flex_init(&codec, module) < 0) {
        fail("the codec can't be made");
    }
}

/* The core's verdict. */
static wfbs_flex_reader
judge(const uint8_t *data, size_t size)
{
    wfbs_flex_reader reader;
    wfbs_flex_open(&reader, data, size);
    const bool good = wfbs_flex_verify(&reader);
    if (good != (reader.error == WFBS_FLEX_ERROR_OK) || reader.error_at > size) {
        fail("a verdict that is none");
    }
    return reader;
}

/* Checks that a lazy value (borrowed) equals, part by part, the value that was decoded at once. */
static void
check_lazy(PyObject *lazy, PyObject *value)
{
    if (Py_TYPE(lazy) != codec.lazy_type) {
        if (!same(lazy, value, 1, 0)) {
            fail("lazy: another value");
        }
        return;
    }
    const Py_ssize_t size = PyObject_Size(lazy);
    if (PyObject_Size(value) != size) {
        fail("lazy: another size");
    }
    if (PyList_CheckExact(value)) {
        for (Py_ssize_t i = 0; i < size; i++) {
            PyObject *item = PySequence_GetItem(lazy, i);
            if (!item) {
                fail("lazy: an item is refused");
            }
            check_lazy(item, PyList_GET_ITEM(value, i));
            Py_DECREF(item);
        }
        return;
    }
    PyObject *key, *expected;
    Py_ssize_t at = 0;
    while (PyDict_Next(value, &at, &key, &expected)) {
        PyObject *item = PyObject_GetItem(lazy, key);
        if (!item) {
            fail("lazy: a key is not found");
        }
        check_lazy(item, expected);
        Py_DECREF(item);
    }
}

/* Walks through a lazy value of refused bytes. Uses up *steps. */
static void
try_lazy(PyObject *lazy, int *steps)
{
    if (Py_TYPE(lazy) != codec.lazy_type) {
        return;
    }
    PyObject *keys = PyObject_CallMethod(lazy, "keys", NULL);
    if (!keys) {
        PyErr_Clear(); /* a vector's, or refused */
    }
    const Py_ssize_t size = keys ? PyList_GET_SIZE(keys) : PyObject_Size(lazy);
    for (Py_ssize_t i = 0; i < size && *steps > 0; i++) {
        --*steps;
        PyObject *item =
            keys ? PyObject_GetItem(lazy, PyList_GET_ITEM(keys, i)) : PySequence_GetItem(lazy, i);
        if (item) {
            try_lazy(item, steps);
            Py_DECREF(item);
        }
        else {
            PyErr_Clear();
        }
    }
    Py_XDECREF(keys);
}

/* Checks that `value` can be encoded, and that the result decodes to `value`. */
static void
check_encoding(PyObject *value, bool compact)
{
    wfbs_buffer out = {0}, again = {0};
    if (wfbs_flex_encode_as(&codec, &out, value, compact) < 0) {
        fail("what was decoded can't be encoded");
    }
    uint8_t *copy = malloc(out.size);
    if (!copy) {
        fail("no memory");
    }
    memcpy(copy, out.data, out.size);
    if (out.size <= LONGEST && judge(copy, out.size).error != WFBS_FLEX_ERROR_OK) {
        fail("the core refuses what was encoded");
    }
    PyObject *decoded = wfbs_flex_decode(&codec, copy, out.size);
    if (!decoded || !same(value, decoded, 0, 0)) {
        fail("what was encoded is another value");
    }
    if (wfbs_flex_encode_as(&codec, &again, decoded, compact) < 0 || again.size != out.size
        || memcmp(again.data, copy, out.size)) {
        fail("encoding again gives other bytes");
    }
    free(copy);
    Py_DECREF(decoded);
    wfbs_buffer_free(&out);
    wfbs_buffer_free(&again);
}

/* Checks that decoding agrees with the core's verdict. */
static void
check_verdict(PyObject *value, const wfbs_flex_reader *core, const wfbs_flex_reader *codecs)
{
    if (!value != !!PyErr_Occurred() || !value != (codecs->error != WFBS_FLEX_ERROR_OK)) {
        fail("a result and an error, or neither");
    }
    const bool twice =
        core->error == WFBS_FLEX_ERROR_DUPLICATE || codecs->error == WFBS_FLEX_ERROR_DUPLICATE;
    if (value && core->error != WFBS_FLEX_ERROR_OK) {
        fail("the codec accepts what the core refuses");
    }
    if (!twice && (core->error != codecs->error || core->error_at != codecs->error_at)) {
        fail("the codec refuses what the core accepts, or for another reason");
    }
    if (!value && !PyErr_ExceptionMatches(codec.error)) {
        fail("not a FlexBuffersError");
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LONGEST) {
        return 0;
    }
    if (!module) {
        start();
    }
    uint8_t *copy = malloc(
        size ? size : 1); /* exactly its size, so that a sanitizer detects a read past its end */
    if (!copy) {
        fail("no memory");
    }
    if (size) {
        memcpy(copy, data, size);
    }
    const wfbs_flex_reader core = judge(copy, size);

    wfbs_flex_decoder decoder;
    wfbs_flex_ref root;
    wfbs_flex_decoder_open(&decoder, &codec, copy, size);
    PyObject *value = wfbs_flex_root(&decoder.reader, &root)
                          ? wfbs_flex_decode_ref(&decoder, &root)
                          : wfbs_flex_raise(&codec, &decoder.reader);
    check_verdict(value, &core, &decoder.reader);
    wfbs_flex_decoder_close(&decoder);
    PyErr_Clear();

    PyObject *view = PyMemoryView_FromMemory((char *)copy, (Py_ssize_t)size, PyBUF_READ);
    PyObject *lazy = view ? wfbs_flex_lazy_root(&codec, view) : NULL;
    if (value) {
        if (!lazy) {
            fail("lazy: refused");
        }
        check_lazy(lazy, value);
        check_encoding(value, false);
        check_encoding(value, true);
    }
    else if (lazy) {
        int steps = LAZY_STEPS;
        try_lazy(lazy, &steps);
    }
    PyErr_Clear();
    Py_XDECREF(lazy);
    Py_XDECREF(view);
    Py_XDECREF(value);
    free(copy);
    return 0;
}
