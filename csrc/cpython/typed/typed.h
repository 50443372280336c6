/* Typed payloads: FlatBuffers of a schema that is loaded at run time, to Python values and back.
 *
 *   state.c     the module's part: types, what is kept between calls
 *   schema.c    TypedSchema: a .bfbs and its plan, the classes of its tables
 *   enums.c     enums and names
 *   layout.c    what one class is for a table: its slots, names and defaults
 *   classes.c   the classes of tables and structs
 *   instance.c  TypedTable: the life of an instance
 *   values.c    scalars and texts, both ways
 *   decode.c    bytes -> instances or dicts
 *   structs.c   values as sources, structs and texts -> bytes
 *   encode.c    tables and buffers -> bytes
 *   vectors.c   the vectors and unions of encode.c
 *   words.c     uint128_t and its like
 *   describe.c  a .bfbs as dicts
 *   codec.c     TypedCodec: one table as the root of buffers
 *   catalog.c   TypedCatalog: codecs by name
 *   lazy.c      TypedLazy: fields on demand; values by path
 *   union.c     TypedUnion: a union's member with its name
 *   errors.c    InvalidPayload
 *
 * A schema is immutable once a class of it has been handed out. */
#ifndef WFBS_TYPED_H
#define WFBS_TYPED_H

#include "../base/buffer.h" /* before all else, since Python.h wants to be the first header */

#include <stdbool.h>

#include "../../core/schema/build.h"
#include "../../core/schema/demand.h"
#include "../../core/flex_tokens.h"
#include "../../core/schema/load.h"
#include "../../core/schema/path.h"
#include "../../core/schema/reflection.h"
#include "../../core/schema/verify.h"
#include "../../core/schema/walk.h"

/* ---- state.c */

/* The part of the module's state; zero-filled by the module. */
typedef struct {
    PyTypeObject *schema_type;
    PyTypeObject *codec_type;
    PyTypeObject *meta_type;  /* of the classes made at run time */
    PyTypeObject *table_type; /* their base */
    PyTypeObject *lazy_type;
    PyTypeObject *union_type;
    PyTypeObject *catalog_type;
    PyObject *invalid_payload; /* autobahn.wamp.exception.InvalidPayload */
    PyObject *uuid;            /* uuid.UUID */
    PyObject *helpers;         /* autobahn_fbs.typed._classes, imported on first need */
    PyObject *str_bytes, *str_int, *str_to_dict, *str_codec;
#ifndef Py_GIL_DISABLED
    uint8_t *scratch; /* owned, PyMem: the builder's memory, NULL while it's in use */
    size_t scratch_size;
#endif
} wfbs_typed;

/* As wfbs_flex_init, _traverse and _clear. */
int wfbs_typed_init(wfbs_typed *t, PyObject *module);
int wfbs_typed_traverse(wfbs_typed *t, visitproc visit, void *arg);
void wfbs_typed_clear(wfbs_typed *t);
/* The state behind a type that this module made, or one below it. NULL with an exception. */
wfbs_typed *wfbs_typed_of(PyTypeObject *type);
/* Calls a function of autobahn_fbs.typed._classes with `count` arguments. New reference or NULL. */
PyObject *wfbs_typed_help(wfbs_typed *t, const char *name, PyObject *const *args, size_t count);

/* ---- layout.c */

/* How instances of a class are made and read. */
typedef enum {
    WFBS_CLASS_OURS,  /* made by us: C fills the slots of new memory */
    WFBS_CLASS_SLOTS, /* a user's whose fields are all slots, without code that runs on creation */
    WFBS_CLASS_CALLED /* a user's that is called with keywords */
} wfbs_class_kind;

/* One field of a table that values have: hidden tags and deprecated fields are left out. */
typedef struct {
    uint32_t number;   /* of the plan's field, in its object */
    Py_ssize_t offset; /* of the slot in an instance; 0 if there is none */
    PyObject *name;    /* owned, interned: the attribute's */
    PyObject *wire;    /* owned, interned: the schema's */
    PyObject *tag;     /* owned, interned: of a union "u_type", else NULL */
    PyObject *absent;  /* owned: the value where nothing is written: the default, or None */
} wfbs_member;

/* A table or struct of a schema in Python. Owned by the schema, immutable once made. */
typedef struct wfbs_layout {
    wfbs_class_kind kind;
    uint32_t object;
    PyTypeObject *type;     /* owned */
    PyObject *by_name;      /* owned dict: the schema's names -> index into members */
    PyObject *by_attribute; /* owned dict: attribute names -> index into members */
    uint32_t count;
    wfbs_member members[];
} wfbs_layout;

struct wfbs_schema;

/* The layout of an object, which is made on first need. Borrowed, or NULL with an exception. */
wfbs_layout *wfbs_layout_of(struct wfbs_schema *schema, uint32_t object);
/* The same for what an object can contain, so that decoding finds all it needs. 0 or -1. */
int wfbs_layout_closure(struct wfbs_schema *schema, uint32_t object);
/* Makes `type` (borrowed) the class of an object that has none yet: a user's, or one of ours of
 * another schema, where the table is the same. 0 or -1. */
int wfbs_layout_bind(struct wfbs_schema *schema, uint32_t object, PyTypeObject *type);
void wfbs_layout_free(wfbs_layout *layout);
/* Whether a field is a member of values: a hidden tag or a deprecated field isn't. */
static inline bool
wfbs_is_member(const wfbs_plan_field *f)
{
    return !(f->flags & (WFBS_FIELD_TAG | WFBS_FIELD_DEPRECATED)) && f->shape != WFBS_SHAPE_NONE;
}
/* What stands for a field that is absent: its default, or None. New reference or NULL. */
PyObject *wfbs_absent_value(struct wfbs_schema *schema, const wfbs_plan_field *f);

/* ---- schema.c */

/* An enum in Python: arrays of objects beside the plan's values. */
typedef struct {
    PyObject *type;    /* owned: IntEnum or IntFlag; NULL until needed */
    PyObject **names;  /* owned, interned: the values' names, so many as there are values */
    PyObject **values; /* owned: members of `type` */
} wfbs_enum_objects;

typedef struct wfbs_schema {
    PyObject_HEAD
    wfbs_typed *typed;
    PyObject *data; /* owned bytes: the .bfbs */
    void *memory;   /* owned, PyMem: the plan's arrays */
    wfbs_plan plan;
    wfbs_layout **layouts;    /* owned: by object, NULL until needed */
    PyObject **codecs;        /* owned: by object, NULL until needed */
    wfbs_enum_objects *enums; /* owned: by enum */
    PyObject *weakrefs;
} wfbs_schema;

extern PyType_Spec wfbs_typed_schema_spec;
/* The Python enum of an enum or union, made on first need. Borrowed, or NULL with an exception. */
wfbs_enum_objects *wfbs_enum_of(wfbs_schema *schema, uint32_t index);
/* Releases what an enum of `count` values holds. */
void wfbs_enum_free(wfbs_enum_objects *objects, uint32_t count);
/* A str of a name of the plan, interned. New reference or NULL. */
PyObject *wfbs_name_str(wfbs_name name);
/* Appends that str to a list; on failure releases the list and sets it to NULL, with an exception. */
void wfbs_names_append(PyObject **list, wfbs_name name);
/* The list, which is released and may be NULL, as a tuple. New reference or NULL. */
PyObject *wfbs_names_tuple(PyObject *list);
/* The value of a .bfbs as the plan of reflection reads it: a dict. New reference or NULL. */
PyObject *wfbs_schema_describe(wfbs_schema *schema);

/* ---- classes.c */

/* A class made at run time: what a type has, and ours. In Python, classes below it are made by the
 * same metaclass, and not adopted. The collector clears schema and layout of a class in a cycle. */
typedef struct {
    PyHeapTypeObject heap;
    wfbs_schema *schema; /* owned */
    wfbs_layout *layout; /* borrowed from the schema */
    Py_ssize_t slots;    /* so many, one after the other behind the head of an object */
    bool adopted;
} wfbs_typed_class;

extern PyType_Spec wfbs_typed_meta_spec;
/* Makes the class of an object; the names of its members in the schema and in Python are tuples.
 * New reference or NULL. */
PyTypeObject *wfbs_class_new(wfbs_schema *schema, uint32_t object, PyObject *wire,
                             PyObject *attributes);
/* The offset of an attribute's slot in instances of a type: 0 if it is no slot; -1 with an exception. */
Py_ssize_t wfbs_class_slot(PyTypeObject *type, PyObject *attribute);
/* Makes the descriptors of a class' slots read-only, so that its tp_setattro alone writes them. */
void wfbs_class_guard(PyTypeObject *type, const wfbs_layout *layout);
/* The class of an instance of ours, by its type: NULL without an exception for other types. */
wfbs_typed_class *wfbs_class_of(PyTypeObject *type);

/* ---- instance.c */

extern PyType_Spec wfbs_typed_table_spec;
/* Says what instances of a new class are; to be called once. */
void wfbs_class_adopt(PyTypeObject *type, wfbs_schema *schema, wfbs_layout *layout);
/* An instance of a class of ours, all slots NULL; not yet tracked by the collector. New reference
 * or NULL. */
PyObject *wfbs_instance_new(PyTypeObject *type);
/* To be called when the slots are filled; `holds` says whether one can hold references in turn. */
void wfbs_instance_finish(PyObject *self, bool holds);
static inline PyObject **
wfbs_member_of(PyObject *self, const wfbs_member *m)
{
    return (PyObject **)((char *)self + m->offset);
}

/* ---- union.c */

/* Makes the type TypedUnion: a tuple of name and value. New reference or NULL. */
PyTypeObject *wfbs_union_type(PyObject *module);
/* A member of a union that needs its name. New reference or NULL. */
PyObject *wfbs_union_new(wfbs_typed *t, PyObject *name, PyObject *value);

/* ---- errors.c */

/* Raises InvalidPayload for a fault whose steps are of `plan`; returns NULL. A pending exception
 * stays instead. `bytes` says whether the offset is of a buffer. */
PyObject *wfbs_raise_fault(wfbs_typed *t, const wfbs_fault *fault, const wfbs_plan *plan,
                           uint32_t root, bool bytes);

/* ---- values.c: one scalar or text, both ways */

/* How a whole buffer is encoded. */
typedef struct {
    const char *identifier;    /* 4 bytes, borrowed; NULL for none */
    const wfbs_limits *limits; /* those that the buffer will be verified by; NULL for none */
    bool keep_kwargs; /* at the top: fields with `kwarg` are written though equal to defaults */
    bool sort_keys;   /* vectors of tables with a key are sorted */
    bool strict;      /* bytes given for nested buffers are verified strictly */
    bool discard;     /* nothing is made of it */
} wfbs_encode_options;

/* What encodes: the buffer in the making, and the first fault. */
typedef struct wfbs_encoding {
    wfbs_builder builder; /* first: wfbs_builder's `grow` gets its address */
    wfbs_schema *schema;
    wfbs_fault *fault;
    unsigned depth; /* levels that are left */
    /* Write a table, and one as a buffer of its own: for the vectors, which are below encode.c. */
    uint32_t (*table)(struct wfbs_encoding *e, uint32_t object, PyObject *value);
    PyObject *(*nested)(struct wfbs_encoding *e, uint32_t object, PyObject *value);
    const wfbs_encode_options *options;
    bool is_nested; /* the buffer will be the bytes of a field */
} wfbs_encoding;

/* Fills the fault with printf-like text about a value; returns false. */
bool wfbs_refuse_value(wfbs_fault *fault, const char *format, ...);
/* The same for "X expected, got TYPE". */
bool wfbs_refuse_type(wfbs_fault *fault, const char *expected, PyObject *got);
/* Fills the fault for a builder without room; returns false, perhaps with MemoryError. */
bool wfbs_refuse_room(wfbs_encoding *e);

/* A Python value as the bits of a field's scalar, or of a scalar element of it. False with the
 * fault filled, or with an exception. Runs Python code only for objects with __index__. */
bool wfbs_scalar_bits(wfbs_encoding *e, const wfbs_plan_field *field, PyObject *value,
                      uint64_t *bits);
/* The object of a scalar's bits. `enums` gives members of enums, `names` their names as str instead.
 * New reference or NULL. */
typedef enum { WFBS_ENUM_MEMBERS, WFBS_ENUM_NAMES, WFBS_ENUM_NUMBERS } wfbs_enum_form;
PyObject *wfbs_scalar_object(wfbs_schema *schema, const wfbs_plan_field *field, uint64_t bits,
                             wfbs_enum_form form);
/* The tag of a union's member by its name or number. False as above. */
bool wfbs_tag_of(wfbs_encoding *e, uint32_t index, PyObject *value, uint32_t *number);
/* Whether the value of a struct of words is given as one: then its bytes are stored at `to`.
 * 1, 0 if it is something else, -1 as above. */
int wfbs_words_bytes(wfbs_encoding *e, const wfbs_plan_field *field, const wfbs_plan_object *object,
                     PyObject *value, uint8_t *to);
/* The object that a struct of words with a WAMP attribute stands for; `plain` for what JSON knows.
 * New reference or NULL; Py_NotImplemented (new) where the struct is not one of words. */
PyObject *wfbs_words_object(wfbs_schema *schema, const wfbs_plan_field *field,
                            const wfbs_plan_object *object, const uint8_t *from, bool plain);
/* str from valid UTF-8. New reference or NULL. */
PyObject *wfbs_text_object(const uint8_t *data, size_t size);

/* ---- decode.c */

typedef enum {
    WFBS_FORM_INSTANCE, /* instances */
    WFBS_FORM_PRESENT,  /* dicts of what is there, all the way down */
    WFBS_FORM_FULL,     /* the same with defaults */
    WFBS_FORM_TOP       /* a dict of what is there, of values as in instances */
} wfbs_form;

/* The bytes that are decoded, and how. All have been verified. */
typedef struct {
    wfbs_schema *schema;
    const uint8_t *data;
    wfbs_form form;
    PyObject *owner; /* borrowed: the bytes object, for views; NULL for copies */
} wfbs_decoding;

/* The table at a position. New reference or NULL. */
PyObject *wfbs_decode_table(const wfbs_decoding *d, uint32_t object, uint32_t table);
/* A member's value in the table; what is absent is a new reference to `absent`, or NULL without an
 * exception if the form leaves it out. *present is set. */
PyObject *wfbs_decode_member(const wfbs_decoding *d, const wfbs_layout *layout,
                             const wfbs_member *member, uint32_t table, bool *present);
PyObject *wfbs_decode_struct(const wfbs_decoding *d, uint32_t object, const uint8_t *from);
/* A member of the struct at `from`. */
PyObject *wfbs_decode_struct_member(const wfbs_decoding *d, const wfbs_plan_field *field,
                                    const uint8_t *from);
/* One element of a vector or array field whose elements begin at `elements`. */
PyObject *wfbs_decode_element(const wfbs_decoding *d, const wfbs_plan_field *field,
                              uint32_t elements, uint32_t i);

/* ---- structs.c */

/* How the members of a value are read. */
typedef enum {
    WFBS_FROM_SLOTS,
    WFBS_FROM_ATTRIBUTES,
    WFBS_FROM_DICT,
    WFBS_FROM_SEQUENCE
} wfbs_source_kind;

typedef struct {
    wfbs_source_kind kind;
    PyObject *value; /* owned */
    const wfbs_layout *layout;
    Py_ssize_t found; /* keys of a dict that were asked for and there */
} wfbs_source;

/* Says how `value` stands for the object; a sequence can for a struct. False with the fault filled
 * or an exception. After success wfbs_source_close, or the release of s->value, is due. */
bool wfbs_source_open(wfbs_encoding *e, uint32_t object, PyObject *value, bool sequences,
                      wfbs_source *s);
/* One member's value: *out is a new reference, or NULL if it isn't given. */
bool wfbs_source_get(wfbs_source *s, uint32_t i, PyObject **out);
/* Releases it. False for a mapping with a key that is no field. */
bool wfbs_source_close(wfbs_encoding *e, wfbs_source *s);
/* A struct that is field `f` or an element of it: words can be given as one value. */
bool wfbs_encode_struct_field(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *value,
                              size_t place);

/* ---- encode.c, vectors.c */

/* Writes a value as a table of type `object`. Its ref; 0 with the fault filled or an exception. */
uint32_t wfbs_encode_table(wfbs_encoding *e, uint32_t object, PyObject *value);
/* Writes a value as a struct into the zeroed bytes at `place`, counted from the start of the
 * builder's memory. */
bool wfbs_encode_struct(wfbs_encoding *e, uint32_t object, PyObject *value, size_t place);
/* Fills one field's cell (two for a union: its tag's as well), which are at `cells`. */
bool wfbs_encode_vector(wfbs_encoding *e, uint32_t object, uint32_t number, PyObject *value,
                        PyObject *tags, size_t cells);
bool wfbs_encode_union(wfbs_encoding *e, uint32_t object, uint32_t number, PyObject *value,
                       PyObject *tag, size_t cells);
/* Whether the tag(s) that a mapping has are right for a union that it hasn't. */
bool wfbs_check_no_union(wfbs_encoding *e, const wfbs_plan_field *field, PyObject *tag);
/* The ref of a str. 0 as above. */
uint32_t wfbs_encode_text(wfbs_encoding *e, uint8_t demand, PyObject *value);
/* A struct's value as a dict, by way of its bytes. New reference or NULL. */
PyObject *wfbs_struct_dict(wfbs_schema *schema, uint32_t object, PyObject *value);
/* A whole buffer. New bytes or NULL; None instead of them to `discard` it. */
PyObject *wfbs_encode_root(wfbs_schema *schema, uint32_t object, PyObject *value,
                           const wfbs_encode_options *options);

/* ---- codec.c, lazy.c */

typedef struct {
    PyObject_HEAD
    wfbs_schema *schema; /* owned */
    uint32_t object;
    bool ready;     /* the classes of all that the table can contain are made */
    PyObject *name; /* owned */
    wfbs_limits limits;
} wfbs_codec_object;

/* Its methods, which the catalog has as well. */
#define FAST(function) (PyCFunction)(void (*)(void))(function), METH_FASTCALL | METH_KEYWORDS
PyObject *wfbs_codec_encode(PyObject *self, PyObject *const *args, Py_ssize_t count,
                            PyObject *names);
PyObject *wfbs_codec_decode(PyObject *self, PyObject *const *args, Py_ssize_t count,
                            PyObject *names);
PyObject *wfbs_codec_verify(PyObject *self, PyObject *const *args, Py_ssize_t count,
                            PyObject *names);
PyObject *wfbs_codec_lazy(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *wfbs_codec_get(PyObject *self, PyObject *const *args, Py_ssize_t count);

extern PyType_Spec wfbs_typed_codec_spec;
extern PyType_Spec wfbs_typed_catalog_spec;
extern PyType_Spec wfbs_typed_lazy_spec;
PyObject *wfbs_codec_new(wfbs_schema *schema, uint32_t object);
/* A lazy table of a verified FlatBuffer at `data`, which `buffer` (borrowed bytes) keeps. */
PyObject *wfbs_lazy_new(wfbs_schema *schema, uint32_t object, PyObject *buffer, const uint8_t *data,
                        uint32_t table);

#endif
