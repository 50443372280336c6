/* What WAMP attributes demand of values (RFC "WAMP IDL"): the checks, each on the whole value and
 * by ASCII rules. */
#ifndef WFBS_SCHEMA_DEMAND_H
#define WFBS_SCHEMA_DEMAND_H

#include "plan.h"

/* The check that an attribute of a field asks for; WFBS_DEMAND_NONE for any other name. */
wfbs_demand wfbs_demand_of(const char *attribute, size_t size);
/* Its attribute's name, "uuid". */
const char *wfbs_demand_name(wfbs_demand demand);
/* Whether a check can be made on a string; on ubytes; on an unsigned integer of 64 bits. */
bool wfbs_demand_suits_text(wfbs_demand demand);
bool wfbs_demand_suits_bytes(wfbs_demand demand);
bool wfbs_demand_suits_integer(wfbs_demand demand);
/* The bytes that a struct must have for the check: 16, 20 or 32; 0 where it can't be one. */
unsigned wfbs_demand_words(wfbs_demand demand);

/* Whether a value passes. Text is valid UTF-8. True for WFBS_DEMAND_NONE, and for a check that
 * doesn't suit. Bytes are of any number; reads `size` of them. */
bool wfbs_demand_text(wfbs_demand demand, const uint8_t *data, size_t size);
bool wfbs_demand_bytes(wfbs_demand demand, const uint8_t *data, size_t size);
bool wfbs_demand_integer(wfbs_demand demand, uint64_t value);
/* How many bytes the check expects of bytes; 0 for any number. */
unsigned wfbs_demand_size(wfbs_demand demand);

/* Writes what is wrong with a value that didn't pass: "16 bytes expected for uuid, got 15" where
 * `got` is a number of bytes, as opposed to UINT64_MAX. `room` is at least 1. */
void wfbs_demand_reason(wfbs_demand demand, uint64_t got, char *to, size_t room);

#endif
