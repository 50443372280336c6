/* Creates instances of Autobahn's message classes in C.
 *
 * A class is called through its vectorcall slot, which Python leaves empty for classes written in
 * Python. wfbs_constructor_install() fills it. A call creates an instance directly if Autobahn's
 * own constructor would certainly store every argument unchanged. In every other case, it calls
 * Autobahn's own constructor, with the usual errors. `__init__`, its signature and documentation,
 * subclasses, copies and pickles are therefore unchanged. */
#ifndef WFBS_CONSTRUCTORS_H
#define WFBS_CONSTRUCTORS_H

#include "../state.h"

/* The values accepted for a parameter, besides None. Autobahn decides about all others. */
typedef enum {
    WFBS_TAKES_NONE = 0, /* nothing is */
    WFBS_TAKES_INT,
    WFBS_TAKES_STR,
    WFBS_TAKES_BOOL,
    WFBS_TAKES_BYTES,
    WFBS_TAKES_LIST_OR_TUPLE,
    WFBS_TAKES_DICT,
    WFBS_TAKES_NAMED,     /* a dict with str keys */
    WFBS_TAKES_FULL_DICT, /* not empty: instead of an empty dict or None, Autobahn stores a new one */
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

/* Facts about a class that its calls need. */
typedef struct wfbs_constructor {
    PyTypeObject *type; /* borrowed from the class */
    PyObject
        *watched[WFBS_WATCHED]; /* owned, or NULL: the first result of wfbs_constructor_watched() */
    PyObject *codes
        [WFBS_WATCHED];   /* owned, or NULL: the code of those functions, which can be replaced */
    PyObject *defaults;   /* owned, or NULL: the defaults of the first of them */
    unsigned int version; /* of the type when they were last compared, 0 if never */
    uint8_t slots;        /* of an instance */
    uint8_t cache;        /* the slot _serialized, which is set to a new dict */
    uint8_t count;        /* all parameters except from_fbs, which is the last one */
    uint8_t payload, args, kwargs; /* their slots; all 0 if there are none */
    uint32_t demanded;             /* required parameters */
    uint32_t fresh;                /* parameters that are a new, empty dict if omitted */
    uint32_t explicit; /* parameters whose default is not None, so that None must be stored */
    wfbs_parameter parameters[WFBS_MAX_FIELDS];
    PyObject *absent[WFBS_MAX_SLOTS]; /* owned, by slot: the values for omitted arguments */
} wfbs_constructor;

/* ---- signature.c */
/* Collects the facts that calls of a class need, once. 0; or -1: without an exception if its
 * constructor is not understood, or with MemoryError. */
int wfbs_constructor_prepare(wfbs_class *c);
/* Makes calls of `cls` (borrowed), one of Autobahn's 25 message classes, go through C. 0, or -1
 * with TypeError if it is another class, or if its constructor is not understood. Does nothing if
 * that is already the case. */
int wfbs_constructor_install(wfbs_state *state, PyObject *cls);
/* Undoes this; does nothing if it was not done. 0, or -1 with TypeError. */
int wfbs_constructor_remove(wfbs_state *state, PyObject *cls);
/* Frees the facts about a class. Cannot fail; for module teardown. */
void wfbs_constructor_clear(wfbs_class *c);
/* Visits the references in the facts about a class, as for tp_traverse. */
int wfbs_constructor_traverse(wfbs_class *c, visitproc visit, void *arg);

/* ---- constructors.c */
/* The current functions of Autobahn's constructor; `index` below WFBS_WATCHED. New reference; NULL
 * with AttributeError if the class has none of that name. */
PyObject *wfbs_constructor_watched(const wfbs_class *c, unsigned index);
/* Whether a prepared class and its bases are unchanged, or changed only in ways that don't
 * matter. */
bool wfbs_constructor_is_unchanged(wfbs_class *c);
/* Whether instances of the class are created and filled in Python's default way. */
bool wfbs_class_is_ordinary(const wfbs_class *c);
/* The vectorcall slot of a message class. */
PyObject *wfbs_constructor_call(PyObject *type, PyObject *const *args, size_t flags,
                                PyObject *names);
/* An instance of our subclass of `c` with the args and kwargs of `source`, a received message
 * (borrowed), and other arguments as for the class. New reference; NULL without an exception if
 * Autobahn has to decide about the arguments, or with MemoryError. */
PyObject *wfbs_constructor_forward(wfbs_class *c, PyObject *source, PyObject *const *args,
                                   size_t count, PyObject *names);

#endif
