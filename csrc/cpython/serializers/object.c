/* The base type of the object serializers, which convert messages to bytes and back. The Python
 * subclass has the constants and everything outside the hot path. */
#include "object.h"

#include <structmember.h>

#include "../../core/frame.h"
#include "../base/dict.h"
#include "../base/input.h"
#include "../base/limits.h"
#include "../base/type_name.h"
#include "../messages/encode.h"
#include "../messages/received.h"
#include "refusal_hint.h"

PyDoc_STRVAR(
    object_serializer_doc,
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
    if (given != Py_None && wfbs_limits_parse(given, &limits) < 0) {
        return -1;
    }
    if ((codec == WFBS_CODEC_NAMED) != PyUnicode_CheckExact(name)) {
        PyErr_SetString(PyExc_ValueError, "codec_name is for a custom codec, which needs it");
        return -1;
    }
    wfbs_object_serializer *s = (wfbs_object_serializer *)self;
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
        /* A codec, or another thread, may be using the current settings. */
        PyErr_SetString(PyExc_TypeError, "an object serializer can't be initialized again");
        return -1;
    }
    return 0;
}

static void
object_serializer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((wfbs_object_serializer *)self)->codec_name);
    type->tp_free(self);
    Py_DECREF(type);
}

/* A raw WAMP list is first converted to a message, as with the other object serializers after a
 * round trip. New reference or NULL. */
static PyObject *
parse_raw(wfbs_state *state, PyObject *list)
{
    return wfbs_call_helper(state, "parse", list, NULL, NULL);
}

/* The bytes of a received message that is still equal to them, framed as required. New
 * reference. */
static PyObject *
pass_on(const wfbs_received *r, bool batched)
{
    const uint8_t *buffer = (const uint8_t *)PyBytes_AS_STRING(r->buffer);
    size_t whole = (size_t)PyBytes_GET_SIZE(r->buffer);
    size_t header = batched ? WFBS_FRAME_SIZE : 0;
    if (r->data == buffer + header && whole == header + r->size) {
        return Py_NewRef(r->buffer);
    }
    PyObject *result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(header + r->size));
    if (result) {
        uint8_t *p = (uint8_t *)PyBytes_AS_STRING(result);
        if (batched) {
            wfbs_frame_store(p, r->size);
        }
        memcpy(p + header, r->data, r->size);
    }
    return result;
}

/* The cache of serializations of a message that isn't ours: new reference; NULL without an
 * exception if it has none. */
static PyObject *
cache_of(const wfbs_class *c, PyObject *message)
{
#ifdef Py_GIL_DISABLED /* another thread may be replacing it */
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

PyObject *
wfbs_serialize(wfbs_state *state, PyObject *serializer, PyObject *message)
{
    const wfbs_object_serializer *s = (const wfbs_object_serializer *)serializer;
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
    if (Py_TYPE(message) == c->received && !wfbs_received_source(c, message)) {
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
        /* It was changed: it is encoded every time, because one of its lists may change again. */
        PyObject *again =
            wfbs_encode_message(c, message, (wfbs_dialect)s->dialect, s->batched, codec);
        wfbs_count_add(&state->counters, WFBS_COUNT_ENCODED, again != NULL);
        return again;
    }
    PyObject *cache = cache_of(c, message);
    if (cache && PyDict_GET_SIZE(cache)) {
        PyObject *bytes = wfbs_dict_find(cache, serializer);
        if (bytes && !PyBytes_CheckExact(bytes)) {
            Py_CLEAR(bytes); /* not one of ours: it is replaced */
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

PyDoc_STRVAR(
    serialize_doc,
    "serialize($self, obj, /)\n--\n\n"
    "Encodes a WAMP message (or a raw WAMP list) to bytes.\n\n"
    "The bytes are kept in the message's cache. An unchanged received message returns the\n"
    "bytes that were received.\n\n"
    ":param obj: a message of ``autobahn.wamp.message``, or a raw list such as\n"
    "    ``[17, 1, 2]``.\n"
    ":raises TypeError: a value, or the object itself, has a type that can't be sent; the\n"
    "    text names the attribute.\n"
    ":raises ValueError: a value is out of range, or its payload codec refuses it.\n"
    ":raises autobahn.wamp.exception.ProtocolError: the list is not a WAMP message.");

static PyObject *
object_serializer_serialize(PyObject *self, PyObject *message)
{
    wfbs_state *state = wfbs_state_by_type(Py_TYPE(self));
    return state ? wfbs_serialize(state, self, message) : NULL;
}

PyDoc_STRVAR(serialize_payload_doc,
             "serialize_payload($self, data, /)\n--\n\n"
             "Encodes args or kwargs with this serializer's payload codec.\n\n"
             ":raises Exception: the codec's error for a value that it can't encode.");

static PyObject *
object_serializer_serialize_payload(PyObject *self, PyObject *data)
{
    const wfbs_object_serializer *s = (const wfbs_object_serializer *)self;
    wfbs_state *state = wfbs_state_by_type(Py_TYPE(self));
    wfbs_buffer out = {0};
    if (!state) {
        return NULL;
    }
    const wfbs_codec codec = {s->codec, s->codec_name};
    return wfbs_buffer_close(&out, wfbs_payload_encode(state, codec, data, &out));
}

/* ---- reading */

/* Counts the args and kwargs of a verified message whose table is at `table`. Cannot fail. */
static inline void
count_payloads(const wfbs_class *c, const uint8_t *data, uint32_t table)
{
    unsigned args = c->table->slot_of[WFBS_USE_ARGS], kwargs = c->table->slot_of[WFBS_USE_KWARGS];
    if (args != WFBS_NO_SLOT) {
        unsigned payloads = (unsigned)(wfbs_slot_position(data, table, args) != 0)
                            + (unsigned)(wfbs_slot_position(data, table, kwargs) != 0);
        wfbs_count_add(&c->state->counters, WFBS_COUNT_PAYLOADS, payloads);
    }
}

/* wfbs_add_refusal_hint, with a serializer's settings. */
static void
explain(wfbs_state *state, const wfbs_object_serializer *s, const wfbs_input *in)
{
    const wfbs_receiver r = {s->batched != 0, (wfbs_dialect)s->dialect, &s->limits};
    wfbs_add_refusal_hint(state, &r, in);
}

/* Verifies one message and wraps it. New reference or NULL with ProtocolError. */
static PyObject *
unserialize_one(wfbs_state *state, const wfbs_object_serializer *s, const wfbs_input *in,
                const uint8_t *data, size_t size)
{
    wfbs_envelope envelope;
    wfbs_error error;
    wfbs_dialect dialect = (wfbs_dialect)s->dialect;
    if (!wfbs_verify(data, size, dialect, &s->limits, &envelope, &error)) {
        wfbs_count_refused(&state->counters, error.code);
        wfbs_raise_verify(state, &error);
        explain(state, s, in);
        return NULL;
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

/* All messages of a batch. Each follows its length: 32 bits, big-endian. */
static PyObject *
unserialize_batch(wfbs_state *state, const wfbs_object_serializer *s, const wfbs_input *in)
{
    PyObject *list = PyList_New(0);
    size_t at = 0; /* always <= size, so the differences below can't wrap */
    while (list && at < in->size) {
        const uint8_t *p = in->data + at;
        size_t size = 0;
        if (in->size - at >= WFBS_FRAME_SIZE) {
            size = wfbs_frame_load(p);
        }
        if (!size || size > in->size - at - WFBS_FRAME_SIZE) {
            wfbs_count_refused(&state->counters, WFBS_REFUSED_BATCH);
            wfbs_raise_protocol(state, "batch: %s at offset %zu",
                                in->size - at < WFBS_FRAME_SIZE ? "trailing bytes"
                                : size ? "message length runs past the frame"
                                       : "empty message",
                                at);
            explain(state, s, in);
            Py_CLEAR(list);
            break;
        }
        PyObject *message = unserialize_one(state, s, in, p + WFBS_FRAME_SIZE, size);
        if (!message || PyList_Append(list, message) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(message);
        at += WFBS_FRAME_SIZE + size;
    }
    return list;
}

PyObject *
wfbs_unserialize(wfbs_state *state, const wfbs_object_serializer *s, PyObject *payload,
                 size_t *size)
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

PyDoc_STRVAR(
    unserialize_doc,
    "unserialize($self, payload, /)\n--\n\n"
    "Decodes a bytes-like object to a list of messages: one, or all of a batch.\n\n"
    "Every message is verified completely. Its attributes are decoded when they are read.\n"
    "``bytes`` are shared with the messages; any other object is copied once.\n\n"
    ":param payload: one message or, with ``batched=True``, any number of them.\n"
    ":raises autobahn.wamp.exception.ProtocolError: a message is invalid; the text names\n"
    "    message, field and offset.\n"
    ":raises TypeError: the object is not bytes-like.");

static PyObject *
object_serializer_unserialize(PyObject *self, PyObject *payload)
{
    wfbs_state *state = wfbs_state_by_type(Py_TYPE(self));
    size_t size;
    return state ? wfbs_unserialize(state, (wfbs_object_serializer *)self, payload, &size) : NULL;
}

static PyMethodDef object_serializer_methods[] = {
    {"serialize", object_serializer_serialize, METH_O, serialize_doc},
    {"serialize_payload", object_serializer_serialize_payload, METH_O, serialize_payload_doc},
    {"unserialize", object_serializer_unserialize, METH_O, unserialize_doc},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef object_serializer_members[] = {
    {"_batched", T_BOOL, offsetof(wfbs_object_serializer, batched), READONLY, NULL},
    {"_schema_dialect", T_BOOL, offsetof(wfbs_object_serializer, dialect), READONLY, NULL},
    {"_codec", T_UBYTE, offsetof(wfbs_object_serializer, codec), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot object_serializer_slots[] = {
    {Py_tp_doc, (void *)object_serializer_doc}, {Py_tp_init, object_serializer_init},
    {Py_tp_dealloc, object_serializer_dealloc}, {Py_tp_methods, object_serializer_methods},
    {Py_tp_members, object_serializer_members}, {0, NULL},
};

PyType_Spec wfbs_object_serializer_spec = {
    .name = "autobahn_fbs._cpython.ObjectSerializer",
    .basicsize = sizeof(wfbs_object_serializer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = object_serializer_slots,
};
