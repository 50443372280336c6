/* The extension module autobahn_fbs._cpython. */
#include "accelerate/constructors.h"
#include "accelerate/functions.h"
#include "accelerate/masker.h"
#include "accelerate/pieces.h"
#include "functions.h"
#include "messages/classes.h"
#include "serializers/object.h"
#include "serializers/transport.h"
#include "state.h"

/* Makes a type from `spec` and adds it to the module. New reference or NULL. */
static PyTypeObject *
add_type(PyObject *module, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type && PyModule_AddType(module, (PyTypeObject *)type) < 0) {
        Py_CLEAR(type);
    }
    return (PyTypeObject *)type;
}

/* Gets the objects from Autobahn that the state needs. 0 or -1. */
static int
autobahn_init(wfbs_state *state)
{
    PyObject *exception = PyImport_ImportModule("autobahn.wamp.exception");
    PyObject *message = exception ? PyImport_ImportModule("autobahn.wamp.message") : NULL;
    PyObject *pattern = message ? PyObject_GetAttrString(message, "_CUSTOM_ATTRIBUTE") : NULL;
    int result = -1;
    if (pattern && (state->protocol_error = PyObject_GetAttrString(exception, "ProtocolError"))
        && (state->message_class = PyObject_GetAttrString(message, "Message"))
        && (state->custom_match = PyObject_GetAttrString(pattern, "match"))
        && wfbs_names_init(&state->names) == 0 && wfbs_classes_create(state, message) == 0) {
        result = 0;
    }
    Py_XDECREF(exception);
    Py_XDECREF(message);
    Py_XDECREF(pattern);
    return result;
}

/* Fills the state and the module. 0 or -1, with an error except as module_exec says. */
static int
fill_module(PyObject *module)
{
    wfbs_state *state = wfbs_state_of(module);
    state->module = module;
    if (!(state->str_session = PyUnicode_InternFromString("session"))
        || !(state->str_authid = PyUnicode_InternFromString("authid"))
        || !(state->str_authrole = PyUnicode_InternFromString("authrole"))
        || !(state->str_serialize = PyUnicode_InternFromString("serialize"))
        || !(state->str_serialized = PyUnicode_InternFromString("_serialized"))
        || !(state->str_from_fbs = PyUnicode_InternFromString("_from_fbs"))
        || !(state->object_serializer = add_type(module, &wfbs_object_serializer_spec))
        || !(state->transport_serializer = add_type(module, &wfbs_transport_serializer_spec))
        || PyModule_AddFunctions(module, wfbs_acceleration_functions) < 0
        || wfbs_flex_init(&state->flex, module) < 0 || wfbs_typed_init(&state->typed, module) < 0
        || autobahn_init(state) < 0) {
        return -1;
    }
    PyObject *received = PyDict_New(); /* Autobahn's class name -> our class */
    for (unsigned i = 0; received && i < WFBS_MESSAGE_COUNT; i++) {
        const wfbs_class *c = &state->classes[i];
        if (PyDict_SetItemString(received, c->table->name, (PyObject *)c->received) < 0) {
            Py_CLEAR(received);
        }
    }
    int failed = PyModule_AddObjectRef(module, "RECEIVED", received);
    Py_XDECREF(received);
    PyTypeObject *masker = failed ? NULL : add_type(module, &wfbs_masker_spec);
    PyTypeObject *pieces = masker ? add_type(module, &wfbs_pieces_spec) : NULL;
    Py_XDECREF(masker);
    Py_XDECREF(pieces);
    return pieces ? 0 : -1;
}

static int
module_exec(PyObject *module)
{
    int failed = fill_module(module);
    if (failed && !PyErr_Occurred()) {
        PyErr_NoMemory(); /* CPython 3.11 sets no error if there is no memory for a type's name */
    }
    return failed;
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    wfbs_state *state = wfbs_state_of(module);
    int stopped = wfbs_state_traverse(state, visit, arg);
    for (unsigned i = 0; !stopped && i < WFBS_MESSAGE_COUNT; i++) {
        stopped = wfbs_constructor_traverse(&state->classes[i], visit, arg);
    }
    return stopped;
}

static int
module_clear(PyObject *module)
{
    wfbs_state *state = wfbs_state_of(module);
    wfbs_state_clear(state);
    for (unsigned i = 0; i < WFBS_MESSAGE_COUNT; i++) {
        wfbs_constructor_clear(&state->classes[i]);
    }
    return 0;
}

static void
module_free(void *module)
{
    module_clear(module);
    wfbs_state_free(wfbs_state_of(module));
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

PyDoc_STRVAR(module_doc,
             "The CPython backend of autobahn_fbs: WAMP messages as FlatBuffers, in C.");

struct PyModuleDef wfbs_module = {
    PyModuleDef_HEAD_INIT,         .m_name = "autobahn_fbs._cpython", .m_doc = module_doc,
    .m_size = sizeof(wfbs_state),  .m_methods = wfbs_functions,       .m_slots = module_slots,
    .m_traverse = module_traverse, .m_clear = module_clear,           .m_free = module_free,
};

PyMODINIT_FUNC
PyInit__cpython(void)
{
    return PyModuleDef_Init(&wfbs_module);
}
