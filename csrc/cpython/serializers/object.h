/* The base type of the object serializers, which convert messages to bytes and back. */
#ifndef WFBS_OBJECT_H
#define WFBS_OBJECT_H

#include "../messages/payload.h"

/* An object serializer's members. They are set once and never change. */
typedef struct {
    PyObject_HEAD
    char ready; /* it has been initialized, and doesn't change again */
    char batched;
    char dialect;         /* wfbs_dialect */
    unsigned char codec;  /* codec for sent messages; see payload.h */
    PyObject *codec_name; /* owned str for a custom codec, else NULL */
    wfbs_limits limits;
} wfbs_object_serializer;

extern PyType_Spec wfbs_object_serializer_spec;

/* Serializes for an object serializer: from the cache, with the received bytes, or by encoding. New
 * bytes or NULL. */
PyObject *wfbs_serialize(wfbs_state *state, PyObject *object_serializer, PyObject *message);
/* The messages in `payload`; sets *size to its length. New list or NULL. */
PyObject *wfbs_unserialize(wfbs_state *state, const wfbs_object_serializer *s, PyObject *payload,
                           size_t *size);

#endif
