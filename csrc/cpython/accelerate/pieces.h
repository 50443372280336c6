/* What was received of a stream and not yet read, without joining it: stands for bytes. */
#ifndef WFBS_ACCELERATE_PIECES_H
#define WFBS_ACCELERATE_PIECES_H

#include "../base/buffer.h"

/* The type Pieces: Pieces(data=b""). */
extern PyType_Spec wfbs_pieces_spec;

#endif
