/* The module's functions for acceleration. */
#ifndef WFBS_ACCELERATE_FUNCTIONS_H
#define WFBS_ACCELERATE_FUNCTIONS_H

#include "../base/buffer.h"

extern PyMethodDef wfbs_acceleration_functions[];

#endif
