/* Lazy: one vector or map of a FlexBuffer, whose values are decoded on demand.
 *
 * Each access checks the bytes that it reads on the path to the value, with its own budget, and
 * nothing else. The facts that a Lazy has about its container were checked when it was created.
 * Offsets inside are checked at each access. If bytes (of a bytearray) change between two accesses,
 * the result is other values or errors, and nothing worse. */
#include "flex.h"

#include "../base/type_name.h"

typedef struct {
    PyObject_HEAD
    PyObject *owner;  /* owned: a memoryview, which keeps the bytes alive and in place */
    wfbs_flex *codec; /* of the module, which the type keeps alive */
    const uint8_t *data;
    size_t size;
    wfbs_flex_ref ref; /* budget of this container */
    wfbs_flex_map map; /* its elements; `keys` for maps only */
} lazy_object;

static inline lazy_object *
lazy_of(PyObject *self)
{
    return (lazy_object *)self;
}

static inline bool
is_map(const lazy_object *self)
{
    return self->ref.type == WFBS_FLEX_MAP;
}

/* Decodes the target of `ref`: a container to a Lazy, anything else to its value. New reference, or
 * NULL with an exception set. */
static PyObject *
lazy_value(wfbs_flex_decoder *d, PyObject *owner, const wfbs_flex_ref *ref)
{
    const wfbs_flex_shape shape = wfbs_flex_shape_of(ref->type);
    wfbs_flex_map map = {0};

    if (shape == WFBS_FLEX_IS_SCALAR) {
        return wfbs_flex_decode_ref(d, ref);
    }
    if (shape == WFBS_FLEX_IS_MAP ? !wfbs_flex_map_of(&d->reader, ref, &map)
                                  : !wfbs_flex_vector_of(&d->reader, ref, &map.values)) {
        return wfbs_flex_raise(d->codec, &d->reader);
    }
    if (!d->codec->lazy_type) {
        PyErr_SetString(PyExc_RuntimeError,
                        "autobahn_fbs is being torn down, because the interpreter ends");
        return NULL;
    }
    lazy_object *lazy = PyObject_GC_New(lazy_object, d->codec->lazy_type);
    if (lazy) {
        lazy->owner = Py_NewRef(owner);
        lazy->codec = d->codec;
        lazy->data = d->reader.data;
        lazy->size = (size_t)d->reader.size;
        lazy->ref = *ref;
        lazy->map = map;
        PyObject_GC_Track((PyObject *)lazy);
    }
    return (PyObject *)lazy;
}

/* A view of the bytes of `data`. New reference or NULL. Without a GIL, bytes could change between a
 * check and the code that relies on it, so a writable buffer is copied there. */
static PyObject *
open_view(PyObject *data)
{
    PyObject *view = PyMemoryView_FromObject(data);
#ifdef Py_GIL_DISABLED
    if (view && !PyMemoryView_GET_BUFFER(view)->readonly
        && PyBuffer_IsContiguous(PyMemoryView_GET_BUFFER(view), 'C')) {
        PyObject *copy = PyBytes_FromObject(view);
        Py_SETREF(view, copy ? PyMemoryView_FromObject(copy) : NULL);
        Py_XDECREF(copy);
    }
#endif
    return view;
}

PyObject *
wfbs_flex_lazy_root(wfbs_flex *f, PyObject *data)
{
    wfbs_flex_decoder decoder;
    wfbs_flex_ref root;
    PyObject *owner = open_view(data), *value = NULL;

    if (!owner) {
        return NULL;
    }
    const Py_buffer *view = PyMemoryView_GET_BUFFER(owner);
    if (!PyBuffer_IsContiguous(view, 'C')) {
        PyErr_SetString(PyExc_BufferError, "the buffer of a FlexBuffer must be contiguous");
        Py_DECREF(owner);
        return NULL;
    }
    wfbs_flex_decoder_open(&decoder, f, view->buf, (size_t)view->len);
    if (wfbs_flex_root(&decoder.reader, &root)) {
        value = lazy_value(&decoder, owner, &root);
    }
    else {
        wfbs_flex_raise(f, &decoder.reader);
    }
    wfbs_flex_decoder_close(&decoder);
    Py_DECREF(owner);
    return value;
}

static int
lazy_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(lazy_of(self)->owner);
    return 0;
}

static void
lazy_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    Py_XDECREF(lazy_of(self)->owner);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

/* The element `i` < count. New reference or NULL. */
static PyObject *
lazy_element(lazy_object *self, uint64_t i)
{
    wfbs_flex_decoder decoder;

    wfbs_flex_decoder_open(&decoder, self->codec, self->data, self->size);
    const wfbs_flex_ref ref = wfbs_flex_item(&decoder.reader, &self->map.values, i);
    PyObject *value = lazy_value(&decoder, self->owner, &ref);
    wfbs_flex_decoder_close(&decoder);
    return value;
}

/* Finds a key. Returns 1 with *index set, 0 if there is none, or -1 with an exception set. */
static int
lazy_find(lazy_object *self, PyObject *key, uint64_t *index)
{
    wfbs_flex_decoder decoder;
    Py_ssize_t size;

    if (!PyUnicode_Check(key)) {
        return 0;
    }
    const char *text = PyUnicode_AsUTF8AndSize(key, &size);
    if (!text) { /* a surrogate, which no key contains */
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    if (memchr(text, 0, (size_t)size)) {
        return 0; /* nor does a key contain a zero byte */
    }
    wfbs_flex_decoder_open(&decoder, self->codec, self->data, self->size);
    const bool done =
        wfbs_flex_find(&decoder.reader, &self->map, (const uint8_t *)text, (size_t)size, index);
    wfbs_flex_decoder_close(&decoder);
    if (!done) {
        wfbs_flex_raise(self->codec, &decoder.reader);
        return -1;
    }
    return *index < self->map.keys.count;
}

static Py_ssize_t
lazy_length(PyObject *self)
{
    return (Py_ssize_t)lazy_of(self)->map.values.count; /* <= the size of the bytes */
}

/* The element at an index that counts from the beginning, for iteration. */
static PyObject *
lazy_item(PyObject *self, Py_ssize_t index)
{
    if (index < 0 || index >= lazy_length(self)) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    return lazy_element(lazy_of(self), (uint64_t)index);
}

static PyObject *
lazy_subscript(PyObject *self, PyObject *key)
{
    uint64_t found;

    if (is_map(lazy_of(self))) {
        const int status = lazy_find(lazy_of(self), key, &found);
        if (status == 0) {
            PyErr_SetObject(PyExc_KeyError, key);
        }
        return status > 0 ? lazy_element(lazy_of(self), found) : NULL;
    }
    if (!PyIndex_Check(key)) {
        PyErr_Format(PyExc_TypeError, "the index of a vector must be an int, not %.200s",
                     wfbs_type_name(Py_TYPE(key)));
        return NULL;
    }
    Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return lazy_item(self, index < 0 ? index + lazy_length(self) : index);
}

static PyObject *
lazy_keys(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    wfbs_flex_decoder decoder;
    lazy_object *lazy = lazy_of(self);

    if (!is_map(lazy)) {
        PyErr_SetString(PyExc_TypeError, "a vector has no keys");
        return NULL;
    }
    wfbs_flex_decoder_open(&decoder, lazy->codec, lazy->data, lazy->size);
    PyObject *keys = wfbs_flex_decode_keys(&decoder, &lazy->map);
    wfbs_flex_decoder_close(&decoder);
    return keys;
}

static PyObject *
lazy_iter(PyObject *self)
{
    if (!is_map(lazy_of(self))) {
        return PySeqIter_New(self);
    }
    PyObject *keys = lazy_keys(self, NULL);
    PyObject *iterator = keys ? PyObject_GetIter(keys) : NULL;
    Py_XDECREF(keys);
    return iterator;
}

static int
lazy_contains(PyObject *self, PyObject *value)
{
    uint64_t found;

    if (is_map(lazy_of(self))) {
        return lazy_find(lazy_of(self), value, &found);
    }
    for (Py_ssize_t i = 0; i < lazy_length(self); i++) {
        PyObject *item = lazy_item(self, i);
        const int same = item ? PyObject_RichCompareBool(item, value, Py_EQ) : -1;
        Py_XDECREF(item);
        if (same != 0) {
            return same;
        }
    }
    return 0;
}

static PyObject *
lazy_get(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    uint64_t found;

    if (count < 1 || count > 2) {
        PyErr_SetString(PyExc_TypeError, "get takes a key and a default");
        return NULL;
    }
    if (!is_map(lazy_of(self))) {
        PyErr_SetString(PyExc_TypeError, "a vector has no keys");
        return NULL;
    }
    const int status = lazy_find(lazy_of(self), args[0], &found);
    if (status == 0) {
        return Py_NewRef(count == 2 ? args[1] : Py_None);
    }
    return status > 0 ? lazy_element(lazy_of(self), found) : NULL;
}

static PyObject *
lazy_decode(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    wfbs_flex_decoder decoder;
    lazy_object *lazy = lazy_of(self);

    wfbs_flex_decoder_open(&decoder, lazy->codec, lazy->data, lazy->size);
    PyObject *value =
        wfbs_flex_decoder_grow(&decoder) == 0 ? wfbs_flex_decode_ref(&decoder, &lazy->ref) : NULL;
    wfbs_flex_decoder_close(&decoder);
    return value;
}

static PyObject *
lazy_is_map(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(is_map(lazy_of(self)));
}

static PyObject *
lazy_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<lazy FlexBuffers %s of %zd>",
                                is_map(lazy_of(self)) ? "map" : "vector", lazy_length(self));
}

static PyMethodDef lazy_methods[] = {
    {"keys", lazy_keys, METH_NOARGS,
     PyDoc_STR(
         "keys($self, /)\n--\n\nThe keys of a map, as a list of str; TypeError for a vector.")},
    {"get", (PyCFunction)(void (*)(void))lazy_get, METH_FASTCALL,
     PyDoc_STR("get($self, key, default=None, /)\n--\n\n"
               "The value for a key of a map, or the default; TypeError for a vector.")},
    {"value", lazy_decode, METH_NOARGS,
     PyDoc_STR("value($self, /)\n--\n\nThe whole container decoded: a list or a dict.")},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef lazy_getset[] = {
    {"is_map", lazy_is_map, NULL, PyDoc_STR("Whether it is a map; otherwise it is a vector."),
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(
    lazy_doc,
    "A vector or map in a FlexBuffer. Its values are checked and decoded on access.\n\n"
    "``lazy[index]`` and ``lazy[key]`` return another Lazy for a vector or map, and the value for\n"
    "anything else. ``len()``, iteration (over items, or over the keys of a map), ``in``, ``keys()``\n"
    "and ``get()`` work as for lists and dicts; ``value()`` decodes the whole. All of them raise\n"
    "FlexBuffersError if the bytes that they read are malformed.");

static PyType_Slot lazy_slots[] = {
    {Py_tp_doc, (void *)lazy_doc},     {Py_tp_dealloc, lazy_dealloc},
    {Py_tp_traverse, lazy_traverse},   {Py_tp_repr, lazy_repr},
    {Py_tp_iter, lazy_iter},           {Py_tp_methods, lazy_methods},
    {Py_tp_getset, lazy_getset},       {Py_mp_length, lazy_length},
    {Py_mp_subscript, lazy_subscript}, {Py_sq_item, lazy_item},
    {Py_sq_contains, lazy_contains},   {0, NULL},
};

PyType_Spec wfbs_flex_lazy_spec = {
    .name = "autobahn_fbs.flexbuffers.Lazy",
    .basicsize = sizeof(lazy_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
             | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lazy_slots,
};
