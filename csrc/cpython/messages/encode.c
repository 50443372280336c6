/* Encodes a message's attributes as one FlatBuffers message.
 *
 * The order is important for safety. Payloads and metadata are encoded first, because their codecs
 * can run Python code. Only then are pointers into strings and lists collected. From there to the
 * last byte, no Python code runs. */
#include "encode.h"

#include "../../core/frame.h"
#include "../base/type_name.h"
#include "convert.h"
#include "metadata.h"
#include "scratch.h"
#include "private_copy.h"

_Static_assert((int)WFBS_UNCOPIED_MIN >= (int)WFBS_BLOB_MIN,
               "a payload with parts elsewhere is a blob, which encoding_join() finds");

/* The state of one call. */
typedef struct {
    wfbs_class *cls;
    PyObject *message;               /* borrowed */
    uint32_t held;                   /* attributes whose values are in refs */
    PyObject *refs[WFBS_MAX_FIELDS]; /* owned values by attribute, if held */
    wfbs_value values[WFBS_MAX_FIELDS];
    uint32_t present;  /* slots with a value to be written */
    uint32_t payloads; /* slots whose bytes are in `scratch` */
    uint32_t in_metadata;
    size_t at[WFBS_MAX_FIELDS];      /* start of each encoded payload in `scratch` */
    uint32_t raw;                    /* payloads whose bytes are taken from a received message: */
    const wfbs_class *raw_owner;     /* its class */
    const wfbs_received *raw_source; /* borrowed */
    wfbs_codec codec;                /* of args and kwargs */
    PyObject *codec_name;            /* owned: codec.name of a received message */
    wfbs_buffer scratch;
    wfbs_uncopied uncopied;           /* parts of the payloads that are not in `scratch` */
    size_t end[WFBS_MAX_FIELDS];      /* where an encoded payload ends in `scratch` */
    unsigned parted[WFBS_MAX_FIELDS]; /* the number of uncopied parts when it began */
    wfbs_arena arena;
    size_t metadata_at; /* start of the metadata in `scratch` */
    wfbs_span metadata;
} encoding;

/* Whether all attributes of `message` except args and kwargs are in its slots. Otherwise, the
 * message was received, has a user's subclass, or comes from upstream's reader; or other threads
 * may be writing the slots. */
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
    if (is_plain(a->cls, message)) {
        PyObject *value = *wfbs_slot_of(message, a->offset);
        if (value) {
            return Py_NewRef(value);
        }
    }
    return PyObject_GetAttr(message, a->name);
}

/* The buffer of a received message, NULL for any other. */
static const wfbs_received *
received_source(const encoding *e)
{
    const wfbs_class *c = e->cls;
    if (Py_TYPE(e->message) != c->received) {
        return NULL;
    }
    const wfbs_received *r = wfbs_received_of(c, e->message);
    return r->buffer ? r : NULL;
}

/* Those of args and kwargs (selected by the given bits) that nobody has read or set in a received
 * message. */
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

/* Which of args and kwargs are copied from the message that they are taken from: those that nobody
 * has read, if they have the desired codec. CBOR has two numbers: 0, and 3 if it is named. */
static void
encoding_codec_of_source(encoding *e, PyObject *source, wfbs_codec wanted, uint32_t args,
                         uint32_t kwargs)
{
    const wfbs_class *c = wfbs_class_find(e->cls->state, Py_TYPE(source));
    const wfbs_received *r = wfbs_received_of(c, source);
    unsigned number = wfbs_received_u8(c, r, WFBS_USE_ENC_SERIALIZER);
    bool same = number == wanted.number && number != WFBS_CODEC_NAMED;
    if (same || (wfbs_codec_is_cbor(number) && wfbs_codec_is_cbor(wanted.number))) {
        e->raw_owner = c;
        e->raw_source = r;
        e->raw = untouched(e->cls, e->message, args, kwargs) & untouched(c, source, args, kwargs);
    }
}

/* Determines the codec of args and kwargs. If nobody has read or set the payload of a received
 * message, it keeps its codec and its bytes, even if the codec is unknown here. 0 or -1. */
static int
encoding_codec(encoding *e, wfbs_codec wanted)
{
    const wfbs_class *c = e->cls;
    const wfbs_table *t = c->table;
    const wfbs_received *r = received_source(e);
    e->codec = wanted;
    e->raw = 0;
    if (t->slot_of[WFBS_USE_ARGS] == WFBS_NO_SLOT) {
        return 0;
    }
    uint32_t args = bit(t->slot_of[WFBS_USE_ARGS]), kwargs = bit(t->slot_of[WFBS_USE_KWARGS]);
    PyObject *source = wfbs_received_source(c, e->message);
    if (source) {
        encoding_codec_of_source(e, source, wanted, args, kwargs);
        return 0;
    }
    if (!r || wfbs_slot_position(r->data, r->table, t->slot_of[WFBS_USE_PAYLOAD])) {
        return 0;
    }
    e->raw_owner = c;
    e->raw_source = r;
    uint32_t raw = untouched(c, e->message, args, kwargs);
    if (raw == (args | kwargs)) {
        if (wfbs_payload_codec(c, r, &e->codec) < 0) {
            return -1;
        }
        e->codec_name = e->codec.name;
        e->raw = raw;
    }
    else if (wanted.number != WFBS_CODEC_NAMED
             && wanted.number == wfbs_received_u8(c, r, WFBS_USE_ENC_SERIALIZER)) {
        e->raw = raw;
    }
    return 0;
}

/* Whether a value may be sent as args or kwargs, by the rules of Message.parse. */
static bool
payload_has_good_type(const wfbs_attribute *a, PyObject *value)
{
    if (a->field->use == WFBS_USE_ARGS) {
        return PyList_Check(value) || PyTuple_Check(value)
               || (a->cls->index == WFBS_MESSAGE_PUBLISH
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
encoding_payload(encoding *e, wfbs_attribute *a)
{
    if (e->raw & bit(a->index)) {
        const wfbs_class *from = e->raw_owner;
        wfbs_span span = wfbs_received_span(&from->attributes[from->table->slot_of[a->field->use]],
                                            e->raw_source);
        if (span.data) {
            e->values[a->index].as.bytes = span.data;
            e->values[a->index].size = span.size;
            e->present |= bit(a->index);
        }
        return 0;
    }
    PyObject *value = attribute_value(a, e->message);
    if (!value || value == Py_None) {
        Py_XDECREF(value);
        return value ? 0 : -1;
    }
    e->refs[a->index] = value;
    e->held |= bit(a->index);
    e->at[a->index] = e->scratch.size;
    e->parted[a->index] = e->uncopied.count;
    size_t uncopied = e->uncopied.size;
    e->scratch.uncopied = &e->uncopied;
    int slow = 1;
    if (PyDict_CheckExact(value) && a->field->use == WFBS_USE_KWARGS
        && e->codec.number == WFBS_CODEC_CBOR) {
        slow = wfbs_cbor_encode_kwargs(&e->scratch, value);
    }
    if (slow > 0 && !payload_has_good_type(a, value)) {
        wfbs_refuse(a, PyExc_TypeError, "expected %s, got %s",
                    a->field->use == WFBS_USE_ARGS ? "list or tuple" : "dict with str keys",
                    wfbs_type_name(Py_TYPE(value)));
        return -1;
    }
    if (slow > 0) {
        slow = wfbs_payload_encode(e->cls->state, e->codec, value, &e->scratch);
    }
    e->scratch.uncopied = NULL;
    if (slow < 0) {
        wfbs_refuse_payload(a, e->codec.number, value);
        return -1;
    }
    e->end[a->index] = e->scratch.size;
    /* Both are <= PY_SSIZE_T_MAX, so that the sum fits. */
    e->values[a->index].size = e->scratch.size - e->at[a->index] + (e->uncopied.size - uncopied);
    e->present |= bit(a->index);
    e->payloads |= bit(a->index);
    return 0;
}

/* Handles None for an attribute that needs a value: refuses it, or writes an empty string if the
 * schema requires one, and null in the metadata. */
static int
encoding_none(encoding *e, const wfbs_attribute *a)
{
    const wfbs_field *f = a->field;
    if (!(f->flags & WFBS_FLAG_REQUIRED) || f->flags & WFBS_FLAG_POSITIONAL
        || f->use != WFBS_USE_STR) {
        wfbs_refuse(a, PyExc_ValueError, "is required and can't be None");
        return -1;
    }
    e->values[a->index].as.bytes = (const uint8_t *)"";
    e->values[a->index].size = 0;
    e->present |= bit(a->index);
    e->in_metadata |= bit(a->index);
    return 0;
}

/* Takes the value of attribute `i` (stolen). */
static inline int
encoding_take(encoding *e, unsigned i, PyObject *value)
{
    wfbs_class *c = e->cls;
    if (value == Py_None) {
        Py_DECREF(value);
        return c->demanding & bit(i) ? encoding_none(e, &c->attributes[i]) : 0;
    }
    value = wfbs_private_copy(&c->attributes[i], value);
    if (!value) {
        return -1;
    }
    if (c->defaulting & bit(i) && PyDict_CheckExact(value) && !PyDict_GET_SIZE(value)) {
        Py_DECREF(value);
        return 0;
    }
    e->refs[i] = value;
    e->held |= bit(i);
    return 0;
}

/* Fetches every attribute except args and kwargs. */
static int
encoding_fetch(encoding *e)
{
    wfbs_class *c = e->cls;
    bool plain = is_plain(c, e->message);
    bool ours = Py_TYPE(e->message) == c->received;
    for (uint32_t todo = ours ? c->fetched : c->fetched_plain; todo; todo &= todo - 1) {
        unsigned i = wfbs_lowest_bit(todo);
        PyObject *value = plain ? *wfbs_slot_of(e->message, c->offsets[i]) : NULL;
        if (value == Py_None && !(c->demanding & bit(i))) {
            continue;
        }
        value = value ? Py_NewRef(value) : PyObject_GetAttr(e->message, c->attributes[i].name);
        if (!value || encoding_take(e, i, value) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Payload, args, kwargs and enc_*: the rules that the constructors assert. */
static int
encoding_check_payload(encoding *e)
{
    const wfbs_table *t = e->cls->table;
    unsigned payload = t->slot_of[WFBS_USE_PAYLOAD];
    if (payload == WFBS_NO_SLOT) {
        return 0;
    }
    unsigned algo = t->slot_of[WFBS_USE_ENC_ALGO], key = t->slot_of[WFBS_USE_ENC_KEY];
    unsigned serializer = t->slot_of[WFBS_USE_ENC_SERIALIZER];
    wfbs_attribute *attributes = e->cls->attributes;
    bool args = e->present & (bit(t->slot_of[WFBS_USE_ARGS]) | bit(t->slot_of[WFBS_USE_KWARGS]));
    uint32_t enc = bit(algo) | bit(key) | bit(serializer) | bit(t->slot_of[WFBS_USE_PPT_CIPHER]);
    if (e->held & bit(payload)) {
        e->codec.name = NULL;
        if (args) {
            wfbs_refuse(&attributes[payload], PyExc_ValueError,
                        "can't be combined with args or kwargs");
            return -1;
        }
        if ((e->held & enc) && !(e->held & bit(algo))) {
            wfbs_refuse(&attributes[algo], PyExc_ValueError,
                        "is required with enc_key, enc_serializer or ppt_cipher");
            return -1;
        }
        return 0;
    }
    if (e->held & enc) {
        wfbs_refuse(&attributes[wfbs_lowest_bit(e->held & enc)], PyExc_ValueError,
                    "is only allowed with payload");
        return -1;
    }
    if (!args) {
        e->codec.name = NULL;
    }
    else if (e->codec.number
             != WFBS_CODEC_CBOR) { /* this field names the codec of args and kwargs */
        e->values[serializer].as.scalar = e->codec.number;
        e->present |= bit(serializer);
    }
    return 0;
}

/* Fills the schema dialect's field for an enum's string that the enum lacks. Returns true, or false
 * if the message has no such field. */
static bool
encoding_enum_name(encoding *e, unsigned index, wfbs_dialect dialect)
{
    const wfbs_table *t = e->cls->table;
    unsigned slot = t->slot_of[WFBS_USE_ENUM_NAME];
    Py_ssize_t size;
    if (dialect != WFBS_DIALECT_SCHEMA || slot == WFBS_NO_SLOT
        || t->fields[index].use != WFBS_USE_ENUM) {
        return false;
    }
    const char *text =
        PyUnicode_AsUTF8AndSize(e->refs[index], &size); /* it was converted before: can't fail */
    e->values[slot].as.bytes = (const uint8_t *)text;
    e->values[slot].size = (size_t)size;
    e->present |= bit(slot);
    return text != NULL;
}

/* Converts values of the most common types inline, without a call. Returns whether it did. No
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
            if (number
                <= (UINT64_C(1)
                    << 53)) { /* only values that no check refuses; errors are raised above */
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

/* Fetches and converts in one pass, without keeping references, if every attribute is in its slot
 * and has one of the most common types, as in most messages that applications create. Returns
 * whether it did; if not, only e->values has changed. No Python code runs here or before the last
 * byte is written, so the slots keep their values alive. */
static bool
encoding_fill_plain(encoding *e, wfbs_dialect dialect)
{
    wfbs_class *c = e->cls;
    if (dialect != WFBS_DIALECT_AUTOBAHN || e->codec.number != WFBS_CODEC_CBOR
        || !is_plain(c, e->message)) {
        return false;
    }
    uint32_t present = e->present;
    for (uint32_t todo = c->fetched_plain; todo; todo &= todo - 1) {
        unsigned i = wfbs_lowest_bit(todo);
        PyObject *value = *wfbs_slot_of(e->message, c->offsets[i]);
        if (value == Py_None && !(c->demanding & bit(i))) {
            continue;
        }
        if (!value || !convert_common(c->attributes[i].field, value, &e->values[i])) {
            return false;
        }
        present |= bit(i);
    }
    e->present = present;
    for (uint32_t todo = e->payloads; todo; todo &= todo - 1) {
        unsigned i = wfbs_lowest_bit(todo);
        e->values[i].as.bytes = e->scratch.data + e->at[i];
    }
    return true;
}

/* Converts all values that the typed fields can express; sets *more to the bits of the others. */
static int
encoding_convert(encoding *e, wfbs_dialect dialect, uint32_t *more)
{
    wfbs_class *c = e->cls;
    *more = 0;
    for (uint32_t todo = e->held & ~e->payloads & ~e->in_metadata; todo; todo &= todo - 1) {
        unsigned i = wfbs_lowest_bit(todo);
        if (convert_common(c->attributes[i].field, e->refs[i], &e->values[i])) {
            e->present |= bit(i);
            continue;
        }
        switch (wfbs_convert(&c->attributes[i], e->refs[i], &e->arena, &e->values[i])) {
        case WFBS_CONVERT_ERROR:
            return -1;
        case WFBS_CONVERT_METADATA:
            if (!encoding_enum_name(e, i, dialect)) {
                *more |= bit(i);
            }
            break;
        default:
            e->present |= bit(i);
        }
    }
    return 0;
}

/* Converts, and moves values that don't fit to the metadata, until all fit. Encoding metadata can
 * run Python code, so values that were converted before are converted again. */
static int
encoding_fill(encoding *e, wfbs_dialect dialect)
{
    uint32_t keep = e->present, more = 0;
    bool need = dialect == WFBS_DIALECT_SCHEMA || e->in_metadata || e->codec.name;
    if (encoding_convert(e, dialect, &more) < 0) {
        return -1;
    }
    for (bool again = need || more; again; again = more != 0) {
        need = true;
        e->in_metadata |= more;
        e->metadata_at = e->scratch.size;
        if (wfbs_metadata_encode(e->cls, e->message, e->refs, e->held, e->in_metadata, dialect,
                                 e->codec, &e->scratch)
            < 0) {
            return -1;
        }
        e->metadata.size = e->scratch.size - e->metadata_at;
        e->present = keep;
        wfbs_arena_free(&e->arena);
        if (encoding_convert(e, dialect, &more) < 0) {
            return -1;
        }
    }
    /* From here on, the scratch buffer doesn't move. */
    for (uint32_t todo = e->payloads; todo; todo &= todo - 1) {
        unsigned i = wfbs_lowest_bit(todo);
        e->values[i].as.bytes = e->scratch.data + e->at[i];
    }
    if (need) {
        e->metadata.data = e->scratch.data + e->metadata_at;
    }
    return 0;
}

/* Before the writer copies: copies the payloads with parts elsewhere to their places in the message
 * at `to`, and makes the writer skip them. Cannot fail. */
static void
encoding_join(const encoding *e, wfbs_written *message, uint8_t *to)
{
    for (uint32_t todo = e->uncopied.count ? e->payloads : 0; todo; todo &= todo - 1) {
        unsigned slot = wfbs_lowest_bit(todo);
        for (unsigned i = 0; i < message->count; i++) {
            if (message->blobs[i].data == e->values[slot].as.bytes) {
                wfbs_uncopied_join(&e->uncopied, e->parted[slot], e->scratch.data, e->at[slot],
                                   e->end[slot], to + message->blobs[i].offset);
                message->blobs[i].data = NULL;
            }
        }
    }
}

/* The message as bytes: written into scratch memory, then copied once. */
static PyObject *
encoding_write(encoding *e, wfbs_dialect dialect, bool batched, wfbs_buffer *output)
{
    const wfbs_message_type *type = e->cls->type;
    wfbs_record record = {e->cls->table, e->present, e->values};
    wfbs_outgoing outgoing = {
        &record,
        dialect == WFBS_DIALECT_SCHEMA ? type->ordinal : type->code,
        e->metadata,
    };
    size_t room = wfbs_write_bound(&outgoing);
    if (!room) {
        PyErr_Format(PyExc_ValueError, "%s is longer than 2**31-1 bytes", type->label);
        return NULL;
    }
    if (wfbs_buffer_reserve(output, room) < 0) {
        return NULL;
    }
    wfbs_written gather;
    wfbs_write_message(&outgoing, output->data, room, &gather);
    size_t header = batched ? WFBS_FRAME_SIZE : 0;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(header + gather.size));
    if (bytes) {
        uint8_t *to = (uint8_t *)PyBytes_AS_STRING(bytes);
        if (batched) {
            wfbs_frame_store(to, gather.size);
        }
        encoding_join(e, &gather, to + header);
        wfbs_write_copy(&gather, to + header);
    }
    return bytes;
}

PyObject *
wfbs_encode_message(wfbs_class *c, PyObject *message, wfbs_dialect dialect, bool batched,
                    wfbs_codec codec)
{
    const wfbs_table *t = c->table;
    encoding e;
    e.cls = c;
    e.message = message;
    e.held = e.present = e.payloads = e.in_metadata = 0;
    e.arena.count = 0;
    e.uncopied.count = 0;
    e.uncopied.size = 0;
    e.metadata = (wfbs_span){NULL, 0};
    e.scratch = wfbs_scratch_take(&c->state->payload_scratch);
    PyObject *result = NULL;
    bool payloads = t->slot_of[WFBS_USE_ARGS] != WFBS_NO_SLOT;
    e.codec = (wfbs_codec){WFBS_CODEC_CBOR, NULL};
    e.codec_name = NULL;
    if ((!payloads
         || (encoding_codec(&e, codec) == 0
             && encoding_payload(&e, &c->attributes[t->slot_of[WFBS_USE_ARGS]]) == 0
             && encoding_payload(&e, &c->attributes[t->slot_of[WFBS_USE_KWARGS]]) == 0))
        && (encoding_fill_plain(&e, dialect)
            || (encoding_fetch(&e) == 0 && encoding_check_payload(&e) == 0
                && encoding_fill(&e, dialect) == 0))) {
        wfbs_buffer output = wfbs_scratch_take(&c->state->output_scratch);
        result = encoding_write(&e, dialect, batched, &output);
        wfbs_scratch_return(&c->state->output_scratch, &output);
    }
    for (uint32_t held = e.held; held; held &= held - 1) {
        Py_DECREF(e.refs[wfbs_lowest_bit(held)]);
    }
    wfbs_uncopied_cut(&e.uncopied, 0);
    Py_XDECREF(e.codec_name);
    wfbs_arena_free(&e.arena);
    wfbs_scratch_return(&c->state->payload_scratch, &e.scratch);
    return result;
}
