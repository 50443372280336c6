/* Typed payloads: converts FlatBuffers of a schema that is loaded at run time to Python values and
 * back.
 *
 *   state.c     the module's part: types, what is kept between calls
 *   schema.c    TypedSchema: a .bfbs and its plan, the classes of its tables
 *   enums.c     enums and names
 *   layout.c    the layout of a class: its slots, names and defaults
 *   classes.c   the classes of tables and structs
 *   instance.c  TypedTable: the life of an instance
 *   values.c    scalars and texts, both ways
 *   decode.c    bytes -> instances or dicts
 *   structs.c   values as sources, structs and texts -> bytes
 *   encode.c    tables and buffers -> bytes
 *   vectors.c   the vectors and unions of encode.c
 *   words.c     uint128_t and similar
 *   describe.c  a .bfbs as dicts
 *   codec.c     TypedCodec: one table as the root of buffers
 *   catalog.c   TypedCatalog: codecs by name
 *   lazy.c      TypedLazy: fields on demand; values by path
 *   union.c     TypedUnion: a union's member with its name
 *   errors.c    refusals of values, InvalidPayload
 *
 * A schema is immutable once one of its classes has been returned. */
#ifndef WFBS_TYPED_H
#define WFBS_TYPED_H

#include "../base/text.h" /* first of all, because Python.h must be the first header */

#include <stdbool.h>

#include "../../core/schema/build.h"
#include "../../core/schema/wamp_attributes.h"
#include "../../core/flex_tokens.h"
#include "../../core/schema/load.h"
#include "../../core/schema/path.h"
#include "../../core/schema/reflection.h"
#include "../../core/schema/verify.h"
#include "../../core/schema/walk.h"

/* ---- state.c */

/* The typed part of the module's state; the module zeroes it. */
typedef struct {
    PyTypeObject *schema_type;
    PyTypeObject *codec_type;
    PyTypeObject *meta_type;  /* metaclass of the classes made at run time */
    PyTypeObject *table_type; /* their base */
    PyTypeObject *lazy_type;
    PyTypeObject *union_type;
    PyTypeObject *catalog_type;
    PyObject *invalid_payload; /* autobahn.wamp.exception.InvalidPayload */
    PyObject *uuid;            /* uuid.UUID */
    PyObject *helpers;         /* autobahn_fbs.typed._classes, imported on first use */
    PyObject *str_bytes, *str_int, *str_to_dict, *str_codec;
#ifndef Py_GIL_DISABLED
    uint8_t *scratch; /* owned, PyMem: the builder's memory, NULL while it's in use */
    size_t scratch_size;
#endif
} wfbs_typed;

/* Like wfbs_flex_init, _traverse and _clear. */
int wfbs_typed_init(wfbs_typed *t, PyObject *module);
int wfbs_typed_traverse(wfbs_typed *t, visitproc visit, void *arg);
void wfbs_typed_clear(wfbs_typed *t);
/* The state for a type that this module made, or for a subclass. NULL with an exception. */
wfbs_typed *wfbs_typed_of(PyTypeObject *type);
/* Calls a function of autobahn_fbs.typed._classes with `count` arguments. New reference or NULL. */
PyObject *wfbs_typed_help(wfbs_typed *t, const char *name, PyObject *const *args, size_t count);

/* ---- layout.c */

/* How instances of a class are created and read. */
typedef enum {
    WFBS_CLASS_OURS,  /* made by us: C fills the slots of new instances */
    WFBS_CLASS_SLOTS, /* a user's, whose fields are all slots, and whose creation runs no code */
    WFBS_CLASS_CALLED /* a user's that is called with keywords */
} wfbs_class_kind;

/* One field of a table that is part of values: hidden types of unions and deprecated fields are
 * left out. */
typedef struct {
    uint32_t number;   /* number of the plan's field in its object */
    Py_ssize_t offset; /* offset of the slot in an instance; 0 if there is none */
    PyObject *name;    /* owned, interned: the attribute name */
    PyObject *wire;    /* owned, interned: the name in the schema */
    PyObject *tag;     /* owned, interned: for a union, "u_type"; else NULL */
    PyObject *absent;  /* owned: the value if absent: the default, or None */
} wfbs_member;

/* A table or struct of a schema in Python. Owned by the schema, immutable once created. */
typedef struct wfbs_layout {
    wfbs_class_kind kind;
    uint32_t object;
    PyTypeObject *type;     /* owned */
    PyObject *by_name;      /* owned dict: names in the schema -> index into members */
    PyObject *by_attribute; /* owned dict: attribute names -> index into members */
    uint32_t count;
    wfbs_member members[];
} wfbs_layout;

struct wfbs_schema;

/* The layout of an object, created on first use. Borrowed, or NULL with an exception. */
wfbs_layout *wfbs_layout_of(struct wfbs_schema *schema, uint32_t object);
/* The same for everything that an object can contain, so that decoding finds all layouts. 0 or
 * -1. */
int wfbs_layout_closure(struct wfbs_schema *schema, uint32_t object);
/* Makes `type` (borrowed) the class of an object that has none yet. The type is a user's, or one of
 * ours from another schema with the same table. 0 or -1. */
int wfbs_layout_bind(struct wfbs_schema *schema, uint32_t object, PyTypeObject *type);
void wfbs_layout_free(wfbs_layout *layout);
/* Whether a field is a member of values. A hidden type of a union or a deprecated field isn't. */
static inline bool
wfbs_is_member(const wfbs_plan_field *f)
{
    return !(f->flags & (WFBS_FIELD_TAG | WFBS_FIELD_DEPRECATED)) && f->shape != WFBS_SHAPE_NONE;
}
/* The value of an absent field: its default, or None. New reference or NULL. */
PyObject *wfbs_absent_value(struct wfbs_schema *schema, const wfbs_plan_field *f);

/* ---- schema.c */

/* An enum in Python: arrays of objects parallel to the plan's values. */
typedef struct {
    PyObject *type;    /* owned: IntEnum or IntFlag; NULL until needed */
    PyObject **names;  /* owned, interned: the names of all values */
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
/* The Python enum of an enum or union, created on first use. Borrowed, or NULL with an
 * exception. */
wfbs_enum_objects *wfbs_enum_of(wfbs_schema *schema, uint32_t index);
/* Releases the objects of an enum with `count` values. */
void wfbs_enum_free(wfbs_enum_objects *objects, uint32_t count);
/* A name of the plan as an interned str. New reference or NULL. */
PyObject *wfbs_name_str(wfbs_name name);
/* Appends that str to a list. On failure, releases the list and sets it to NULL, with an
 * exception. */
void wfbs_names_append(PyObject **list, wfbs_name name);
/* Converts the list, which may be NULL, to a tuple and releases it. New reference or NULL. */
PyObject *wfbs_names_tuple(PyObject *list);
/* Decodes a .bfbs by reflection's plan to a dict. New reference or NULL. */
PyObject *wfbs_schema_describe(wfbs_schema *schema);

/* ---- classes.c */

/* A class made at run time: a type object followed by our data. Its Python subclasses have the same
 * metaclass, but are not adopted. The collector clears schema and layout of a class in a cycle. */
typedef struct {
    PyHeapTypeObject heap;
    wfbs_schema *schema; /* owned */
    wfbs_layout *layout; /* borrowed from the schema */
    Py_ssize_t slots;    /* number of slots, which follow an object's header */
    bool adopted;
} wfbs_typed_class;

extern PyType_Spec wfbs_typed_meta_spec;
/* Creates the class of an object. The names of its members in the schema and in Python are tuples.
 * New reference or NULL. */
PyTypeObject *wfbs_class_new(wfbs_schema *schema, uint32_t object, PyObject *wire,
                             PyObject *attributes);
/* The offset of an attribute's slot in instances of a type: 0 if it isn't a slot; -1 with an
 * exception. */
Py_ssize_t wfbs_class_slot(PyTypeObject *type, PyObject *attribute);
/* Makes the descriptors of a class's slots read-only, so that only its tp_setattro writes them. */
void wfbs_class_guard(PyTypeObject *type, const wfbs_layout *layout);
/* The class of an instance of ours, from its type: NULL without an exception for other types. */
wfbs_typed_class *wfbs_class_of(PyTypeObject *type);

/* ---- instance.c */

extern PyType_Spec wfbs_typed_table_spec;
/* Sets the attributes of a new class that depend on its instances. Call it once. */
void wfbs_class_adopt(PyTypeObject *type, wfbs_schema *schema, wfbs_layout *layout);
/* An instance of a class of ours, with all slots NULL, not yet tracked by the collector. New
 * reference or NULL. */
PyObject *wfbs_instance_new(PyTypeObject *type);
/* Call this when the slots are filled; `holds` says whether one of them can refer to other
 * objects. */
void wfbs_instance_finish(PyObject *self, bool holds);
static inline PyObject **
wfbs_member_of(PyObject *self, const wfbs_member *m)
{
    return (PyObject **)((char *)self + m->offset);
}

/* ---- union.c */

/* Creates the type TypedUnion: a tuple of name and value. New reference or NULL. */
PyTypeObject *wfbs_union_type(PyObject *module);
/* A member of a union that needs its name. New reference or NULL. */
PyObject *wfbs_union_new(wfbs_typed *t, PyObject *name, PyObject *value);

/* ---- the state of encoding */

/* Options for encoding a whole buffer. */
typedef struct {
    const char *identifier;    /* 4 bytes, borrowed; NULL for none */
    const wfbs_limits *limits; /* those for verifying the buffer; NULL for none, but the defaults
                                * for bytes that are given for nested buffers */
    bool
        keep_kwargs; /* at the top level: fields with `kwarg` are written even if equal to their defaults */
    bool sort_keys; /* vectors of tables with a key are sorted */
    bool strict;    /* a buffer with bytes given for a nested one is verified strictly */
    bool discard;   /* the result is not needed */
} wfbs_encode_options;

/* The state of encoding: the unfinished buffer, and the first error. */
typedef struct wfbs_encoding {
    wfbs_builder builder; /* must be first: wfbs_builder's `grow` gets its address */
    wfbs_schema *schema;
    wfbs_fault *fault;
    unsigned depth; /* remaining levels */
    /* Write a table, and a table as a buffer of its own. vectors.c calls them, but is a layer below
     * encode.c. */
    uint32_t (*table)(struct wfbs_encoding *e, uint32_t object, PyObject *value);
    PyObject *(*nested)(struct wfbs_encoding *e, uint32_t object, PyObject *value);
    const wfbs_encode_options *options;
    bool is_nested;     /* the buffer becomes the bytes of a field */
    bool is_unverified; /* it contains bytes that were given for a nested buffer */
} wfbs_encoding;

/* ---- errors.c */

/* Fills the fault with printf-like text about a value. Always returns false. */
bool wfbs_refuse_value(wfbs_fault *fault, const char *format, ...);
/* The same for "X expected, got TYPE". */
bool wfbs_refuse_type(wfbs_fault *fault, const char *expected, PyObject *got);
/* The same with the text that a function of autobahn_fbs.typed._classes makes from the arguments, and
 * which suggests a similar name. Always returns false, possibly with an exception. */
bool wfbs_refuse_named(wfbs_encoding *e, const char *helper, PyObject *const *args, size_t count);
/* Fills the fault for a builder without room. Always returns false, possibly with MemoryError. */
bool wfbs_refuse_room(wfbs_encoding *e);

/* Raises InvalidPayload for a fault whose steps refer to `plan`. Always returns NULL. A pending
 * exception is kept instead. `bytes` says whether the offset refers to a buffer. */
PyObject *wfbs_raise_fault(wfbs_typed *t, const wfbs_fault *fault, const wfbs_plan *plan,
                           uint32_t root, bool bytes);

/* ---- enums.c, values.c: one scalar or text, encoding and decoding */

/* Refuses a name or number (borrowed) that isn't one of an enum's values. The text is made by the
 * `helper`; as wfbs_refuse_named. */
bool wfbs_enum_refuse(wfbs_encoding *e, uint32_t index, const char *helper, PyObject *value);
/* Converts a Python value to the bits of a field's scalar, or of a scalar element of it. False with
 * the fault filled, or with an exception. Runs Python code only for objects with __index__, or
 * before it fails. */
bool wfbs_scalar_bits(wfbs_encoding *e, const wfbs_plan_field *field, PyObject *value,
                      uint64_t *bits);
/* The object for a scalar's bits. With `enums`, members of enums; with `names`, their names as str
 * instead. New reference or NULL. */
typedef enum { WFBS_ENUM_MEMBERS, WFBS_ENUM_NAMES, WFBS_ENUM_NUMBERS } wfbs_enum_form;
PyObject *wfbs_scalar_object(wfbs_schema *schema, const wfbs_plan_field *field, uint64_t bits,
                             wfbs_enum_form form);
/* The type of a union's member from its name or number. False as above. */
bool wfbs_tag_of(wfbs_encoding *e, uint32_t index, PyObject *value, uint32_t *number);
/* Stores the bytes of a struct of words at `to`, if it is given as a single value. 1, 0 if it is
 * not, -1 as above. */
int wfbs_words_bytes(wfbs_encoding *e, const wfbs_plan_field *field, const wfbs_plan_object *object,
                     PyObject *value, uint8_t *to);
/* The object for a struct of words with a WAMP attribute; `plain` for types that JSON knows. New
 * reference or NULL; Py_NotImplemented (new) if the struct isn't one of words. */
PyObject *wfbs_words_object(wfbs_schema *schema, const wfbs_plan_field *field,
                            const wfbs_plan_object *object, const uint8_t *from, bool plain);

/* ---- decode.c */

typedef enum {
    WFBS_FORM_INSTANCE, /* instances */
    WFBS_FORM_PRESENT,  /* dicts of the present fields, nested */
    WFBS_FORM_FULL,     /* the same with defaults */
    WFBS_FORM_TOP       /* a dict of the present fields, with values as in instances */
} wfbs_form;

/* The bytes to decode, and how. All have been verified. */
typedef struct {
    wfbs_schema *schema;
    const uint8_t *data;
    wfbs_form form;
    PyObject *owner; /* borrowed: the bytes object, for views; NULL for copies */
} wfbs_decoding;

/* The table at a position. New reference or NULL. */
PyObject *wfbs_decode_table(const wfbs_decoding *d, uint32_t object, uint32_t table);
/* A member's value in the table. If it is absent: a new reference to `absent`, or NULL without an
 * exception if the form leaves it out. Sets *present. */
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
    Py_ssize_t found; /* number of the dict's keys that were read and present */
} wfbs_source;

/* Determines how `value` represents the object; a sequence can represent a struct. False with the
 * fault filled or an exception. After success, call wfbs_source_close or release s->value. */
bool wfbs_source_open(wfbs_encoding *e, uint32_t object, PyObject *value, bool sequences,
                      wfbs_source *s);
/* One member's value: sets *out to a new reference, or to NULL if it isn't given. */
bool wfbs_source_get(wfbs_source *s, uint32_t i, PyObject **out);
/* Whether it is a mapping with a key that isn't a field; call it before refusing a mapping that lacks
 * a field. If true, the fault is filled, or there is an exception. */
bool wfbs_source_misspelled(wfbs_encoding *e, const wfbs_source *s);
/* Releases it. False for a mapping with a key that isn't a field. */
bool wfbs_source_close(wfbs_encoding *e, wfbs_source *s);
/* A struct that is field `f` or an element of it: words can be given as a single value. */
bool wfbs_encode_struct_field(wfbs_encoding *e, const wfbs_plan_field *f, PyObject *value,
                              size_t place);

/* ---- encode.c, vectors.c */

/* Writes a value as a table of type `object`. Returns its ref; 0 with the fault filled or an
 * exception. */
uint32_t wfbs_encode_table(wfbs_encoding *e, uint32_t object, PyObject *value);
/* Writes a value as a struct to the zeroed bytes at offset `place` of the builder's memory. */
bool wfbs_encode_struct(wfbs_encoding *e, uint32_t object, PyObject *value, size_t place);
/* Fills the cell of one field (two cells for a union: also its type's) at `cells`. */
bool wfbs_encode_vector(wfbs_encoding *e, uint32_t object, uint32_t number, PyObject *value,
                        PyObject *tags, size_t cells);
bool wfbs_encode_union(wfbs_encoding *e, uint32_t object, uint32_t number, PyObject *value,
                       PyObject *tag, size_t cells);
/* Whether the type(s) in a mapping are valid for a union that the mapping doesn't have. */
bool wfbs_check_no_union(wfbs_encoding *e, const wfbs_plan_field *field, PyObject *tag);
/* The ref of a str. 0 as above. */
uint32_t wfbs_encode_text(wfbs_encoding *e, uint8_t demand, PyObject *value);
/* A struct's value as a dict, converted through its bytes. New reference or NULL. */
PyObject *wfbs_struct_dict(wfbs_schema *schema, uint32_t object, PyObject *value);
/* A whole buffer. New bytes or NULL; None instead of them to `discard` it. */
PyObject *wfbs_encode_root(wfbs_schema *schema, uint32_t object, PyObject *value,
                           const wfbs_encode_options *options);

/* ---- codec.c, lazy.c */

typedef struct {
    PyObject_HEAD
    wfbs_schema *schema; /* owned */
    uint32_t object;
    bool ready;     /* the classes of everything that the table can contain exist */
    PyObject *name; /* owned */
    wfbs_limits limits;
} wfbs_codec_object;

/* Its methods, which the catalog also has. */
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
/* A lazy table of a verified FlatBuffer at `data`, kept alive by `buffer` (borrowed bytes). */
PyObject *wfbs_lazy_new(wfbs_schema *schema, uint32_t object, PyObject *buffer, const uint8_t *data,
                        uint32_t table);

#endif
