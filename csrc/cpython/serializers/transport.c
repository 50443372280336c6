/* The base types of the two serializers: messages to bytes and back, and the
 * statistics of Autobahn's Serializer. The Python classes below them carry the
 * constants and all that is not on the hot path. */
#include "../module.h"
#include "../base/type_name.h"

#include <structmember.h>

/* ---- the object serializer */

typedef struct {
    PyObject_HEAD
    char ready;         /* it has been initialized, and never changes again */
    char batched;
    char dialect;       /* wfbs_dialect */
    unsigned char codec; /* of the payloads it writes; see payload.c */
    PyObject *codec_name; /* owned str if the codec is a custom one, else NULL */
    wfbs_limits limits;
} object_serializer;

PyDoc_STRVAR(object_serializer_doc,
"ObjectSerializer(batched=False, schema_dialect=False, codec=0, codec_name=None, limits=None)\n"
"--\n\n"
"Base of autobahn_fbs.FlatBuffersObjectSerializer: the part that is in C.");

static int
object_serializer_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"batched", "schema_dialect", "codec", "codec_name", "limits", NULL};
    int batched = 0, schema = 0;
    unsigned char codec = 0;
    PyObject *name = Py_None, *given = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|ppbOO:ObjectSerializer", names, &batched,
                                     &schema, &codec, &name, &given)) {
        return -1;
    }
    wfbs_limits limits = wfbs_default_limits;
    if (given != Py_None) { /* in the order of autobahn_fbs.limits.Limits, which has checked them */
        Py_ssize_t size, minimum, factor, tables;
        if (!PyArg_ParseTuple(given, "nnnn;limits", &size, &minimum, &factor, &tables)) {
            return -1;
        }
        limits = (wfbs_limits){(size_t)size, (size_t)minimum, (size_t)factor, (size_t)tables};
    }
    if ((codec == WFBS_CODEC_NAMED) != PyUnicode_CheckExact(name)) {
        PyErr_SetString(PyExc_ValueError, "codec_name goes with the custom codec, and only with it");
        return -1;
    }
    object_serializer *s = (object_serializer *)self;
    bool again;
    Py_BEGIN_CRITICAL_SECTION(self);
    again = s->ready;
    if (!again) {
        s->codec_name = codec == WFBS_CODEC_NAMED ? Py_NewRef(name) : NULL;
        s->batched = (char)batched;
        s->dialect = schema ? WFBS_DIALECT_SCHEMA : WFBS_DIALECT_AUTOBAHN;
        s->codec = codec;
        s->limits = limits;
        s->ready = 1;
    }
    Py_END_CRITICAL_SECTION();
    if (again) {
        /* A codec, or another thread, may be at work with what it is now. */
        PyErr_SetString(PyExc_TypeError, "an object serializer can't be initialized again");
        return -1;
    }
    return 0;
}

static void
object_serializer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((object_serializer *)self)->codec_name);
    type->tp_free(self);
    Py_DECREF(type);
}

/* A raw WAMP list becomes a message first, as with the other object serializers
 * it would after a round trip. New reference or NULL. */
static PyObject *
parse_raw(wfbs_state *state, PyObject *list)
{
    return wfbs_call_helper(state, "parse", list, NULL, NULL);
}

/* The bytes of a received message that still says what they say, framed as
 * asked. New reference. */
static PyObject *
pass_on(const wfbs_received *r, bool batched)
{
    const uint8_t *buffer = (const uint8_t *)PyBytes_AS_STRING(r->buffer);
    size_t whole = (size_t)PyBytes_GET_SIZE(r->buffer);
    size_t header = batched ? 4 : 0;
    if (r->data == buffer + header && whole == header + r->size) {
        return Py_NewRef(r->buffer);
    }
    PyObject *result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(header + r->size));
    if (result) {
        uint8_t *p = (uint8_t *)PyBytes_AS_STRING(result);
        if (batched) {
            wfbs_store_length(p, r->size);
        }
        memcpy(p + header, r->data, r->size);
    }
    return result;
}

/* The cache of serializations of a message that is not ours: new reference, NULL without an
 * exception if it has none. */
static PyObject *
cache_of(const wfbs_class *c, PyObject *message)
{
#ifdef Py_GIL_DISABLED /* other threads may be replacing it */
    PyObject *cache = PyObject_GetAttr(message, c->state->str_serialized);
    if (!cache) {
        PyErr_Clear();
    }
#else
    PyObject *cache = Py_XNewRef(*wfbs_slot_of(message, c->serialized));
#endif
    if (cache && !PyDict_CheckExact(cache)) {
        Py_CLEAR(cache);
    }
    return cache;
}

/* What is under `key` in a dict that other threads may be changing: new reference; NULL if there
 * is nothing, or with an exception. */
static PyObject *
look_up(PyObject *dict, PyObject *key)
{
#if PY_VERSION_HEX >= 0x030d0000
    PyObject *value;
    return PyDict_GetItemRef(dict, key, &value) > 0 ? value : NULL;
#else
    return Py_XNewRef(PyDict_GetItemWithError(dict, key));
#endif
}

PyObject *
wfbs_serialize(wfbs_state *state, PyObject *serializer, PyObject *message)
{
    const object_serializer *s = (const object_serializer *)serializer;
    wfbs_codec codec = {s->codec, s->codec_name};
    wfbs_class *c = wfbs_class_find(state, Py_TYPE(message));
    if (!c) {
        if (!PyList_Check(message)) {
            PyErr_Format(PyExc_TypeError, "expected a WAMP message or a raw WAMP list, got %s",
                         wfbs_type_name(Py_TYPE(message)));
            return NULL;
        }
        PyObject *parsed = parse_raw(state, message);
        PyObject *bytes = parsed ? wfbs_serialize(state, serializer, parsed) : NULL;
        Py_XDECREF(parsed);
        return bytes;
    }
    if (Py_TYPE(message) == c->received) {
        const wfbs_received *r = wfbs_received_of(c, message);
        if (r->buffer && r->dialect == (uint8_t)s->dialect) {
            int unchanged = wfbs_received_unchanged(c, message);
            if (unchanged) {
                if (unchanged < 0) {
                    return NULL;
                }
                wfbs_count_add(&state->counters, WFBS_COUNT_PASS_ONS, 1);
                return pass_on(r, s->batched);
            }
        }
        /* Changed: encoded anew every time, since a list of it may change again. */
        PyObject *anew = wfbs_encode_message(c, message, (wfbs_dialect)s->dialect, s->batched, codec);
        wfbs_count_add(&state->counters, WFBS_COUNT_ENCODED, anew != NULL);
        return anew;
    }
    PyObject *cache = cache_of(c, message);
    if (cache && PyDict_GET_SIZE(cache)) {
        PyObject *bytes = look_up(cache, serializer);
        if (bytes && !PyBytes_CheckExact(bytes)) {
            Py_CLEAR(bytes); /* nothing of ours: it is replaced */
        }
        if (bytes || PyErr_Occurred()) {
            wfbs_count_add(&state->counters, WFBS_COUNT_CACHE_HITS, bytes != NULL);
            Py_DECREF(cache);
            return bytes;
        }
    }
    PyObject *bytes = wfbs_encode_message(c, message, (wfbs_dialect)s->dialect, s->batched, codec);
    wfbs_count_add(&state->counters, WFBS_COUNT_ENCODED, bytes != NULL);
    if (bytes && cache && PyDict_SetItem(cache, serializer, bytes) < 0) {
        Py_CLEAR(bytes);
    }
    Py_XDECREF(cache);
    return bytes;
}

PyDoc_STRVAR(serialize_doc, "serialize($self, obj, /)\n--\n\n"
"The bytes of a WAMP message (or of a raw WAMP list).\n\n"
"They are kept in the message's cache. A received message that nobody changed gives\n"
"the very bytes it came in.\n\n"
":param obj: a message of ``autobahn.wamp.message``, or a list such as\n"
"    ``[17, 1, 2]`` as WAMP has it.\n"
":raises TypeError: if a value, or the object itself, is of a type that can't be sent;\n"
"    the text names the attribute.\n"
":raises ValueError: if a value is out of range, or its payload codec refuses it.\n"
":raises autobahn.wamp.exception.ProtocolError: for a list that is no WAMP message.");

static PyObject *
object_serializer_serialize(PyObject *self, PyObject *message)
{
    wfbs_state *state = wfbs_state_by_type(Py_TYPE(self));
    return state ? wfbs_serialize(state, self, message) : NULL;
}

PyDoc_STRVAR(serialize_payload_doc, "serialize_payload($self, data, /)\n--\n\n"
"The bytes of args or kwargs in this serializer's payload codec.\n\n"
":raises Exception: what the codec raises for a value that it can't encode.");

static PyObject *
object_serializer_serialize_payload(PyObject *self, PyObject *data)
{
    const object_serializer *s = (const object_serializer *)self;
    wfbs_state *state = wfbs_state_by_type(Py_TYPE(self));
    wfbs_buffer out = {0};
    PyObject *bytes = NULL;
    if (state && wfbs_payload_encode(state, (wfbs_codec){s->codec, s->codec_name}, data, &out) == 0) {
        bytes = PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.size);
    }
    wfbs_buffer_free(&out);
    return bytes;
}

/* ---- reading */

/* Counts args and kwargs of a verified message whose table is at `table`. Cannot fail. */
static inline void
count_payloads(const wfbs_class *c, const uint8_t *data, uint32_t table)
{
    unsigned args = c->table->slot_of[WFBS_AS_ARGS], kwargs = c->table->slot_of[WFBS_AS_KWARGS];
    if (args != WFBS_NO_SLOT) {
        unsigned payloads = (unsigned)(wfbs_slot_position(data, table, args) != 0)
                            + (unsigned)(wfbs_slot_position(data, table, kwargs) != 0);
        wfbs_count_add(&c->state->counters, WFBS_COUNT_PAYLOADS, payloads);
    }
}

/* Verifies one message and wraps it. New reference or NULL with ProtocolError. */
static PyObject *
unserialize_one(wfbs_state *state, const object_serializer *s, const wfbs_input *in, const uint8_t *data,
                size_t size)
{
    wfbs_envelope envelope;
    wfbs_error error;
    wfbs_dialect dialect = (wfbs_dialect)s->dialect;
    if (!wfbs_verify(data, size, dialect, &s->limits, &envelope, &error)) {
        wfbs_count_refused(&state->counters, error.code);
        return wfbs_raise_verify(state, &error);
    }
    const wfbs_class *c = &state->classes[envelope.message];
    PyObject *message = wfbs_received_new(&state->classes[envelope.message], in->buffer, data, size,
                                          &envelope, dialect);
    if (message) {
        count_payloads(c, data, envelope.table);
    }
    else if (PyErr_ExceptionMatches(state->protocol_error)) {
        wfbs_count_refused(&state->counters, WFBS_REFUSED_METADATA);
    }
    return message;
}

/* All messages of a batch: each after its length, 32 bits, big-endian. */
static PyObject *
unserialize_batch(wfbs_state *state, const object_serializer *s, const wfbs_input *in)
{
    PyObject *list = PyList_New(0);
    size_t at = 0; /* always <= size, so the differences below can't wrap */
    while (list && at < in->size) {
        const uint8_t *p = in->data + at;
        size_t size = 0;
        if (in->size - at >= 4) {
            size = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
        }
        if (!size || size > in->size - at - 4) {
            wfbs_count_refused(&state->counters, WFBS_REFUSED_BATCH);
            wfbs_raise_protocol(state, "batch: %s at offset %zu",
                                in->size - at < 4 ? "trailing bytes"
                                : size            ? "message length runs past the frame"
                                                  : "message of no bytes",
                                at);
            Py_CLEAR(list);
            break;
        }
        PyObject *message = unserialize_one(state, s, in, p + 4, size);
        if (!message || PyList_Append(list, message) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(message);
        at += 4 + size;
    }
    return list;
}

/* The messages in `payload`; *size gets its length. New list or NULL. */
static PyObject *
unserialize(wfbs_state *state, const object_serializer *s, PyObject *payload, size_t *size)
{
    wfbs_input in;
    if (wfbs_input_open(payload, PyBUF_FULL_RO, &in) < 0) {
        return NULL;
    }
    *size = in.size;
    PyObject *list = NULL;
    if (s->batched) {
        list = unserialize_batch(state, s, &in);
    }
    else {
        PyObject *message = unserialize_one(state, s, &in, in.data, in.size);
        list = message ? PyList_New(1) : NULL;
        if (list) {
            PyList_SET_ITEM(list, 0, message);
        }
        else {
            Py_XDECREF(message);
        }
    }
    Py_DECREF(in.buffer);
    return list;
}

PyDoc_STRVAR(unserialize_doc, "unserialize($self, payload, /)\n--\n\n"
"The messages in a bytes-like object, as a list: one, or all of a batch.\n\n"
"Every message is verified as a whole; its attributes are decoded when they are\n"
"read. ``bytes`` are shared with the messages, anything else is copied once.\n\n"
":param payload: one message, or with ``batched=True`` any number of them.\n"
":raises autobahn.wamp.exception.ProtocolError: if anything is wrong with any of them;\n"
"    the text names message, field and offset.\n"
":raises TypeError: if it is not bytes-like.");

static PyObject *
object_serializer_unserialize(PyObject *self, PyObject *payload)
{
    wfbs_state *state = wfbs_state_by_type(Py_TYPE(self));
    size_t size;
    return state ? unserialize(state, (object_serializer *)self, payload, &size) : NULL;
}

static PyMethodDef object_serializer_methods[] = {
    {"serialize", object_serializer_serialize, METH_O, serialize_doc},
    {"serialize_payload", object_serializer_serialize_payload, METH_O, serialize_payload_doc},
    {"unserialize", object_serializer_unserialize, METH_O, unserialize_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef object_serializer_members[] = {
    {"_batched", T_BOOL, offsetof(object_serializer, batched), READONLY, NULL},
    {"_schema_dialect", T_BOOL, offsetof(object_serializer, dialect), READONLY, NULL},
    {"_codec", T_UBYTE, offsetof(object_serializer, codec), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot object_serializer_slots[] = {
    {Py_tp_doc, (void *)object_serializer_doc},
    {Py_tp_init, object_serializer_init},
    {Py_tp_dealloc, object_serializer_dealloc},
    {Py_tp_methods, object_serializer_methods},
    {Py_tp_members, object_serializer_members},
    {0, NULL},
};

PyType_Spec wfbs_object_serializer_spec = {
    .name = "autobahn_fbs._cpython.ObjectSerializer",
    .basicsize = sizeof(object_serializer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = object_serializer_slots,
};

/* ---- the transport serializer */

typedef struct {
    long long bytes, messages, rated;
} counters;

typedef struct {
    PyObject_HEAD
    wfbs_state *state;             /* borrowed from the type's module; set with the serializer */
    PyObject *serializer;          /* owned: an object serializer */
    PyObject *autoreset_callback;  /* owned */
    PyObject *autoreset_rated_messages;
    PyObject *autoreset_duration;
    counters serialized, unserialized;
    long long rated_size;          /* RATED_MESSAGE_SIZE of the class */
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

/* The object serializer behind `t`: new reference, since Python code that runs meanwhile, or
 * another thread, can replace it. NULL with an exception; *state gets the module's. */
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

/* Takes an object serializer of ours and nothing else, so that no call has to look. */
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

/* Counts messages of `size` bytes together, and lets Autobahn's bookkeeping reset the statistics
 * if it is due. Rated messages are the size in units of RATED_MESSAGE_SIZE, rounded up. 0 or -1. */
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

PyDoc_STRVAR(transport_serialize_doc, "serialize($self, msg, /)\n--\n\n"
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

PyDoc_STRVAR(transport_unserialize_doc, "unserialize($self, payload, isBinary=None)\n--\n\n"
"The messages in a bytes-like object (``ISerializer``).\n\n"
":param isBinary: whether the transport says that the payload is binary; None if it\n"
"    doesn't say.\n"
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
            PyErr_Format(PyExc_TypeError, "unserialize() got an unexpected keyword argument %R", name);
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
    PyObject *list = unserialize(state, (object_serializer *)serializer, payload, &size);
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

#define WFBS_COUNTER(name, member)              \
    {name, counter_get, counter_set, NULL,      \
     (void *)offsetof(transport_serializer, member)}
#define WFBS_OBJECT(name, member) \
    {name, T_OBJECT, offsetof(transport_serializer, member), 0, NULL}

/* Named as the attributes of Autobahn's Serializer, whose methods use them. */
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
    {Py_tp_doc, (void *)transport_serializer_doc},
    {Py_tp_dealloc, transport_serializer_dealloc},
    {Py_tp_traverse, transport_serializer_traverse},
    {Py_tp_clear, transport_serializer_clear},
    {Py_tp_methods, transport_serializer_methods},
    {Py_tp_members, transport_serializer_members},
    {Py_tp_getset, transport_serializer_getset},
    {0, NULL},
};

PyType_Spec wfbs_transport_serializer_spec = {
    .name = "autobahn_fbs._cpython.TransportSerializer",
    .basicsize = sizeof(transport_serializer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = transport_serializer_slots,
};
