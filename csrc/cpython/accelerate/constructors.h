/* Autobahn's message classes, made in C.
 *
 * A class is called through its vectorcall slot, which Python leaves empty for classes written in
 * Python. wfbs_constructor_install() fills it. What is called there makes an instance at once if
 * every argument is one that Autobahn's own constructor surely takes as it is; in every other case
 * Autobahn's own constructor is called, as if nothing were there, and raises what it raises. So
 * `__init__`, its signature, its documentation, subclasses, copies and pickles are untouched. */
#ifndef WFBS_CONSTRUCTORS_H
#define WFBS_CONSTRUCTORS_H

#include "../state.h"

/* What is good for a parameter, besides None. All else is for Autobahn to judge. */
typedef enum {
    WFBS_TAKES_NONE = 0, /* nothing is */
    WFBS_TAKES_INT,
    WFBS_TAKES_STR,
    WFBS_TAKES_BOOL,
    WFBS_TAKES_BYTES,
    WFBS_TAKES_LIST_OR_TUPLE,
    WFBS_TAKES_DICT,
    WFBS_TAKES_NAMED,     /* a dict with str keys */
    WFBS_TAKES_FULL_DICT, /* not an empty one: for that, and for None, Autobahn makes a new one */
    WFBS_TAKES_INTS,
    WFBS_TAKES_STRS,
    WFBS_TAKES_ENUM /* one of the names in the field's enum */
} wfbs_takes;

enum {
    WFBS_MAX_SLOTS = WFBS_MAX_FIELDS + 8, /* Message itself has seven */
    WFBS_WATCHED = 4
};

/* One parameter of a constructor. */
typedef struct {
    PyObject *name; /* borrowed from the attribute */
    const wfbs_field *field;
    uint8_t takes;
    uint8_t slot; /* of the instance */
    uint32_t bit; /* in `demanded` and `fresh` */
} wfbs_parameter;

/* What calls of a class need to know of it. */
typedef struct wfbs_constructor {
    PyTypeObject *type; /* borrowed from the class */
    PyObject
        *watched[WFBS_WATCHED]; /* owned, or NULL: what wfbs_constructor_watched() found at first */
    PyObject *codes[WFBS_WATCHED]; /* owned, or NULL: the code of those, which can be replaced */
    PyObject *defaults;            /* owned, or NULL: of the first of them */
    unsigned int version;          /* of the type when they were last compared, 0 if never */
    uint8_t slots;                 /* of an instance */
    uint8_t cache;                 /* the slot _serialized, which gets a new dict */
    uint8_t count;                 /* parameters but from_fbs, which comes last */
    uint8_t payload, args, kwargs; /* their slots; all 0 if there are none */
    uint32_t demanded;             /* parameters that have to be there */
    uint32_t fresh;                /* parameters whose absence means a new, empty dict */
    uint32_t explicit;             /* parameters whose default is not None, so that None counts */
    wfbs_parameter parameters[WFBS_MAX_FIELDS];
    PyObject *absent[WFBS_MAX_SLOTS]; /* owned, by slot: what is there without an argument */
} wfbs_constructor;

/* ---- signature.c */
/* Learns what calls of a class need to know, once. 0; or -1 if its constructor is not understood,
 * without an exception, or with MemoryError. */
int wfbs_constructor_prepare(wfbs_class *c);
/* Makes calls of `cls` (borrowed), one of Autobahn's 25 message classes, go through C. 0, or -1
 * with TypeError if it is no such class or one whose constructor is not understood. Does nothing if
 * it is done already. */
int wfbs_constructor_install(wfbs_state *state, PyObject *cls);
/* Takes that back; does nothing if it was not done. 0, or -1 with TypeError. */
int wfbs_constructor_remove(wfbs_state *state, PyObject *cls);
/* Frees what a class holds for this. Cannot fail; for the module's end. */
void wfbs_constructor_clear(wfbs_class *c);
/* Visits the references that a class holds for this, as tp_traverse does. */
int wfbs_constructor_traverse(wfbs_class *c, visitproc visit, void *arg);

/* ---- constructors.c */
/* The functions that Autobahn's constructor consists of, as they are now; `index` below
 * WFBS_WATCHED. New reference; NULL with AttributeError if the class has none of that name. */
PyObject *wfbs_constructor_watched(const wfbs_class *c, unsigned index);
/* Whether nobody has changed a class that is prepared, or its bases, or not so that it matters. */
bool wfbs_constructor_is_unchanged(wfbs_class *c);
/* Whether instances of the class are made and filled as Python does by default. */
bool wfbs_class_is_ordinary(const wfbs_class *c);
/* The vectorcall slot of a message class. */
PyObject *wfbs_constructor_call(PyObject *type, PyObject *const *args, size_t flags,
                                PyObject *names);
/* An instance of our subclass of `c` with the args and kwargs of `source`, a received message
 * (borrowed), and other arguments as for the class. New reference; NULL without an exception where
 * Autobahn has to judge the arguments, or with MemoryError. */
PyObject *wfbs_constructor_forward(wfbs_class *c, PyObject *source, PyObject *const *args,
                                   size_t count, PyObject *names);

#endif
