/* A message's attributes -> one FlatBuffers message.
 *
 * Order matters for safety: payloads and metadata are encoded first, because
 * their codecs can run Python code; only then are pointers into strings and
 * lists gathered, and from there to the last byte no Python code runs. */
#include "encode.h"

#include "../../core/frame.h"
#include "../base/type_name.h"
#include "convert.h"
#include "metadata.h"

#ifndef Py_GIL_DISABLED
#define SHARED_SCRATCH 1 /* one thread at a time: scratch memory can be kept in the state */
#endif

/* Everything that one call holds. */
typedef struct {
    wfbs_class *owner;
    PyObject *message;                 /* borrowed */
    uint32_t held;                     /* attributes whose value is in refs */
    PyObject *refs[WFBS_MAX_FIELDS];   /* owned values by attribute, where held */
    wfbs_value values[WFBS_MAX_FIELDS];
    uint32_t present;                  /* slots with a value to write */
    uint32_t payloads;                 /* slots whose bytes are in `scratch` */
    uint32_t in_metadata;
    size_t at[WFBS_MAX_FIELDS];        /* where an encoded payload begins in `scratch` */
    uint32_t raw;                      /* payloads whose bytes are taken from a received message: */
    const wfbs_class *raw_owner;       /* its class */
    const wfbs_received *raw_source;   /* borrowed */
    wfbs_codec codec;                  /* of args and kwargs */
    PyObject *codec_name;              /* owned, behind codec.name of a received message */
    wfbs_buffer scratch;
    wfbs_arena arena;
    wfbs_span metadata;
} job;

/* Whether the attributes of `message`, args and kwargs aside, are simply in its slots. If not, it is
 * one that came in, a user's subclass, or one that upstream's reader made; or other threads may be
 * writing the slots. */
static inline bool
is_plain(const wfbs_class *c, PyObject *message)
{
#ifdef Py_GIL_DISABLED
    (void)c;
    (void)message;
    return false;
#else
    return Py_TYPE(message) == c->plain ? *wfbs_slot_of(message, c->from_fbs) == Py_None
                                        : wfbs_received_source(c, message) != NULL;
#endif
}

static inline uint32_t
bit(unsigned index)
{
    return UINT32_C(1) << (index % 32); /* always below WFBS_MAX_FIELDS == 32 */
}

/* The current value of an attribute. New reference (None if unset) or NULL. */
static PyObject *
attribute_value(const wfbs_attribute *a, PyObject *message)
{
    if (is_plain(a->owner, message)) {
        PyObject *value = *wfbs_slot_of(message, a->offset);
        if (value) {
            return Py_NewRef(value);
        }
    }
    return PyObject_GetAttr(message, a->name);
}

/* The buffer of a received message, NULL for any other. */
static const wfbs_received *
received_source(const job *j)
{
    const wfbs_class *c = j->owner;
    if (Py_TYPE(j->message) != c->received) {
        return NULL;
    }
    const wfbs_received *r = wfbs_received_of(c, j->message);
    return r->buffer ? r : NULL;
}

/* Those of args and kwargs, by the bits given, that nobody has read or set in a received message. */
static inline uint32_t
untouched(const wfbs_class *c, PyObject *message, uint32_t args, uint32_t kwargs)
{
    const uint8_t *slot_of = c->table->slot_of;
    uint32_t found;
    Py_BEGIN_CRITICAL_SECTION(message);
    found = (*wfbs_slot_of(message, c->offsets[slot_of[WFBS_USE_ARGS]]) ? 0 : args)
            | (*wfbs_slot_of(message, c->offsets[slot_of[WFBS_USE_KWARGS]]) ? 0 : kwargs);
    Py_END_CRITICAL_SECTION();
    return found;
}

/* Which of args and kwargs are copied out of the message that they are taken from: those that nobody
 * looked at, if they are in the codec that is wanted. CBOR has two numbers: 0, and 3 where it is
 * named. */
static void
job_codec_of_source(job *j, PyObject *source, wfbs_codec wanted, uint32_t args, uint32_t kwargs)
{
    const wfbs_class *c = wfbs_class_find(j->owner->state, Py_TYPE(source));
    const wfbs_received *r = wfbs_received_of(c, source);
    unsigned number = wfbs_received_u8(c, r, WFBS_USE_ENC_SERIALIZER);
    bool same = number == wanted.number && number != WFBS_CODEC_NAMED;
    if (same || (wfbs_codec_is_cbor(number) && wfbs_codec_is_cbor(wanted.number))) {
        j->raw_owner = c;
        j->raw_source = r;
        j->raw = untouched(j->owner, j->message, args, kwargs) & untouched(c, source, args, kwargs);
    }
}

/* Settles the codec of args and kwargs. A received message whose payload nobody
 * touched keeps its codec along with its bytes, known here or not. 0 or -1. */
static int
job_codec(job *j, wfbs_codec wanted)
{
    const wfbs_class *c = j->owner;
    const wfbs_table *t = c->table;
    const wfbs_received *r = received_source(j);
    j->codec = wanted;
    j->raw = 0;
    if (t->slot_of[WFBS_USE_ARGS] == WFBS_NO_SLOT) {
        return 0;
    }
    uint32_t args = bit(t->slot_of[WFBS_USE_ARGS]), kwargs = bit(t->slot_of[WFBS_USE_KWARGS]);
    PyObject *source = wfbs_received_source(c, j->message);
    if (source) {
        job_codec_of_source(j, source, wanted, args, kwargs);
        return 0;
    }
    if (!r || wfbs_slot_position(r->data, r->table, t->slot_of[WFBS_USE_PAYLOAD])) {
        return 0;
    }
    j->raw_owner = c;
    j->raw_source = r;
    uint32_t raw = untouched(c, j->message, args, kwargs);
    if (raw == (args | kwargs)) {
        if (wfbs_payload_codec(c, r, &j->codec) < 0) {
            return -1;
        }
        j->codec_name = j->codec.name;
        j->raw = raw;
    }
    else if (wanted.number != WFBS_CODEC_NAMED
             && wanted.number == wfbs_received_u8(c, r, WFBS_USE_ENC_SERIALIZER)) {
        j->raw = raw;
    }
    return 0;
}

/* Whether a value may be sent as args or kwargs: what Message.parse takes. */
static bool
payload_has_good_type(const wfbs_attribute *a, PyObject *value)
{
    if (a->field->use == WFBS_USE_ARGS) {
        return PyList_Check(value) || PyTuple_Check(value)
               || (a->owner->index == WFBS_MESSAGE_PUBLISH
                   && (PyUnicode_CheckExact(value) || PyBytes_CheckExact(value)));
    }
    PyObject *key, *item;
    Py_ssize_t position = 0;
    bool good = PyDict_Check(value);
    Py_BEGIN_CRITICAL_SECTION(value);
    while (good && PyDict_Next(value, &position, &key, &item)) {
        good = PyUnicode_Check(key);
    }
    Py_END_CRITICAL_SECTION();
    return good;
}

/* Encodes args or kwargs, or finds their raw bytes. */
static int
job_payload(job *j, wfbs_attribute *a)
{
    if (j->raw & bit(a->index)) {
        const wfbs_class *from = j->raw_owner;
        wfbs_span span = wfbs_received_span(&from->attributes[from->table->slot_of[a->field->use]],
                                            j->raw_source);
        if (span.data) {
            j->values[a->index].as.bytes = span.data;
            j->values[a->index].size = span.size;
            j->present |= bit(a->index);
        }
        return 0;
    }
    PyObject *value = attribute_value(a, j->message);
    if (!value || value == Py_None) {
        Py_XDECREF(value);
        return value ? 0 : -1;
    }
    j->refs[a->index] = value;
    j->held |= bit(a->index);
    j->at[a->index] = j->scratch.size;
    int slow = 1;
    if (PyDict_CheckExact(value) && a->field->use == WFBS_USE_KWARGS
        && j->codec.number == WFBS_CODEC_CBOR) {
        slow = wfbs_cbor_encode_kwargs(&j->scratch, value);
    }
    if (slow > 0 && !payload_has_good_type(a, value)) {
        wfbs_refuse(a, PyExc_TypeError, "expected %s, got %s",
                    a->field->use == WFBS_USE_ARGS ? "list or tuple" : "dict with str keys",
                    wfbs_type_name(Py_TYPE(value)));
        return -1;
    }
    if (slow > 0) {
        slow = wfbs_payload_encode(j->owner->state, j->codec, value, &j->scratch);
    }
    if (slow < 0) {
        wfbs_refuse_encoding(a);
        return -1;
    }
    j->values[a->index].size = j->scratch.size - j->at[a->index];
    j->present |= bit(a->index);
    j->payloads |= bit(a->index);
    return 0;
}

/* What None means for a demanding attribute: refused, or an empty string for the
 * schema's sake and null in the metadata. */
static int
job_none(job *j, const wfbs_attribute *a)
{
    const wfbs_field *f = a->field;
    if (!(f->flags & WFBS_FLAG_REQUIRED) || f->flags & WFBS_FLAG_POSITIONAL || f->use != WFBS_USE_STR) {
        wfbs_refuse(a, PyExc_ValueError, "is required and can't be None");
        return -1;
    }
    j->values[a->index].as.bytes = (const uint8_t *)"";
    j->values[a->index].size = 0;
    j->present |= bit(a->index);
    j->in_metadata |= bit(a->index);
    return 0;
}

#ifdef Py_GIL_DISABLED

/* A private copy of a list, or NULL with MemoryError: of the dicts in it as well. */
static PyObject *
copy_hops(PyObject *list)
{
    PyObject *copy = PyList_GetSlice(list, 0, PY_SSIZE_T_MAX);
    for (Py_ssize_t i = 0; copy && i < PyList_GET_SIZE(copy); i++) {
        PyObject *hop = PyList_GET_ITEM(copy, i);
        hop = PyDict_Check(hop) ? PyDict_Copy(hop) : Py_NewRef(hop);
        if (!hop || PyList_SetItem(copy, i, hop) < 0) {
            Py_CLEAR(copy);
        }
    }
    return copy;
}

/* The value of an attribute (stolen), or a private copy if other threads can change it while it
 * is converted: conversion borrows from it. NULL with MemoryError. */
static PyObject *
keep_still(const wfbs_attribute *a, PyObject *value)
{
    PyObject *copy;
    if (a->field->use == WFBS_USE_PRINCIPALS && (PyList_Check(value) || PyTuple_Check(value))) {
        PyObject *list = PyList_Check(value) ? Py_NewRef(value) : PySequence_List(value);
        copy = list ? copy_hops(list) : NULL;
        Py_XDECREF(list);
    }
    else if (PyList_Check(value)) {
        copy = PyList_GetSlice(value, 0, PY_SSIZE_T_MAX);
    }
    else if (PyDict_Check(value)) {
        copy = PyDict_Copy(value);
    }
    else {
        return value;
    }
    Py_DECREF(value);
    return copy;
}

#else

static inline PyObject *
keep_still(const wfbs_attribute *a, PyObject *value)
{
    (void)a;
    return value;
}

#endif

/* Takes the value of attribute `i` (stolen). */
static inline int
job_take(job *j, unsigned i, PyObject *value)
{
    wfbs_class *c = j->owner;
    if (value == Py_None) {
        Py_DECREF(value);
        return c->demanding & bit(i) ? job_none(j, &c->attributes[i]) : 0;
    }
    value = keep_still(&c->attributes[i], value);
    if (!value) {
        return -1;
    }
    if (c->defaulting & bit(i) && PyDict_CheckExact(value) && !PyDict_GET_SIZE(value)) {
        Py_DECREF(value);
        return 0;
    }
    j->refs[i] = value;
    j->held |= bit(i);
    return 0;
}

/* Fetches every attribute but args and kwargs. */
static int
job_fetch(job *j)
{
    wfbs_class *c = j->owner;
    bool plain = is_plain(c, j->message);
    bool ours = Py_TYPE(j->message) == c->received;
    for (uint32_t todo = ours ? c->fetched : c->fetched_plain; todo; todo &= todo - 1) {
        unsigned i = wfbs_lowest_bit(todo);
        PyObject *value = plain ? *wfbs_slot_of(j->message, c->offsets[i]) : NULL;
        if (value == Py_None && !(c->demanding & bit(i))) {
            continue;
        }
        value = value ? Py_NewRef(value) : PyObject_GetAttr(j->message, c->attributes[i].name);
        if (!value || job_take(j, i, value) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Payload, args, kwargs and enc_*: the rules that the constructors assert. */
static int
job_check_payload(job *j)
{
    const wfbs_table *t = j->owner->table;
    unsigned payload = t->slot_of[WFBS_USE_PAYLOAD];
    if (payload == WFBS_NO_SLOT) {
        return 0;
    }
    unsigned algo = t->slot_of[WFBS_USE_ENC_ALGO], key = t->slot_of[WFBS_USE_ENC_KEY];
    unsigned serializer = t->slot_of[WFBS_USE_ENC_SERIALIZER];
    wfbs_attribute *attributes = j->owner->attributes;
    bool args = j->present & (bit(t->slot_of[WFBS_USE_ARGS]) | bit(t->slot_of[WFBS_USE_KWARGS]));
    uint32_t enc = bit(algo) | bit(key) | bit(serializer) | bit(t->slot_of[WFBS_USE_ENC_CIPHER]);
    if (j->held & bit(payload)) {
        j->codec.name = NULL;
        if (args) {
            wfbs_refuse(&attributes[payload], PyExc_ValueError, "excludes args and kwargs");
            return -1;
        }
        if ((j->held & enc) && !(j->held & bit(algo))) {
            wfbs_refuse(&attributes[algo], PyExc_ValueError,
                        "is required with enc_key, enc_serializer or ppt_cipher");
            return -1;
        }
        return 0;
    }
    if (j->held & enc) {
        wfbs_refuse(&attributes[wfbs_lowest_bit(j->held & enc)], PyExc_ValueError,
                    "goes with payload only");
        return -1;
    }
    if (!args) {
        j->codec.name = NULL;
    }
    else if (j->codec.number != WFBS_CODEC_CBOR) { /* the tag names the codec of args and kwargs */
        j->values[serializer].as.scalar = j->codec.number;
        j->present |= bit(serializer);
    }
    return 0;
}

/* The schema dialect's place for an enum's string that the enum lacks: fills it
 * and returns true, or false if the message has no such field. */
static bool
job_enum_name(job *j, unsigned index, wfbs_dialect dialect)
{
    const wfbs_table *t = j->owner->table;
    unsigned slot = t->slot_of[WFBS_USE_ENUM_NAME];
    Py_ssize_t size;
    if (dialect != WFBS_DIALECT_SCHEMA || slot == WFBS_NO_SLOT
        || t->fields[index].use != WFBS_USE_ENUM) {
        return false;
    }
    const char *text = PyUnicode_AsUTF8AndSize(j->refs[index], &size); /* converted before: can't fail */
    j->values[slot].as.bytes = (const uint8_t *)text;
    j->values[slot].size = (size_t)size;
    j->present |= bit(slot);
    return text != NULL;
}

/* Converts the values of the commonest types here, without a call. Returns whether it did; no
 * exception is set in either case. */
static inline bool
convert_common(const wfbs_field *field, PyObject *value, wfbs_value *out)
{
    switch ((wfbs_use)field->use) {
    case WFBS_USE_STR:
        if (PyUnicode_CheckExact(value) && PyUnicode_IS_COMPACT_ASCII(value)
            && field->kind == WFBS_KIND_STRING) {
            out->as.bytes = PyUnicode_1BYTE_DATA(value);
            out->size = (size_t)PyUnicode_GET_LENGTH(value);
            return true;
        }
        return false;
    case WFBS_USE_INT:
        if (field->kind == WFBS_KIND_U64 && PyLong_CheckExact(value)) {
            uint64_t number = PyLong_AsUnsignedLongLong(value);
            if (number <= (UINT64_C(1) << 53)) { /* what no check refuses; errors are above */
                out->as.scalar = number;
                return true;
            }
            PyErr_Clear();
        }
        return false;
    case WFBS_USE_BOOL:
        out->as.scalar = value == Py_True;
        return value == Py_True || value == Py_False;
    default:
        return false;
    }
}

/* Fetches and converts in one go, without holding anything, where every attribute is in its slot
 * and of the commonest types, as in most messages that applications make. Returns whether it was
 * so; if not, nothing has changed but j->values. No Python code runs here or before the last byte
 * is written, so that the slots keep their values alive. */
static bool
job_fill_plain(job *j, wfbs_dialect dialect)
{
    wfbs_class *c = j->owner;
    if (dialect != WFBS_DIALECT_AUTOBAHN || j->codec.number != WFBS_CODEC_CBOR
        || !is_plain(c, j->message)) {
        return false;
    }
    uint32_t present = j->present;
    for (uint32_t todo = c->fetched_plain; todo; todo &= todo - 1) {
        unsigned i = wfbs_lowest_bit(todo);
        PyObject *value = *wfbs_slot_of(j->message, c->offsets[i]);
        if (value == Py_None && !(c->demanding & bit(i))) {
            continue;
        }
        if (!value || !convert_common(c->attributes[i].field, value, &j->values[i])) {
            return false;
        }
        present |= bit(i);
    }
    j->present = present;
    for (uint32_t todo = j->payloads; todo; todo &= todo - 1) {
        unsigned i = wfbs_lowest_bit(todo);
        j->values[i].as.bytes = j->scratch.data + j->at[i];
    }
    return true;
}

/* Converts all values that the typed fields can hold; *more gets the bits of
 * those they can't. */
static int
job_convert(job *j, wfbs_dialect dialect, uint32_t *more)
{
    wfbs_class *c = j->owner;
    *more = 0;
    for (uint32_t todo = j->held & ~j->payloads & ~j->in_metadata; todo; todo &= todo - 1) {
        unsigned i = wfbs_lowest_bit(todo);
        if (convert_common(c->attributes[i].field, j->refs[i], &j->values[i])) {
            j->present |= bit(i);
            continue;
        }
        switch (wfbs_convert(&c->attributes[i], j->refs[i], &j->arena, &j->values[i])) {
        case WFBS_CONVERT_ERROR:
            return -1;
        case WFBS_CONVERT_METADATA:
            if (!job_enum_name(j, i, dialect)) {
                *more |= bit(i);
            }
            break;
        default:
            j->present |= bit(i);
        }
    }
    return 0;
}

/* Converts, and moves to the metadata what does not fit, until all fits. Encoding
 * metadata can run Python code, so what was converted before is converted again. */
static int
job_fill(job *j, wfbs_dialect dialect)
{
    uint32_t keep = j->present, more = 0;
    bool need = dialect == WFBS_DIALECT_SCHEMA || j->in_metadata || j->codec.name;
    if (job_convert(j, dialect, &more) < 0) {
        return -1;
    }
    for (bool again = need || more; again; again = more != 0) {
        need = true;
        j->in_metadata |= more;
        j->at[0] = j->scratch.size; /* slot 0 is never a payload */
        if (wfbs_metadata_encode(j->owner, j->message, j->refs, j->held, j->in_metadata, dialect,
                                 j->codec, &j->scratch) < 0) {
            return -1;
        }
        j->metadata.size = j->scratch.size - j->at[0];
        j->present = keep;
        wfbs_arena_free(&j->arena);
        if (job_convert(j, dialect, &more) < 0) {
            return -1;
        }
    }
    /* The scratch buffer has stopped moving. */
    for (uint32_t todo = j->payloads; todo; todo &= todo - 1) {
        unsigned i = wfbs_lowest_bit(todo);
        j->values[i].as.bytes = j->scratch.data + j->at[i];
    }
    if (need) {
        j->metadata.data = j->scratch.data + j->at[0];
    }
    return 0;
}

/* The message as bytes: written into scratch memory, then copied once. */
static PyObject *
job_write(job *j, wfbs_dialect dialect, bool batched, wfbs_buffer *output)
{
    const wfbs_message_type *type = j->owner->type;
    wfbs_record record = {j->owner->table, j->present, j->values};
    wfbs_outgoing outgoing = {
        &record,
        dialect == WFBS_DIALECT_SCHEMA ? type->ordinal : type->code,
        j->metadata,
    };
    size_t room = wfbs_encode_bound(&outgoing);
    if (!room) {
        PyErr_Format(PyExc_ValueError, "%s is longer than 2**31-1 bytes", type->label);
        return NULL;
    }
    if (wfbs_buffer_reserve(output, room) < 0) {
        return NULL;
    }
    wfbs_gather gather;
    wfbs_encode(&outgoing, output->data, room, &gather);
    size_t header = batched ? WFBS_FRAME_SIZE : 0;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(header + gather.size));
    if (bytes) {
        uint8_t *to = (uint8_t *)PyBytes_AS_STRING(bytes);
        if (batched) {
            wfbs_frame_store(to, gather.size);
        }
        wfbs_gather_copy(&gather, to + header);
    }
    return bytes;
}

/* Scratch memory is kept between calls, but never above this many bytes. */
enum { SCRATCH_KEPT = 1024 * 1024 };

/* Takes a scratch buffer out of the state: encoding can re-enter. */
static wfbs_buffer
scratch_take(wfbs_buffer *kept)
{
    wfbs_buffer taken = {0};
#ifdef SHARED_SCRATCH
    taken = *kept;
    *kept = (wfbs_buffer){0};
    taken.size = 0;
#else
    (void)kept;
#endif
    return taken;
}

static void
scratch_return(wfbs_buffer *kept, wfbs_buffer *taken)
{
#ifdef SHARED_SCRATCH
    if (!kept->data && taken->capacity <= SCRATCH_KEPT) {
        *kept = *taken;
        return;
    }
#else
    (void)kept;
#endif
    wfbs_buffer_free(taken);
}

PyObject *
wfbs_encode_message(wfbs_class *c, PyObject *message, wfbs_dialect dialect, bool batched,
                    wfbs_codec codec)
{
    const wfbs_table *t = c->table;
    job j;
    j.owner = c;
    j.message = message;
    j.held = j.present = j.payloads = j.in_metadata = 0;
    j.arena.count = 0;
    j.metadata = (wfbs_span){NULL, 0};
    j.scratch = scratch_take(&c->state->payload_scratch);
    PyObject *result = NULL;
    bool payloads = t->slot_of[WFBS_USE_ARGS] != WFBS_NO_SLOT;
    j.codec = (wfbs_codec){WFBS_CODEC_CBOR, NULL};
    j.codec_name = NULL;
    if ((!payloads
         || (job_codec(&j, codec) == 0
             && job_payload(&j, &c->attributes[t->slot_of[WFBS_USE_ARGS]]) == 0
             && job_payload(&j, &c->attributes[t->slot_of[WFBS_USE_KWARGS]]) == 0))
        && (job_fill_plain(&j, dialect)
            || (job_fetch(&j) == 0 && job_check_payload(&j) == 0 && job_fill(&j, dialect) == 0))) {
        wfbs_buffer output = scratch_take(&c->state->output_scratch);
        result = job_write(&j, dialect, batched, &output);
        scratch_return(&c->state->output_scratch, &output);
    }
    for (uint32_t held = j.held; held; held &= held - 1) {
        Py_DECREF(j.refs[wfbs_lowest_bit(held)]);
    }
    Py_XDECREF(j.codec_name);
    wfbs_arena_free(&j.arena);
    scratch_return(&c->state->payload_scratch, &j.scratch);
    return result;
}
