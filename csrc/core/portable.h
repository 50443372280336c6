/* All compiler extensions of this code, with a variant for each compiler.
 *
 * gcc and clang are tested. MSVC, in C11 mode, is only supported by inspection
 * (tests/checkout/test_portability.py). If WFBS_PLAIN_C is defined, only standard C is used. */
#ifndef WFBS_PORTABLE_H
#define WFBS_PORTABLE_H

#include <stdint.h>

/* Marks a function whose result says whether it failed. */
#if defined(__GNUC__) && !defined(WFBS_PLAIN_C)
#define WFBS_MUST_USE __attribute__((warn_unused_result))
#else
#define WFBS_MUST_USE
#endif

/* Marks a function that has a stack frame of its own, so that its caller's frame doesn't grow. */
#if defined(WFBS_PLAIN_C)
#define WFBS_OWN_FRAME
#elif defined(__GNUC__)
#define WFBS_OWN_FRAME __attribute__((noinline))
#elif defined(_MSC_VER)
#define WFBS_OWN_FRAME __declspec(noinline)
#else
#define WFBS_OWN_FRAME
#endif

#if defined(WFBS_PLAIN_C)
#include <stdatomic.h>
#define WFBS_SCAN_LOOP 1
#elif defined(__GNUC__) || defined(__clang__)
#define WFBS_SCAN_BUILTIN 1
#elif defined(_MSC_VER)
#include <intrin.h>
#define WFBS_SCAN_INTRINSIC 1
#else
#include <stdatomic.h>
#define WFBS_SCAN_LOOP 1
#endif

/* Whether the most significant byte comes first in memory. Compilers that don't define this (MSVC)
 * target only little-endian processors. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define WFBS_BIG_ENDIAN 1
#else
#define WFBS_BIG_ENDIAN 0
#endif

/* The number of the lowest set bit in `bits`, which is not 0. Cannot fail. */
static inline unsigned
wfbs_lowest_bit(uint32_t bits)
{
#if defined(WFBS_SCAN_BUILTIN)
    return (unsigned)__builtin_ctz(bits);
#elif defined(WFBS_SCAN_INTRINSIC)
    unsigned long place;
    _BitScanForward(&place, bits);
    return (unsigned)place;
#else
    unsigned place = 0;
    while (!(bits >> place & 1)) {
        place++;
    }
    return place;
#endif
}

/* The number of the highest set bit in `bits`, which is not 0. Cannot fail. */
static inline unsigned
wfbs_highest_bit(uint32_t bits)
{
#if defined(WFBS_SCAN_BUILTIN)
    return 31u - (unsigned)__builtin_clz(bits);
#elif defined(WFBS_SCAN_INTRINSIC)
    unsigned long place;
    _BitScanReverse(&place, bits);
    return (unsigned)place;
#else
    unsigned place = 31;
    while (!(bits >> place & 1)) {
        place--;
    }
    return place;
#endif
}

/* Adds to a number that other threads may add to and read at the same time. Returns the old value.
 * Imposes no memory order. Wraps around at 2^64. */
static inline uint64_t
wfbs_atomic_add(uint64_t *number, uint64_t more)
{
#if defined(WFBS_SCAN_BUILTIN)
    return __atomic_fetch_add(number, more, __ATOMIC_RELAXED);
#elif defined(WFBS_SCAN_INTRINSIC)
    return (uint64_t)_InterlockedExchangeAdd64((volatile __int64 *)number, (__int64)more);
#else
    return atomic_fetch_add_explicit((_Atomic uint64_t *)number, more, memory_order_relaxed);
#endif
}

#endif
