/* The type Masker: does the same as Autobahn's XorMaskerNvx, which uses cffi, without its three
 * objects per frame. */
#include "masker.h"

#include <string.h>

#define MASK_SIZE 4

typedef struct {
    PyObject ob_base;
    unsigned char mask[MASK_SIZE];
    size_t pointer; /* number of processed bytes */
} wfbs_masker;

/* Writes `size` bytes of `in`, masked, to `out`; `pointer` is the number of bytes before them. */
static void
mask_bytes(unsigned char *out, const unsigned char *in, size_t size, const unsigned char *mask,
           size_t pointer)
{
    unsigned char turned[8];
    uint64_t wide;
    for (size_t i = 0; i < sizeof turned; i++) {
        turned[i] = mask[(pointer + i) % MASK_SIZE];
    }
    memcpy(&wide, turned, sizeof wide);
    size_t i = 0;
    for (; size - i >= sizeof wide; i += sizeof wide) { /* i <= size, so no underflow */
        uint64_t word;
        memcpy(&word, in + i, sizeof word);
        word ^= wide;
        memcpy(out + i, &word, sizeof word);
    }
    for (; i < size; i++) {
        out[i] = in[i] ^ turned[i % sizeof turned];
    }
}

/* tp_new: Masker(mask, length=None). The length is a hint for compatibility with Autobahn's
 * maskers. AssertionError if `mask` doesn't have 4 bytes, as in Autobahn; TypeError if it isn't
 * bytes-like. */
static PyObject *
masker_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"mask", "length", NULL};
    Py_buffer mask;
    PyObject *length = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|O:Masker", names, &mask, &length)) {
        return NULL;
    }
    wfbs_masker *self = NULL;
    if (mask.len != MASK_SIZE) {
        PyErr_SetString(PyExc_AssertionError, "Mask must be exactly 4 bytes");
    }
    else if ((self = (wfbs_masker *)type->tp_alloc(type, 0))) {
        memcpy(self->mask, mask.buf, MASK_SIZE);
        self->pointer = 0;
    }
    PyBuffer_Release(&mask);
    return (PyObject *)self;
}

static void
masker_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* process(data) -> bytes. One thread at a time, like everything in a connection. */
static PyObject *
masker_process(PyObject *self_object, PyObject *data)
{
    wfbs_masker *self = (wfbs_masker *)self_object;
    Py_buffer in;
    if (PyObject_GetBuffer(data, &in, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *result = PyBytes_FromStringAndSize(NULL, in.len);
    if (result) {
        mask_bytes((unsigned char *)PyBytes_AS_STRING(result), in.buf, (size_t)in.len, self->mask,
                   self->pointer);
        self->pointer +=
            (size_t)in.len; /* may wrap around together with the mask: 4 divides 2**64 */
    }
    PyBuffer_Release(&in);
    return result;
}

static PyObject *
masker_pointer(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSize_t(((wfbs_masker *)self)->pointer);
}

static PyObject *
masker_reset(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    ((wfbs_masker *)self)->pointer = 0;
    Py_RETURN_NONE;
}

static PyMethodDef masker_methods[] = {
    {"process", masker_process, METH_O, "Masks or unmasks the next bytes of a frame."},
    {"pointer", masker_pointer, METH_NOARGS,
     "The number of bytes of the frame that have been processed."},
    {"reset", masker_reset, METH_NOARGS, "Starts a new frame with the same mask."},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(masker_doc, "Masks the payload of WebSocket frames, like Autobahn's maskers.");

static PyType_Slot masker_slots[] = {
    {Py_tp_doc, (void *)masker_doc},
    {Py_tp_new, masker_new},
    {Py_tp_dealloc, masker_dealloc},
    {Py_tp_methods, masker_methods},
    {0, NULL},
};

PyType_Spec wfbs_masker_spec = {
    .name = "autobahn_fbs._cpython.Masker",
    .basicsize = sizeof(wfbs_masker),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = masker_slots,
};
