/* TypedCatalog: codecs by table name, and the hot calls of typed.Catalog. */
#include "typed.h"

#include <stddef.h>
#include <structmember.h>

#include "../base/dict.h"
#include "../base/type_name.h"

typedef struct {
    PyObject_HEAD
    PyObject *codecs;  /* owned dict: name -> codec */
    wfbs_typed *typed; /* of the module, which the type keeps alive */
} catalog_object;

/* The codec for a name: from the dict, or from the method _codec. New reference or NULL. */
static PyObject *
catalog_find(PyObject *self, PyObject *name)
{
    const wfbs_typed *t = ((catalog_object *)self)->typed;
    PyObject *codecs, *codec = NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    codecs = Py_XNewRef(((catalog_object *)self)->codecs);
    Py_END_CRITICAL_SECTION();
    if (codecs && PyDict_CheckExact(codecs)) {
        codec = wfbs_dict_find(codecs, name);
    }
    Py_XDECREF(codecs);
    if (!codec && PyErr_Occurred()) {
        return NULL;
    }
    if (!codec) {
        codec = PyObject_CallMethodOneArg(self, t->str_codec, name);
    }
    if (codec && Py_TYPE(codec) != t->codec_type) {
        PyErr_Format(PyExc_TypeError, "_codec() returned %.100s", wfbs_type_name(Py_TYPE(codec)));
        Py_CLEAR(codec);
    }
    return codec;
}

typedef PyObject *(*call)(PyObject *codec, PyObject *const *args, Py_ssize_t count,
                          PyObject *names);

static PyObject *
catalog_call(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names, call method)
{
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "name of a table expected");
        return NULL;
    }
    PyObject *codec = catalog_find(self, args[0]);
    PyObject *result = codec ? method(codec, args + 1, count - 1, names) : NULL;
    Py_XDECREF(codec);
    return result;
}

static PyObject *
catalog_encode(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    return catalog_call(self, args, count, names, wfbs_codec_encode);
}

static PyObject *
catalog_decode(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    return catalog_call(self, args, count, names, wfbs_codec_decode);
}

static PyObject *
catalog_verify(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    return catalog_call(self, args, count, names, wfbs_codec_verify);
}

static PyObject *
catalog_lazy(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    return catalog_call(self, args, count, names, wfbs_codec_lazy);
}

static PyObject *
catalog_get(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    PyObject *codec = count ? catalog_find(self, args[0]) : NULL;
    if (!codec) {
        if (!count) {
            PyErr_SetString(PyExc_TypeError, "name of a table expected");
        }
        return NULL;
    }
    PyObject *result = wfbs_codec_get(codec, args + 1, count - 1);
    Py_DECREF(codec);
    return result;
}

static PyObject *
catalog_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    catalog_object *c = (catalog_object *)type->tp_alloc(type, 0);
    if (c && (!(c->typed = wfbs_typed_of(type)) || !(c->codecs = PyDict_New()))) {
        Py_CLEAR(c);
    }
    return (PyObject *)c;
}

static int
catalog_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((catalog_object *)self)->codecs);
    return 0;
}

static int
catalog_clear(PyObject *self)
{
    Py_CLEAR(((catalog_object *)self)->codecs);
    return 0;
}

static void
catalog_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    catalog_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(
    encode_doc,
    "encode($self, name, value, /, *, identifier=None, keep_kwargs=False, sort_keys=False, "
    "strict=False)\n--\n\n"
    "Encodes a table.\n"
    "\n"
    ":param name: the qualified name of the table.\n"
    ":param value: an instance of the table's class, or a mapping by field name.\n"
    ":param identifier: four bytes for the buffer, or None.\n"
    ":param keep_kwargs: whether to write fields with ``kwarg`` that equal their defaults.\n"
    ":param sort_keys: whether to sort vectors of tables that have a ``key``.\n"
    ":param strict: whether to refuse unknown enum values in bytes of nested buffers.\n"
    ":raises autobahn.wamp.exception.InvalidPayload: the value doesn't match the table; the text\n"
    "    has the path to the error.\n"
    ":raises KeyError: there is no such table.");

PyDoc_STRVAR(
    decode_doc,
    "decode($self, name, data, /, *, form=0, strict=False, identifier=None)\n--\n\n"
    "Verifies a buffer and decodes its table.\n"
    "\n"
    ":param form: 0 for an instance, 1 for a dict of the fields that are present, 2 for a dict\n"
    "    with defaults, 3 like 1 but with values as in instances.\n"
    ":param strict: whether to refuse enum values and union types that the schema doesn't have.\n"
    ":param identifier: four bytes that the buffer must have, or None.\n"
    ":raises autobahn.wamp.exception.InvalidPayload: the buffer is invalid; the text has the path\n"
    "    and the offset of the error.\n"
    ":raises KeyError: there is no such table.");

PyDoc_STRVAR(verify_doc, "verify($self, name, data, /, *, strict=False, identifier=None)\n--\n\n"
                         "Verifies a buffer, like :meth:`decode`, without creating objects.");

PyDoc_STRVAR(
    get_doc,
    "get($self, name, data, path, /)\n--\n\n"
    "One value of a buffer; None if it is absent. Verifies only the value and the path to it.\n"
    "\n"
    ":param path: for example ``\"header.seq\"`` or ``\"points[3].x\"``.\n"
    ":raises autobahn.wamp.exception.InvalidPayload: the bytes on the path are invalid.\n"
    ":raises KeyError: there is no such table or field; the text suggests a similar one.\n"
    ":raises IndexError: there is no such element.");

PyDoc_STRVAR(
    lazy_doc,
    "lazy($self, name, data, /)\n--\n\n"
    "Verifies a buffer and returns its table, which has an attribute for each field, read on\n"
    "access. Vectors of numbers are views of the buffer.\n"
    "\n"
    ":raises autobahn.wamp.exception.InvalidPayload: the buffer is invalid.\n"
    ":raises KeyError: there is no such table.");

static PyMethodDef catalog_methods[] = {
    {"encode", FAST(catalog_encode), encode_doc},
    {"decode", FAST(catalog_decode), decode_doc},
    {"verify", FAST(catalog_verify), verify_doc},
    {"lazy", FAST(catalog_lazy), lazy_doc},
    {"get", (PyCFunction)(void (*)(void))catalog_get, METH_FASTCALL, get_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef catalog_members[] = {
    {"_codecs", T_OBJECT, offsetof(catalog_object, codecs), 0, "Codecs by name."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot catalog_slots[] = {
    {Py_tp_doc, "Base of autobahn_fbs.typed.Catalog: the part that is in C."},
    {Py_tp_new, catalog_new},
    {Py_tp_dealloc, catalog_dealloc},
    {Py_tp_traverse, catalog_traverse},
    {Py_tp_clear, catalog_clear},
    {Py_tp_methods, catalog_methods},
    {Py_tp_members, catalog_members},
    {0, NULL},
};

PyType_Spec wfbs_typed_catalog_spec = {
    .name = "autobahn_fbs._cpython.TypedCatalog",
    .basicsize = sizeof(catalog_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = catalog_slots,
};
