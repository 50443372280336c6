/* The requirements of WAMP attributes (RFC "WAMP IDL"). Each check applies to the whole value, by
 * ASCII rules. */
#ifndef WFBS_SCHEMA_WAMP_ATTRIBUTES_H
#define WFBS_SCHEMA_WAMP_ATTRIBUTES_H

#include "plan.h"

/* The check for an attribute of a field; WFBS_DEMAND_NONE for any other name. */
wfbs_demand wfbs_demand_of(const char *attribute, size_t size);
/* The name of its attribute, for example "uuid". */
const char *wfbs_demand_name(wfbs_demand demand);
/* Whether a check is possible for a string; for ubytes; for an unsigned 64-bit integer. */
bool wfbs_demand_suits_text(wfbs_demand demand);
bool wfbs_demand_suits_bytes(wfbs_demand demand);
bool wfbs_demand_suits_integer(wfbs_demand demand);
/* The size that a struct must have for the check: 16, 20 or 32 bytes; 0 if the check doesn't apply
 * to structs. */
unsigned wfbs_demand_words(wfbs_demand demand);

/* Whether a value passes. Text is valid UTF-8. Also true for WFBS_DEMAND_NONE, and for a check that
 * doesn't apply. Bytes may have any size; reads `size` of them. */
bool wfbs_demand_text(wfbs_demand demand, const uint8_t *data, size_t size);
bool wfbs_demand_bytes(wfbs_demand demand, const uint8_t *data, size_t size);
bool wfbs_demand_integer(wfbs_demand demand, uint64_t value);
/* The number of bytes that the check requires; 0 for any number. */
unsigned wfbs_demand_size(wfbs_demand demand);

/* Writes why a value didn't pass: "16 bytes expected for uuid, got 15" if `got` is a number of
 * bytes and not UINT64_MAX. `room` is at least 1. */
void wfbs_demand_reason(wfbs_demand demand, uint64_t got, char *to, size_t room);

#endif
