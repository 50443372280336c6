/* The error codes with which our verifier may refuse what Google's takes. Each
 * is a rule of SECURITY.rst; with all others, Google's verifier refuses, too. */
#define STRICTER_RULES(X) \
    X(VTABLE_RANGE)       \
    X(VTABLE_SIZE)        \
    X(TABLE_SIZE)         \
    X(FIELD_RANGE)        \
    X(OFFSET_RANGE)       \
    X(STRING_UTF8)        \
    X(REQUIRED)           \
    X(UNION_TYPE)         \
    X(BOOL_VALUE)         \
    X(ENUM_VALUE)         \
    X(BUDGET)             \
    X(ID_RANGE)           \
    X(URI)                \
    X(POSITIVE)           \
    X(REQUEST_TYPE)       \
    X(PAYLOAD_AND_ARGS)   \
    X(ENC_WITHOUT_ALGO)   \
    X(ENC_VALUE)          \
    X(ROLES_EMPTY)        \
    X(RESUME_TOKEN)       \
    X(REVOCATION)         \
    X(CONTRADICTION)
