/* The module's state: all data that the extension keeps, and functions that need only that. */
#ifndef WFBS_STATE_H
#define WFBS_STATE_H

#include "message.h"

#include "base/counters.h"
#include "codecs/cbor.h"
#include "codecs/flex.h"
#include "names.h"
#include "typed/typed.h"

enum { WFBS_TYPE_SLOTS = 256 }; /* a power of two, well above twice 25 types */

typedef struct wfbs_state {
    wfbs_class classes[WFBS_MESSAGE_COUNT];
    struct { /* open addressing by type pointer; borrowed from classes[] */
        PyTypeObject *type;
        wfbs_class *cls;
    } by_type[WFBS_TYPE_SLOTS];
    PyObject *module; /* borrowed: the module itself */
    PyTypeObject *object_serializer;
    PyTypeObject *transport_serializer;
    PyObject *protocol_error; /* autobahn.wamp.exception.ProtocolError */
    PyObject *message_class;  /* autobahn.wamp.message.Message */
    PyObject *custom_match;   /* the match method of Autobahn's x_* pattern */
    PyObject *str_session, *str_authid, *str_authrole, *str_serialize, *str_serialized,
        *str_from_fbs;
    PyObject *helpers; /* autobahn_fbs._helpers, imported on first use */
    wfbs_names names;
    wfbs_counters counters;
    wfbs_cbor cbor;
    wfbs_flex flex;
    wfbs_typed typed;
    wfbs_buffer payload_scratch; /* NULL while in use */
    wfbs_buffer output_scratch;
} wfbs_state;

extern struct PyModuleDef wfbs_module; /* module.c */

/* The state of the module `self`. Cannot fail. */
wfbs_state *wfbs_state_of(PyObject *module);
/* The state for a type made by this module, or for a Python subclass of one; NULL with
 * TypeError. */
wfbs_state *wfbs_state_by_type(PyTypeObject *type);
/* `state`, or NULL with RuntimeError if the collector has already cleared it: when the interpreter
 * ends, finalizers can still have messages. */
wfbs_state *wfbs_state_alive(wfbs_state *state);
/* For the module's m_traverse and m_clear. */
int wfbs_state_traverse(wfbs_state *state, visitproc visit, void *arg);
void wfbs_state_clear(wfbs_state *state);
/* For the module's m_free: clears, and frees all memory. */
void wfbs_state_free(wfbs_state *state);

/* Records the class of an exact type. The table is never full: it has room for five times the 50
 * types. */
void wfbs_class_register(wfbs_state *state, PyTypeObject *type, wfbs_class *cls);
/* The class of a message: exact types by hash, subclasses by their bases. NULL without an exception
 * if `type` is not a message class. */
wfbs_class *wfbs_class_find(wfbs_state *state, PyTypeObject *type);

/* Calls a function of autobahn_fbs._helpers; arguments as for PyObject_CallFunctionObjArgs.
 * New reference, or NULL with an exception. */
PyObject *wfbs_call_helper(wfbs_state *state, const char *name, PyObject *a, PyObject *b,
                           PyObject *c);

/* Raises ProtocolError with printf-like text. Always returns NULL. */
PyObject *wfbs_raise_protocol(wfbs_state *state, const char *format, ...);
/* Raises ProtocolError for an error from verification. Always returns NULL. */
PyObject *wfbs_raise_verify(wfbs_state *state, const wfbs_error *error);
/* Whether the pending exception concerns the current value: not MemoryError, KeyboardInterrupt and
 * similar ones, which are passed on. */
bool wfbs_error_is_about_value(void);
/* The text of an exception: "ValueError: too long", or only its type if it has no usable text. New
 * str; or NULL with MemoryError or an exception that doesn't concern a value. */
PyObject *wfbs_error_description(PyObject *error);

#endif
