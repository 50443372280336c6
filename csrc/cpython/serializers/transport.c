/* The base type of the transport serializers: the hot path, and the statistics of Autobahn's
 * Serializer. The Python subclass has the constants and everything outside the hot path. */
#include "transport.h"

#include <structmember.h>

#include "object.h"

typedef struct {
    long long bytes, messages, rated;
} counters;

typedef struct {
    PyObject_HEAD
    wfbs_state *state;            /* borrowed from the type's module; set with the serializer */
    PyObject *serializer;         /* owned: an object serializer */
    PyObject *autoreset_callback; /* owned */
    PyObject *autoreset_rated_messages;
    PyObject *autoreset_duration;
    counters serialized, unserialized;
    long long rated_size; /* RATED_MESSAGE_SIZE of the class */
} transport_serializer;

PyDoc_STRVAR(transport_serializer_doc, "Base of autobahn_fbs.FlatBuffersSerializer: the hot path "
                                       "and the counters that Autobahn's stats() reads.");

static int
transport_serializer_traverse(PyObject *self, visitproc visit, void *arg)
{
    transport_serializer *t = (transport_serializer *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(t->serializer);
    Py_VISIT(t->autoreset_callback);
    Py_VISIT(t->autoreset_rated_messages);
    Py_VISIT(t->autoreset_duration);
    return 0;
}

static int
transport_serializer_clear(PyObject *self)
{
    transport_serializer *t = (transport_serializer *)self;
    Py_CLEAR(t->serializer);
    Py_CLEAR(t->autoreset_callback);
    Py_CLEAR(t->autoreset_rated_messages);
    Py_CLEAR(t->autoreset_duration);
    return 0;
}

static void
transport_serializer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    transport_serializer_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The object serializer of `t`: a new reference, because Python code that runs meanwhile, or
 * another thread, can replace it. NULL with an exception; sets *state to the module's. */
static PyObject *
transport_open(transport_serializer *t, wfbs_state **state)
{
    PyObject *serializer;
    Py_BEGIN_CRITICAL_SECTION(t);
    serializer = Py_XNewRef(t->serializer);
    *state = t->state;
    Py_END_CRITICAL_SECTION();
    if (!serializer) {
        PyErr_SetString(PyExc_AttributeError, "_serializer is not set");
    }
    else if (!wfbs_state_alive(*state)) {
        Py_CLEAR(serializer);
    }
    return serializer;
}

static PyObject *
transport_get_serializer(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *serializer;
    Py_BEGIN_CRITICAL_SECTION(self);
    serializer = Py_XNewRef(((transport_serializer *)self)->serializer);
    Py_END_CRITICAL_SECTION();
    return serializer ? serializer : Py_NewRef(Py_None);
}

/* Accepts only our object serializers, so that calls need not check. */
static int
transport_set_serializer(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    transport_serializer *t = (transport_serializer *)self;
    wfbs_state *state = wfbs_state_by_type(Py_TYPE(self));
    if (!state) {
        return -1;
    }
    if (!value || !PyObject_TypeCheck(value, state->object_serializer)) {
        PyErr_SetString(PyExc_TypeError, "_serializer is not an object serializer of autobahn_fbs");
        return -1;
    }
    PyObject *before;
    Py_BEGIN_CRITICAL_SECTION(self);
    before = t->serializer;
    t->serializer = Py_NewRef(value);
    t->state = state;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(before);
    return 0;
}

/* Counts messages of `size` bytes in total, and lets Autobahn's bookkeeping reset the statistics if
 * that is due. Rated messages are the size in units of RATED_MESSAGE_SIZE, rounded up. 0 or -1. */
static int
count_messages(transport_serializer *t, counters *c, size_t size, Py_ssize_t messages)
{
    PyObject *self = (PyObject *)t;
    bool resets;
    Py_BEGIN_CRITICAL_SECTION(self);
    long long unit = t->rated_size > 0 ? t->rated_size : 512;
    c->bytes += (long long)size;
    c->messages += messages;
    c->rated += (long long)size <= unit ? size > 0 : ((long long)size + unit - 1) / unit;
    resets = t->autoreset_callback && t->autoreset_callback != Py_None;
    Py_END_CRITICAL_SECTION();
    if (!resets) {
        return 0;
    }
    PyObject *name = PyUnicode_InternFromString("_maybe_autoreset");
    PyObject *done = name ? PyObject_CallMethodObjArgs(self, name, NULL) : NULL;
    Py_XDECREF(name);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

PyDoc_STRVAR(transport_serialize_doc,
             "serialize($self, msg, /)\n--\n\n"
             "The message's bytes, and True: they need a binary transport (``ISerializer``).\n\n"
             ":raises TypeError, ValueError: as ``FlatBuffersObjectSerializer.serialize`` does.");

static PyObject *
transport_serialize(PyObject *self, PyObject *message)
{
    transport_serializer *t = (transport_serializer *)self;
    wfbs_state *state;
    PyObject *serializer = transport_open(t, &state);
    if (!serializer) {
        return NULL;
    }
    PyObject *bytes = wfbs_serialize(state, serializer, message);
    Py_DECREF(serializer);
    if (!bytes) {
        return NULL;
    }
    size_t size = (size_t)PyBytes_GET_SIZE(bytes);
    PyObject *result = count_messages(t, &t->serialized, size, 1) < 0 ? NULL : PyTuple_New(2);
    if (!result) {
        Py_DECREF(bytes);
        return NULL;
    }
    PyTuple_SET_ITEM(result, 0, bytes);
    PyTuple_SET_ITEM(result, 1, Py_NewRef(Py_True));
    return result;
}

PyDoc_STRVAR(transport_unserialize_doc,
             "unserialize($self, payload, isBinary=None)\n--\n\n"
             "Decodes a bytes-like object to a list of messages (``ISerializer``).\n\n"
             ":param isBinary: whether the transport declares the payload as binary; None if it\n"
             "    doesn't declare that.\n"
             ":raises autobahn.wamp.exception.ProtocolError: as\n"
             "    ``FlatBuffersObjectSerializer.unserialize`` does, and if ``isBinary`` is false.");

static PyObject *
transport_unserialize(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    transport_serializer *t = (transport_serializer *)self;
    PyObject *payload = count > 0 ? args[0] : NULL;
    PyObject *binary = count > 1 ? args[1] : NULL;
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (!payload && !PyUnicode_CompareWithASCIIString(name, "payload")) {
            payload = args[count + i];
        }
        else if (!binary && !PyUnicode_CompareWithASCIIString(name, "isBinary")) {
            binary = args[count + i];
        }
        else {
            PyErr_Format(PyExc_TypeError, "unserialize() got an unexpected keyword argument %R",
                         name);
            return NULL;
        }
    }
    if (!payload || count > 2) {
        PyErr_SetString(PyExc_TypeError, "unserialize() takes payload and, optionally, isBinary");
        return NULL;
    }
    if (binary && binary != Py_None) {
        int yes = PyObject_IsTrue(binary);
        if (yes <= 0) {
            wfbs_state *state = yes ? NULL : wfbs_state_by_type(Py_TYPE(self));
            return state ? wfbs_raise_protocol(state, "invalid serialization of WAMP message "
                                                      "(binary False, but expected True)")
                         : NULL;
        }
    }
    wfbs_state *state;
    PyObject *serializer = transport_open(t, &state);
    if (!serializer) {
        return NULL;
    }
    size_t size;
    PyObject *list = wfbs_unserialize(state, (wfbs_object_serializer *)serializer, payload, &size);
    Py_DECREF(serializer);
    if (list && count_messages(t, &t->unserialized, size, PyList_GET_SIZE(list)) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static PyMethodDef transport_serializer_methods[] = {
    {"serialize", transport_serialize, METH_O, transport_serialize_doc},
    {"unserialize", (PyCFunction)(void (*)(void))transport_unserialize,
     METH_FASTCALL | METH_KEYWORDS, transport_unserialize_doc},
    {NULL, NULL, 0, NULL},
};

/* The counter at an offset, as an int. */
static PyObject *
counter_get(PyObject *self, void *offset)
{
    long long value;
    Py_BEGIN_CRITICAL_SECTION(self);
    value = *(long long *)((char *)self + (uintptr_t)offset);
    Py_END_CRITICAL_SECTION();
    return PyLong_FromLongLong(value);
}

static int
counter_set(PyObject *self, PyObject *value, void *offset)
{
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "can't delete a counter");
        return -1;
    }
    long long number = PyLong_AsLongLong(value);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(self);
    *(long long *)((char *)self + (uintptr_t)offset) = number;
    Py_END_CRITICAL_SECTION();
    return 0;
}

#define WFBS_COUNTER(name, member) \
    {name, counter_get, counter_set, NULL, (void *)offsetof(transport_serializer, member)}
#define WFBS_OBJECT(name, member) {name, T_OBJECT, offsetof(transport_serializer, member), 0, NULL}

/* The names are those of the attributes of Autobahn's Serializer, whose methods use them. */
static PyMemberDef transport_serializer_members[] = {
    WFBS_OBJECT("_autoreset_callback", autoreset_callback),
    WFBS_OBJECT("_autoreset_rated_messages", autoreset_rated_messages),
    WFBS_OBJECT("_autoreset_duration", autoreset_duration),
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef transport_serializer_getset[] = {
    WFBS_COUNTER("_serialized_bytes", serialized.bytes),
    WFBS_COUNTER("_serialized_messages", serialized.messages),
    WFBS_COUNTER("_serialized_rated_messages", serialized.rated),
    WFBS_COUNTER("_unserialized_bytes", unserialized.bytes),
    WFBS_COUNTER("_unserialized_messages", unserialized.messages),
    WFBS_COUNTER("_unserialized_rated_messages", unserialized.rated),
    WFBS_COUNTER("_rated_size", rated_size),
    {"_serializer", transport_get_serializer, transport_set_serializer, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot transport_serializer_slots[] = {
    {Py_tp_doc, (void *)transport_serializer_doc},   {Py_tp_dealloc, transport_serializer_dealloc},
    {Py_tp_traverse, transport_serializer_traverse}, {Py_tp_clear, transport_serializer_clear},
    {Py_tp_methods, transport_serializer_methods},   {Py_tp_members, transport_serializer_members},
    {Py_tp_getset, transport_serializer_getset},     {0, NULL},
};

PyType_Spec wfbs_transport_serializer_spec = {
    .name = "autobahn_fbs._cpython.TransportSerializer",
    .basicsize = sizeof(transport_serializer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = transport_serializer_slots,
};
