/* The base type of the transport serializers: the hot path, and the statistics of Autobahn's
 * Serializer. */
#ifndef WFBS_TRANSPORT_H
#define WFBS_TRANSPORT_H

#include "../base/buffer.h"

extern PyType_Spec wfbs_transport_serializer_spec;

#endif
