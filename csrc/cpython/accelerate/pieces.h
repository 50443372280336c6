/* Received bytes of a stream that haven't been read yet, not joined; used in place of bytes. */
#ifndef WFBS_ACCELERATE_PIECES_H
#define WFBS_ACCELERATE_PIECES_H

#include "../base/buffer.h"

/* The type Pieces: Pieces(data=b""). */
extern PyType_Spec wfbs_pieces_spec;

#endif
