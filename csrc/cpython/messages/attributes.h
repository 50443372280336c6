/* Reading and assigning a received message's attributes. */
#ifndef WFBS_ATTRIBUTES_H
#define WFBS_ATTRIBUTES_H

#include "../base/buffer.h"

/* Accessors for PyGetSetDef; the closure is a wfbs_attribute or a wfbs_class. */
PyObject *wfbs_received_get(PyObject *self, void *attribute);
PyObject *wfbs_received_get_private(PyObject *self, void *attribute);
int wfbs_received_set(PyObject *self, PyObject *value, void *attribute);
int wfbs_received_set_private(PyObject *self, PyObject *value, void *attribute);
PyObject *wfbs_received_view(PyObject *self, void *attribute);
PyObject *wfbs_received_get_codec(PyObject *self, void *cls);
PyObject *wfbs_received_get_serialized(PyObject *self, void *cls);
int wfbs_received_set_serialized(PyObject *self, PyObject *value, void *cls);

#endif
