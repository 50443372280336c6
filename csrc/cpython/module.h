/* The CPython binding: what its files share. One file per Python type or topic:
 *
 *   module.c      the module, its state, what it takes from Autobahn
 *   types.c       one C subclass for each of Autobahn's message classes
 *   received.c    the life of a received message: slots, copy, compare, views
 *   decode.c      fields of a verified buffer -> Python objects, on demand
 *   encode.c      attributes of a message -> one FlatBuffers message
 *   convert.c     one attribute's Python value -> one field's value
 *   metadata.c    what the typed fields can't hold, as a CBOR map
 *   payload.c     args and kwargs through the payload codec
 *   transport.c   the two base types of the serializers
 *   input.c       bytes to read from
 *   counters.c    what was done with the messages, counted
 *   cbor_*.c      the CBOR codec
 *   flex_*.c      the FlexBuffers codec
 *
 * There is no global state: everything hangs on the module's state, and every
 * message type keeps the module alive. */
#ifndef WFBS_MODULE_H
#define WFBS_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include "../core/read.h"
#include "../core/verify.h"
#include "../core/write.h"
#include "base/buffer.h"
#include "codecs/cbor.h"
#include "base/counters.h"
#include "codecs/flex.h"

#ifndef Py_GIL_DISABLED
#define WFBS_SHARED_SCRATCH 1 /* one thread at a time: scratch memory can be kept in the state */
#endif

struct wfbs_class;
struct wfbs_state;

/* One attribute of one message class. */
typedef struct {
    struct wfbs_class *owner;
    const wfbs_field *field;
    unsigned index;          /* slot of the schema's table, or beyond them for metadata only */
    Py_ssize_t offset;       /* of the instance slot `_name` that Autobahn's class declares */
    PyObject *name;          /* owned, interned: "topic" */
    PyObject *private_name;  /* owned, interned: "_topic" */
    PyObject *detail;        /* owned, interned: the WAMP detail's key */
    PyObject *property;      /* owned: Autobahn's, whose setter checks */
} wfbs_attribute;

/* One of Autobahn's message classes, and ours below it. */
typedef struct wfbs_class {
    struct wfbs_state *state;
    const wfbs_message_type *type;
    const wfbs_table *table;
    unsigned index;          /* into wfbs_messages */
    PyTypeObject *plain;     /* owned: autobahn.wamp.message.X */
    PyTypeObject *received;  /* owned: our subclass */
    Py_ssize_t tail;         /* where wfbs_received begins in an instance of ours */
    Py_ssize_t serialized;   /* offset of the slot _serialized */
    Py_ssize_t from_fbs;     /* offset of the slot _from_fbs */
    PyGetSetDef *getset;     /* owned, PyMem */
    uint32_t fetched;        /* attributes that encoding reads: all but args and kwargs */
    uint32_t fetched_plain;  /* those of them that Autobahn's own class has */
    uint32_t demanding;      /* those for which None is not just left out */
    uint32_t defaulting;     /* those for which {} is what their absence means */
    int32_t offsets[WFBS_MAX_FIELDS]; /* attributes[].offset again, close together */
    wfbs_attribute attributes[WFBS_MAX_FIELDS];
} wfbs_class;

enum { WFBS_TYPE_SLOTS = 256 }; /* a power of two, well above twice 25 types */
enum { WFBS_ROLE_TABLES = 6 };

typedef struct wfbs_state {
    wfbs_class classes[WFBS_MESSAGE_COUNT];
    struct { /* open addressing by type pointer; borrowed from classes[] */
        PyTypeObject *type;
        wfbs_class *owner;
    } by_type[WFBS_TYPE_SLOTS];
    PyObject *module;            /* borrowed: the module itself */
    PyTypeObject *object_serializer;
    PyTypeObject *transport_serializer;
    PyObject *protocol_error;    /* autobahn.wamp.exception.ProtocolError */
    PyObject *message_class;     /* autobahn.wamp.message.Message */
    PyObject *custom_match;      /* the match method of Autobahn's x_* pattern */
    PyObject *base_slots[6];     /* names of Message's slots that start as None */
    Py_ssize_t base_offsets[6];  /* and where they are, the same in every class */
    PyObject *role_classes[WFBS_TABLE_COUNT]; /* by table; NULL where not a role */
    PyObject *role_names[WFBS_TABLE_COUNT][WFBS_MAX_FIELDS]; /* field names of role tables */
    PyObject *enum_names[WFBS_ENUM_COUNT][80]; /* by value; NULL where no name */
    PyObject *str_session, *str_authid, *str_authrole, *str_serialized;
    PyObject *helpers;           /* autobahn_fbs._helpers, imported on first need */
    wfbs_counters counters;
    wfbs_cbor cbor;
    wfbs_flex flex;
    wfbs_buffer payload_scratch; /* taken out while in use */
    wfbs_buffer output_scratch;
} wfbs_state;

/* What follows Autobahn's slots in a received message. */
typedef struct {
    PyObject *buffer;       /* owned, exact bytes; NULL if made by the constructor */
    const uint8_t *data;    /* the message inside it */
    uint32_t size;
    uint32_t table;         /* position of the message's table */
    uint32_t metadata;      /* position of the metadata, 0 if none */
    uint32_t metadata_size;
    uint32_t assigned;      /* bit per attribute: set by the user */
    uint32_t exposed;       /* bit per attribute: a mutable object was handed out */
    PyObject *ppt_cipher;   /* owned: the slot of an attribute that Autobahn's class lacks */
    uint8_t dialect;
    uint8_t uncounted;      /* a copy: what is decoded in it was counted as received elsewhere */
} wfbs_received;

static inline wfbs_received *
wfbs_received_of(const wfbs_class *c, PyObject *self)
{
    return (wfbs_received *)((char *)self + c->tail);
}

static inline PyObject **
wfbs_slot_of(PyObject *self, Py_ssize_t offset)
{
    return (PyObject **)((char *)self + offset);
}

/* ---- module.c */
/* The state of the module that `self` is. Cannot fail. */
wfbs_state *wfbs_state_of(PyObject *module);
/* The state behind an instance of a type made by this module, or of a Python
 * subclass of one; NULL with TypeError. */
wfbs_state *wfbs_state_by_type(PyTypeObject *type);
/* `state`, or NULL with RuntimeError if the collector has cleared it already: at the
 * interpreter's end, finalizers can still hold messages. */
wfbs_state *wfbs_state_alive(wfbs_state *state);
/* Calls a function of autobahn_fbs._helpers; arguments as for PyObject_CallFunctionObjArgs.
 * New reference, or NULL with an exception. */
PyObject *wfbs_call_helper(wfbs_state *state, const char *name, PyObject *a, PyObject *b,
                           PyObject *c);
/* Raises ProtocolError from printf-like text; returns NULL. */
PyObject *wfbs_raise_protocol(wfbs_state *state, const char *format, ...);
/* Raises ProtocolError for what verification found; returns NULL. */
PyObject *wfbs_raise_verify(wfbs_state *state, const wfbs_error *error);
/* Whether the pending exception is about the value at hand: not MemoryError, nor
 * KeyboardInterrupt and the like, which go on as they are. */
bool wfbs_error_is_about_value(void);
/* What an exception says: "ValueError: too long", or just its type if it can't say it. New str, or
 * NULL with MemoryError or what is not about a value. */
PyObject *wfbs_error_description(PyObject *error);

/* ---- input.c */
/* Where bytes to read are, and the bytes object that keeps them. */
typedef struct {
    PyObject *buffer; /* owned, exact bytes */
    const uint8_t *data;
    size_t size;
} wfbs_input;
/* The bytes of `object` (borrowed; anything with a buffer). Bytes, and views onto bytes, are
 * shared; everything else is copied once, because a buffer that changes after it was verified
 * is a hole. `flags` as for PyObject_GetBuffer: PyBUF_FULL_RO takes pieces, too, PyBUF_SIMPLE not.
 * 0, with in->buffer to be released by the caller; or -1 with an exception. */
int wfbs_input_open(PyObject *object, int flags, wfbs_input *in);

/* ---- counters.c */
/* The counters as a new dict, those of refusals in a dict in it. New reference or NULL. */
PyObject *wfbs_counters_dict(wfbs_counters *counters);

/* ---- types.c */
/* Makes the 25 received types. 0, or -1 with an exception. */
int wfbs_classes_create(wfbs_state *state, PyObject *message_module);
/* The class of a message: exact types by hash, subclasses by walking up. NULL
 * without an exception if `type` is no message class. */
wfbs_class *wfbs_class_find(wfbs_state *state, PyTypeObject *type);

/* ---- received.c */
/* A received message over `buffer` (borrowed; exact bytes), whose message lies
 * at `data`. New reference or NULL. */
PyObject *wfbs_received_new(wfbs_class *c, PyObject *buffer, const uint8_t *data, size_t size,
                            const wfbs_envelope *envelope, wfbs_dialect dialect);
extern PyType_Slot wfbs_received_slots[];
extern PyMethodDef wfbs_received_methods[];
/* Accessors for PyGetSetDef; the closure is a wfbs_attribute or a wfbs_class. */
PyObject *wfbs_received_get(PyObject *self, void *attribute);
PyObject *wfbs_received_get_private(PyObject *self, void *attribute);
int wfbs_received_set(PyObject *self, PyObject *value, void *attribute);
int wfbs_received_set_private(PyObject *self, PyObject *value, void *attribute);
PyObject *wfbs_received_view(PyObject *self, void *attribute);
PyObject *wfbs_received_get_serialized(PyObject *self, void *owner);
int wfbs_received_set_serialized(PyObject *self, PyObject *value, void *owner);
/* Whether a received message still says what its bytes say: 1, 0, or -1. */
int wfbs_received_unchanged(wfbs_class *c, PyObject *self);

/* ---- decode.c */
/* Decodes one attribute from the verified buffer. New reference (None if
 * absent) or NULL with ProtocolError or MemoryError. */
PyObject *wfbs_decode_attribute(const wfbs_attribute *a, const wfbs_received *r);
/* The bytes of a present args, kwargs or payload field; data is NULL if absent. */
wfbs_span wfbs_decode_span(const wfbs_attribute *a, const wfbs_received *r);
/* The value of a small unsigned field, 0 if absent. */
uint8_t wfbs_decode_u8(const wfbs_class *c, const wfbs_received *r, wfbs_as as);
/* str from verified UTF-8. New reference or NULL. */
PyObject *wfbs_decode_text(wfbs_span text);

/* ---- payload.c */
enum {
    WFBS_CODEC_CBOR = 0,
    WFBS_CODEC_CBOR_NAMED = 3,
    WFBS_CODEC_NAMED = 5,
    WFBS_CODEC_FLEXBUFFERS = 7
};
/* A payload codec: its value in the schema's PPTSerializer and, for WFBS_CODEC_NAMED
 * (OPAQUE there), its name, which travels in the metadata. */
typedef struct {
    unsigned number;
    PyObject *name; /* borrowed str, or NULL */
} wfbs_codec;
/* The metadata entry that names a custom codec. */
#define WFBS_CODEC_KEY "ppt_serializer"
/* Appends the encoding of `value` to `out`. 0, or -1 with the codec's exception. */
int wfbs_payload_encode(wfbs_state *state, wfbs_codec codec, PyObject *value, wfbs_buffer *out);
/* The codec that wrote a received message's args and kwargs. The name's reference is new (NULL if
 * it has none). 0, or -1 with ProtocolError. */
int wfbs_payload_codec(const wfbs_class *c, const wfbs_received *r, wfbs_codec *codec);
/* Decodes args or kwargs of a received message. New reference or NULL. */
PyObject *wfbs_payload_decode(const wfbs_class *c, const wfbs_received *r, wfbs_span view);
/* A read-only memoryview of `span`, which lies in the bytes object `buffer`. New reference. */
PyObject *wfbs_payload_view(PyObject *buffer, wfbs_span span);

/* ---- encode.c */
/* The length before a message of a batch: 32 bits, big-endian. */
static inline void
wfbs_store_length(uint8_t *to, size_t size)
{
    to[0] = (uint8_t)(size >> 24);
    to[1] = (uint8_t)(size >> 16);
    to[2] = (uint8_t)(size >> 8);
    to[3] = (uint8_t)size;
}
/* Encodes a message of class `c`, framed if `batched`. New bytes, or NULL with
 * TypeError, ValueError or MemoryError. */
PyObject *wfbs_encode_message(wfbs_class *c, PyObject *message, wfbs_dialect dialect, bool batched,
                              wfbs_codec codec);
/* ---- convert.c */
/* What a conversion holds on to until the message is written. */
typedef struct {
    void *blocks[WFBS_MAX_FIELDS + 8]; /* owned, PyMem */
    unsigned count;
} wfbs_arena;
void wfbs_arena_free(wfbs_arena *arena);
/* `count` zeroed elements of `size` bytes that live as long as the arena, or NULL
 * with MemoryError. */
void *wfbs_arena_take(wfbs_arena *arena, size_t count, size_t size);

typedef enum { WFBS_CONVERT_ERROR = -1, WFBS_CONVERT_OK = 0, WFBS_CONVERT_METADATA = 1 } wfbs_converted;
/* Converts `value` (borrowed, not None; must outlive the result) into *out. OK,
 * METADATA if the typed field can't express it, or ERROR with TypeError/ValueError
 * that names the attribute. Runs no Python code for exact types but roles. */
wfbs_converted wfbs_convert(wfbs_attribute *a, PyObject *value, wfbs_arena *arena, wfbs_value *out);
/* Raises `exception` as "EVENT.topic: ..." with printf-like text; returns ERROR. */
wfbs_converted wfbs_refuse(const wfbs_attribute *a, PyObject *exception, const char *format, ...);
/* Whether `value` may be an enc_algo, enc_serializer or ppt_cipher: a name out of the
 * enum, or a custom x_ one. 1, 0, or -1 with an exception. */
int wfbs_is_ppt_name(const wfbs_attribute *a, PyObject *value);
/* Whether an exact int or float equals False or True, as `value in [True, False]`. */
bool wfbs_equals_bool(PyObject *value);
/* Turns the pending exception of a codec into TypeError or ValueError that names
 * the attribute, the original as its cause; returns ERROR. */
wfbs_converted wfbs_refuse_encoding(const wfbs_attribute *a);

/* ---- metadata.c */
/* Encodes the attributes in `mask` as a CBOR map at the end of `out`; under the
 * schema dialect the whole details of `message`. `values` are borrowed and there
 * for the attributes in `held`; the others are None. 0, or -1 with an exception. */
int wfbs_metadata_encode(wfbs_class *c, PyObject *message, PyObject *const *values, uint32_t held,
                         uint32_t mask, wfbs_dialect dialect, wfbs_codec codec,
                         wfbs_buffer *out);
/* The name of the custom codec that wrote a received message's payload. New
 * reference (None if it is not stated) or NULL with ProtocolError. */
PyObject *wfbs_metadata_codec(const wfbs_class *c, const wfbs_received *r);
/* Reads a received message's metadata into its slots. 0, or -1 with ProtocolError. */
int wfbs_metadata_apply(wfbs_class *c, PyObject *self);

/* ---- transport.c  */
extern PyType_Spec wfbs_object_serializer_spec;
extern PyType_Spec wfbs_transport_serializer_spec;
/* Serializes for an object serializer: cache, pass-on, encode. New bytes or NULL. */
PyObject *wfbs_serialize(wfbs_state *state, PyObject *object_serializer, PyObject *message);

#endif
