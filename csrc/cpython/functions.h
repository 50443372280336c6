/* The functions of the module. */
#ifndef WFBS_FUNCTIONS_H
#define WFBS_FUNCTIONS_H

#include "base/buffer.h"

extern PyMethodDef wfbs_functions[];

#endif
