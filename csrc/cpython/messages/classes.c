/* One C subclass for each of Autobahn's message classes.
 *
 * An instance consists of Autobahn's instance (with its slots in the same places) and a
 * wfbs_received. An accessor over the buffer overrides each attribute, public and private. A slot
 * that is still NULL has not been decoded. */
#include "classes.h"

#include "attributes.h"
#include "received.h"

#include <structmember.h>

Py_ssize_t
wfbs_slot_offset(PyTypeObject *type, PyObject *name)
{
    PyObject *descriptor = PyObject_GetAttr((PyObject *)type, name);
    if (!descriptor) {
        return -1;
    }
    Py_ssize_t offset = -1;
    if (Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) {
        const PyMemberDef *member = ((PyMemberDescrObject *)descriptor)->d_member;
        if (member->type == T_OBJECT_EX) {
            offset = member->offset;
        }
    }
    if (offset < 0) {
        PyErr_Format(PyExc_TypeError,
                     "%s.%U is not a slot: autobahn_fbs doesn't know this Autobahn", type->tp_name,
                     name);
    }
    Py_DECREF(descriptor);
    return offset;
}

/* Autobahn's property `name`. New reference, or NULL with an exception. */
static PyObject *
property_of(PyTypeObject *type, PyObject *name)
{
    PyObject *property = PyObject_GetAttr((PyObject *)type, name);
    if (property && !Py_TYPE(property)->tp_descr_set) {
        PyErr_Format(PyExc_TypeError,
                     "%s.%U is not a property: autobahn_fbs doesn't know this Autobahn",
                     type->tp_name, name);
        Py_CLEAR(property);
    }
    return property;
}

/* Adds an attribute to the sets that encoding uses. */
static void
attribute_classify(wfbs_class *c, const wfbs_attribute *a)
{
    const wfbs_field *f = a->field;
    uint32_t bit = UINT32_C(1) << a->index; /* below WFBS_MAX_FIELDS == 32 */
    c->offsets[a->index] = (int32_t)a->offset;
    if (f->use != WFBS_USE_ARGS && f->use != WFBS_USE_KWARGS) {
        c->fetched |= bit;
        c->fetched_plain |= f->use == WFBS_USE_PPT_CIPHER ? 0 : bit;
    }
    bool positional = f->flags & WFBS_FLAG_POSITIONAL && !(f->flags & WFBS_FLAG_NULLABLE)
                      && f->use != WFBS_USE_DICT;
    if (positional || f->flags & WFBS_FLAG_REQUIRED) {
        c->demanding |= bit;
    }
    if (f->use == WFBS_USE_CUSTOM || (f->use == WFBS_USE_DICT && f->flags & WFBS_FLAG_POSITIONAL)) {
        c->defaulting |= bit;
    }
}

/* Fills the attribute for field `index`. 0, or -1 with an exception. */
static int
attribute_init(wfbs_class *c, unsigned index)
{
    wfbs_attribute *a = &c->attributes[index];
    a->cls = c;
    a->index = index;
    a->field = &c->table->fields[index];
    if (!*a->field->attribute) {
        return 0;
    }
    a->name = PyUnicode_InternFromString(a->field->attribute);
    a->detail = PyUnicode_InternFromString(a->field->detail);
    PyObject *text = PyUnicode_FromFormat("_%s", a->field->attribute);
    if (!a->name || !a->detail || !text) {
        Py_XDECREF(text);
        return -1;
    }
    PyUnicode_InternInPlace(&text);
    a->private_name = text;
    if (a->field->use == WFBS_USE_PPT_CIPHER) {
        a->offset = c->received_offset + (Py_ssize_t)offsetof(wfbs_received, ppt_cipher);
    }
    else {
        a->offset = wfbs_slot_offset(c->plain, a->private_name);
        a->property = a->offset < 0 ? NULL : property_of(c->plain, a->name);
        if (!a->property) {
            return -1;
        }
    }
    attribute_classify(c, a);
    return 0;
}

/* Creates the accessors: public and private name of every attribute, the views, the payload's
 * codec, and the serialization cache. 0, or -1 with MemoryError. */
static int
class_getset(wfbs_class *c)
{
    /* Six more: three views, the codec, the cache and the end. Add one for each new attribute. */
    size_t room = 2 * (size_t)c->table->field_count + 6;
    PyGetSetDef *def = PyMem_Calloc(room, sizeof *def);
    if (!def) {
        PyErr_NoMemory();
        return -1;
    }
    c->getset = def;
    for (unsigned i = 0; i < c->table->field_count; i++) {
        wfbs_attribute *a = &c->attributes[i];
        if (!a->name) {
            continue;
        }
        *def++ = (PyGetSetDef){a->field->attribute, wfbs_received_get, wfbs_received_set, NULL, a};
        /* The interned text lives as long as the class. */
        const char *private_name = PyUnicode_AsUTF8(a->private_name);
        if (!private_name) {
            return -1;
        }
        *def++ = (PyGetSetDef){private_name, wfbs_received_get_private, wfbs_received_set_private,
                               NULL, a};
        const char *view = a->field->use == WFBS_USE_ARGS      ? "args_view"
                           : a->field->use == WFBS_USE_KWARGS  ? "kwargs_view"
                           : a->field->use == WFBS_USE_PAYLOAD ? "payload_view"
                                                               : NULL;
        if (view) {
            *def++ = (PyGetSetDef){
                view, wfbs_received_view, NULL,
                "The field's bytes in the received buffer, read-only and not copied; None if "
                "absent or since assigned.",
                a};
        }
        if (a->field->use == WFBS_USE_PAYLOAD) { /* every class with args has one */
            *def++ = (PyGetSetDef){
                "payload_codec", wfbs_received_get_codec, NULL,
                "The id of the codec of args_view and kwargs_view; None if both are None.", c};
        }
    }
    *def++ = (PyGetSetDef){"_serialized", wfbs_received_get_serialized,
                           wfbs_received_set_serialized, NULL, c};
    return 0;
}

/* Creates the subclass. 0, or -1 with an exception. */
static int
class_subclass(wfbs_class *c, PyObject *module)
{
    PyType_Slot slots[24];
    unsigned n = 0;
    for (const PyType_Slot *s = wfbs_received_slots; s->slot; s++) {
        slots[n++] = *s;
    }
    slots[n++] = (PyType_Slot){Py_tp_getset, c->getset};
    slots[n++] = (PyType_Slot){Py_tp_methods, wfbs_received_methods};
    slots[n] = (PyType_Slot){0, NULL};
    char name[64];
    PyOS_snprintf(name, sizeof name, "autobahn_fbs._cpython.%s", c->table->name);
    PyType_Spec spec = {
        .name = name,
        .basicsize = (int)(c->received_offset + (Py_ssize_t)sizeof(wfbs_received)),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    PyObject *bases = PyTuple_Pack(1, c->plain);
    if (!bases) {
        return -1;
    }
    c->received = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, bases);
    Py_DECREF(bases);
    return c->received ? 0 : -1;
}

static int
class_init(wfbs_class *c, wfbs_state *state, unsigned index, PyObject *message_module)
{
    c->state = state;
    c->index = index;
    c->type = &wfbs_messages[index];
    c->table = &wfbs_tables[c->type->table];
    PyObject *plain = PyObject_GetAttrString(message_module, c->table->name);
    if (!plain) {
        return -1;
    }
    c->plain = (PyTypeObject *)plain;
    /* In this case, an instance consists only of its header and slots. */
    if (!PyType_Check(plain) || c->plain->tp_itemsize || c->plain->tp_dictoffset
        || c->plain->tp_weaklistoffset) {
        PyErr_Format(PyExc_TypeError, "autobahn.wamp.message.%s is not a class that has only slots",
                     c->table->name);
        return -1;
    }
    /* Autobahn's slots are pointers, so the size is a multiple of their alignment. */
    c->received_offset = c->plain->tp_basicsize;
    for (unsigned i = 0; i < c->table->field_count; i++) {
        if (attribute_init(c, i) < 0) {
            return -1;
        }
    }
    c->base_end = ((PyTypeObject *)state->message_class)->tp_basicsize;
    c->serialized = wfbs_slot_offset(c->plain, state->str_serialized);
    c->from_fbs = wfbs_slot_offset(c->plain, state->str_from_fbs);
    if (c->serialized < 0 || c->from_fbs < 0 || class_getset(c) < 0
        || class_subclass(c, state->module) < 0) {
        return -1;
    }
    wfbs_class_register(state, c->plain, c);
    wfbs_class_register(state, c->received, c);
    return 0;
}

int
wfbs_classes_create(wfbs_state *state, PyObject *message_module)
{
    for (unsigned i = 0; i < WFBS_MESSAGE_COUNT; i++) {
        if (class_init(&state->classes[i], state, i, message_module) < 0) {
            return -1;
        }
    }
    return 0;
}
