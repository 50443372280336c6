/* Keeps input that costs far more than its size away from cbor2. Our codec passes input that it
 * doesn't read itself to cbor2, and some of the input that cbor2 accepts takes quadratic or
 * exponential time.
 *
 * - Shared values (tags 28 and 29): 200 bytes can describe a tuple whose hash takes years.
 * - References to strings (tag 25): 3 bytes here become a long text when it is written again.
 * - Map keys and set elements whose hashes can be chosen: containers and most tags (bignums, UUIDs,
 *   decimals, points in time). Each key may then be compared with all earlier ones.
 * - Tags within tags, and maps within maps where they have to be hashed: hashing, comparing or
 *   showing them in cbor2 takes up to 1.5 kB of C stack per level, and a thread may have only
 *   128 kB. Other levels take 0.2 kB.
 * - Numbers as map keys and set elements that collide without equal hashes: key_probes.h.
 * - Decimals, bigfloats and rationals with huge digits: converting them is quadratic.
 * - Regular expressions (tag 35): compiling one takes up to 0.2 ms per byte. MIME messages (tag
 *   36): each line is compared with the boundaries of all parts that contain it.
 *
 * Text and byte strings as keys are harmless, and so are days (tags 100 and 1004), because their
 * hashes are keyed. */
#include "cbor_guard.h"

#include <string.h>

#include "key_probes.h"
#include "portable.h"

/* The maximum depth of cbor2. Deeper items would go unchecked. Takes at most 56 kB of stack with
 * gcc and clang if they optimize (45 kB at -O2, 51 kB at -O3), and 65 kB with gcc -O0. */
#define GUARD_DEPTH 400

enum {
    TAG_DECIMAL = 4,
    TAG_BIGFLOAT = 5,
    TAG_RATIONAL = 30,
    TAG_STRING_REFERENCE = 25,
    TAG_SHARED = 28,
    TAG_REFERENCE = 29,
    TAG_REGULAR_EXPRESSION = 35,
    TAG_MIME = 36,
    TAG_SET = 258
};

typedef struct {
    const uint8_t *next; /* <= end */
    const uint8_t *end;
    const char *refusal;   /* the reason for refusing the input, or NULL */
    const char *malformed; /* an error that some versions of cbor2 accept, or NULL */
    bool text_keys;        /* whether map keys must be text */
    int keys;              /* the number of open map keys and set elements */
    int objects;           /* the number of open tags, and of open maps within such keys */
    uint64_t *hashes;      /* of the keys of all open containers that are numbers; or NULL */
    void *table;           /* memory for wfbs_probes_allow, or NULL */
    size_t open;           /* the current number of hashes, even if `hashes` is NULL */
    size_t most;           /* the maximum number of hashes at one time */
    size_t room;           /* the most memory that a container needs; 0 if all are small */
    bool bare;             /* `hashes` has integers as they are (only on PyPy) */
} scanner;

static const char NOT_TEXT[] = "keys of a map are not text";

static bool scan_item(scanner *s, bool in_set, int depth);

/* Refuses the input. Always returns false. */
static bool
refuse(scanner *s, const char *why)
{
    s->refusal = why;
    return false;
}

/* Reads the argument of an initial byte that has been consumed. Returns true; or false if the input
 * ends or the encoding is reserved, where cbor2 stops as well. */
static bool
scan_argument(scanner *s, uint8_t byte, uint64_t *n)
{
    const uint8_t info = byte & 0x1f;
    size_t count;

    if (info < 24) {
        *n = info;
        return true;
    }
    if (info > 27) {
        return false;
    }
    count = (size_t)1 << (info - 24);
    if (count > (size_t)(s->end - s->next)) {
        return false;
    }
    for (*n = 0; count > 0; count--) {
        *n = *n << 8 | *s->next++;
    }
    return true;
}

/* The bits of the double that equals a half or single float. */
static uint64_t
widen_half(uint64_t half)
{
    const uint64_t sign = half >> 15 << 63, raised = half >> 10 & 0x1f, fraction = half & 0x3ff;
    uint64_t bits;
    double value;

    if (raised == 0) {
        value = (double)fraction * 0x1p-24;
        memcpy(&bits, &value, sizeof bits);
        return sign | bits;
    }
    return sign | (raised == 0x1f ? 0x7ff : raised + 1023 - 15) << 52 | fraction << 42;
}

static uint64_t
widen_single(uint64_t single)
{
    const uint32_t word = (uint32_t)single;
    uint64_t bits;
    float value;
    double wide;

    memcpy(&value, &word, sizeof value);
    wide = value;
    memcpy(&bits, &wide, sizeof bits);
    return bits;
}

/* Whether the next item is a number, including a simple value; sets *hash to its Python hash. Call
 * it only if there is a next byte. */
static bool
peek_number(const scanner *s, uint64_t *hash)
{
    scanner ahead = *s;
    const uint8_t byte = *ahead.next++;
    uint64_t n;

    if ((byte >> 5 != 0 && byte >> 5 != 1 && byte >> 5 != 7) || !scan_argument(&ahead, byte, &n)) {
        return false;
    }
    switch (byte) {
    case 0xf4:
    case 0xf5:
        *hash = byte == 0xf5;
        break;
    case 0xf9:
        *hash = wfbs_hash_double(widen_half(n));
        break;
    case 0xfa:
        *hash = wfbs_hash_double(widen_single(n));
        break;
    case 0xfb:
        *hash = wfbs_hash_double(n);
        break;
    default:
        *hash = s->bare ? (byte >> 5 == 1 ? ~n : n) : wfbs_hash_integer(n, byte >> 5 == 1);
    }
    return true;
}

/* Whether the number ahead is an integer that fits into 64 bits with its sign. */
static bool
is_machine_integer(const scanner *s)
{
    return *s->next >> 5 <= 1 && !((*s->next & 0x1f) == 27 && s->next[1] >> 7);
}

/* Whether the next item is a container, or a tag other than a day's. A peer can choose the hashes
 * of these. Call it only if there is a next byte. */
static bool
is_costly_key(const scanner *s)
{
    scanner ahead = *s;
    const uint8_t byte = *ahead.next++;
    uint64_t tag;

    if (byte >> 5 != 6) {
        return byte >> 5 == 4 || byte >> 5 == 5;
    }
    return !scan_argument(&ahead, byte, &tag) || !(tag == 100 || tag == 1004);
}

/* The keys or elements of a container that is being scanned. */
typedef struct {
    size_t numbers; /* number keys; their hashes are the last ones in the scanner */
    size_t machine; /* number keys that are integers of 64 bits with their sign */
    size_t others;
    size_t costly; /* other keys: those whose hashes can be chosen */
} elements;

/* Examines the next key. Returns whether it is allowed. Call it only if there is a next byte. */
WFBS_OWN_FRAME static bool
count_key(scanner *s, elements *e, bool in_map)
{
    uint64_t hash;

    if (s->text_keys && in_map && *s->next >> 5 != 3) {
        return refuse(s, NOT_TEXT);
    }
    if (peek_number(s, &hash)) {
        if (s->hashes != NULL) {
            s->hashes[s->open] = hash; /* measured: there are never more open ones than `most` */
        }
        s->open++;
        s->most = s->open > s->most ? s->open : s->most;
        e->numbers++;
        e->machine += is_machine_integer(s);
        return true;
    }
    e->others++;
    if (is_costly_key(s) && ++e->costly > WFBS_CBOR_COSTLY_KEYS) {
        return refuse(s, "too many keys of a map or elements of a set that are neither strings "
                         "nor plain numbers");
    }
    return true;
}

/* Whether this scan has the hashes that the container uses. On PyPy, a container that has only such
 * integers uses the integers as they are. */
static bool
has_right_hashes(const scanner *s, const elements *e)
{
#ifdef WFBS_PYPY
    return s->bare == (e->others == 0 && e->machine == e->numbers);
#else
    (void)e;
    return !s->bare;
#endif
}

/* Checks all keys of a container, and forgets them. Returns whether one container may have all of
 * them. */
WFBS_OWN_FRAME static bool
close_keys(scanner *s, const elements *e, bool in_map)
{
    const wfbs_probes_kind kind = in_map ? WFBS_PROBES_DICT : WFBS_PROBES_SET;

    s->open -= e->numbers;
    if (!wfbs_probes_may_mix(e->numbers, e->others)) {
        return refuse(s, WFBS_PROBES_MIXED);
    }
    if (e->numbers <= WFBS_PROBES_FREE) {
        return true;
    }
    if (s->hashes == NULL) {
        const size_t room = wfbs_probes_room(kind, e->numbers + e->others);
        s->room = room > s->room ? room : s->room;
        return true;
    }
    return !has_right_hashes(s, e)
           || wfbs_probes_allow(kind, s->hashes + s->open, e->numbers, e->others, s->table)
           || refuse(s, WFBS_PROBES_COLLIDE);
}

/* Counts a tag, or a map that has to be hashed. Returns whether one more is allowed. */
static bool
open_object(scanner *s)
{
    return ++s->objects <= WFBS_CBOR_OBJECTS
           || refuse(s, "tags, or maps in keys, are nested more than 32 levels deep");
}

/* Skips the items of an array (`keys` 0, or 1 if all are set elements) or of a map (`keys` 2: every
 * second item is a key). Its initial byte has been consumed. Returns as scan_item. */
static bool
scan_items(scanner *s, uint8_t byte, int keys, int depth)
{
    const bool endless = (byte & 0x1f) == 31, is_object = keys == 2 && s->keys > 0;
    elements e = {0, 0, 0, 0};
    uint64_t count = 0;

    if ((!endless && !scan_argument(s, byte, &count)) || (is_object && !open_object(s))) {
        return false;
    }
    /* Every item takes at least one byte, so the input ends before `i` can wrap. */
    for (uint64_t i = 0; endless || i / (keys == 2 ? 2 : 1) < count; i++) {
        const bool is_key = keys == 1 || (keys == 2 && i % 2 == 0);
        if (s->next == s->end) {
            return false;
        }
        if (endless && *s->next == 0xff && (keys != 2 || is_key)) {
            s->next++;
            break;
        }
        if (is_key && !count_key(s, &e, keys == 2)) {
            return false;
        }
        s->keys += is_key;
        if (!scan_item(s, false, depth + 1)) {
            return false;
        }
        s->keys -= is_key;
    }
    s->objects -= is_object;
    return keys == 0 || close_keys(s, &e, keys == 2);
}

/* Skips a string. Returns as scan_item. */
static bool
scan_string(scanner *s, uint8_t byte)
{
    uint64_t n;

    if ((byte & 0x1f) != 31) {
        if (!scan_argument(s, byte, &n) || n > (uint64_t)(s->end - s->next)) {
            return false;
        }
        s->next += n;
        return true;
    }
    while (s->next < s->end) {
        const uint8_t chunk = *s->next++;
        if (chunk == 0xff) {
            return true;
        }
        if (chunk >> 5 != byte >> 5 || (chunk & 0x1f) == 31 || !scan_string(s, chunk)) {
            return false; /* chunks are strings of the same kind, of known length */
        }
    }
    return false;
}

/* Skips a tag and the tagged item. Returns as scan_item. */
static bool
scan_tag(scanner *s, uint8_t byte, bool in_set, int depth)
{
    const uint8_t *start = s->next;
    uint64_t tag;

    if (!scan_argument(s, byte, &tag)) {
        return false;
    }
    if (tag == TAG_SHARED || tag == TAG_REFERENCE || tag == TAG_STRING_REFERENCE) {
        return refuse(s, "shared values (tags 25, 28 and 29) are not accepted");
    }
    if (tag == TAG_REGULAR_EXPRESSION || tag == TAG_MIME) {
        return refuse(s, "regular expressions and MIME messages (tags 35 and 36) are not accepted");
    }
    if (!open_object(s)) {
        return false;
    }
    const bool scanned = scan_item(s, in_set || tag == TAG_SET, depth + 1);
    s->objects--;
    if ((tag == TAG_DECIMAL || tag == TAG_BIGFLOAT || tag == TAG_RATIONAL)
        && s->next - start > WFBS_CBOR_NUMBER_MAX) {
        return refuse(s, "a decimal, bigfloat or rational number is too long");
    }
    return scanned;
}

/* Skips a simple value or a float. Returns as scan_item. cbor2 refuses malformed ones. */
static bool
scan_simple(scanner *s, uint8_t byte)
{
    uint64_t n;

    if (byte == 0xff) {
        s->malformed = "a break outside an indefinite item";
        return true;
    }
    if (!scan_argument(s, byte, &n)) {
        return false;
    }
    if (byte == 0xf8 && n < 32) { /* RFC 8949, 3.3: these take one byte, or are reserved */
        s->malformed = "a simple value below 32 in two bytes";
    }
    return true;
}

/* Skips one item; `in_set` if tag 258 makes it a set. Returns true; or false if the input is
 * refused, or if cbor2 stops at this point, too. */
static bool
scan_item(scanner *s, bool in_set, int depth)
{
    uint8_t byte;
    uint64_t n;

    if (depth > GUARD_DEPTH) {
        return refuse(s, "containers and tags are nested more than 400 levels deep");
    }
    if (s->next == s->end) {
        return false;
    }
    byte = *s->next++;
    switch (byte >> 5) {
    case 0:
    case 1:
        return scan_argument(s, byte, &n);
    case 2:
    case 3:
        return scan_string(s, byte);
    case 4:
        return scan_items(s, byte, in_set ? 1 : 0, depth);
    case 5:
        return scan_items(s, byte, 2, depth);
    case 6:
        return scan_tag(s, byte, in_set, depth);
    default:
        return scan_simple(s, byte);
    }
}

size_t
wfbs_cbor_scratch(const uint8_t *data, size_t size)
{
    scanner s = {.next = data, .end = data + size};

    (void)scan_item(&s, false, 0);
    if (s.room == 0) {
        return 0;
    }
    if (s.room == SIZE_MAX || s.most > SIZE_MAX / 64) { /* room <= SIZE_MAX / 64 * 36 otherwise */
        return SIZE_MAX;
    }
    return s.most * sizeof(uint64_t) + s.room;
}

const char *
wfbs_cbor_refusal(const uint8_t *data, size_t size, void *scratch)
{
    scanner s = {.next = data, .end = data + size};

    if (scratch != NULL) {
        scanner measured = s;
        (void)scan_item(&measured, false, 0);
        s.hashes = scratch;
        s.table = s.hashes + measured.most;
    }
#ifdef WFBS_PYPY
    if (scratch != NULL) {
        scanner bare = s;
        bare.bare = true;
        (void)scan_item(&bare, false, 0);
        if (bare.refusal != NULL) {
            return bare.refusal;
        }
    }
#endif
    (void)scan_item(&s, false, 0);
    return s.refusal;
}

/* Whether the string of `size` bytes names an entry of the details whose content WAMP doesn't
 * define, except perhaps that it is a dict. */
static bool
is_free_entry(const wfbs_table *t, const uint8_t *name, size_t size)
{
    for (unsigned i = 0; i < t->field_count; i++) {
        const wfbs_field *field = &t->fields[i];
        if (field->use == WFBS_USE_DICT && strlen(field->detail) == size
            && memcmp(field->detail, name, size) == 0) {
            return true;
        }
    }
    return size >= 2 && memcmp(name, "x_", 2) == 0; /* Autobahn also accepts "x_" alone */
}

/* Skips the key of an entry of the metadata, and sets whether its value may have only text keys.
 * Returns as scan_item; also false for a key that is not text. */
static bool
scan_name(scanner *s, const wfbs_table *t)
{
    const uint8_t byte = *s->next++;
    const uint8_t *name;
    uint64_t length;

    s->text_keys = true;
    if (byte >> 5 != 3) {
        return false;
    }
    if ((byte & 0x1f) == 31) {
        return scan_string(s, byte);
    }
    if (!scan_argument(s, byte, &length) || length > (uint64_t)(s->end - s->next)) {
        return false;
    }
    name = s->next;
    s->next += length;
    s->text_keys = !is_free_entry(t, name, (size_t)length);
    return true;
}

bool
wfbs_cbor_has_text_keys(const wfbs_table *t, const uint8_t *data, size_t size)
{
    const size_t skipped = wfbs_cbor_skip_tag(data, size);
    scanner s = {.next = data + skipped, .end = data + size};
    uint64_t count = UINT64_MAX;
    uint8_t byte;

    if (s.next == s.end || *s.next >> 5 != 5) {
        return true;
    }
    byte = *s.next++;
    if ((byte & 0x1f) != 31 && !scan_argument(&s, byte, &count)) {
        return true;
    }
    while (count-- > 0 && s.next < s.end && scan_name(&s, t) && scan_item(&s, false, 1)) {
    }
    return s.refusal != NOT_TEXT;
}

size_t
wfbs_cbor_skip_tag(const uint8_t *data, size_t size)
{
    static const uint8_t tag[] = {0xd9, 0xd9, 0xf7};
    size_t at = 0;

    while (size - at >= sizeof tag && memcmp(data + at, tag, sizeof tag) == 0) { /* at <= size */
        at += sizeof tag;
    }
    return at;
}

const char *
wfbs_cbor_malformation(const uint8_t *data, size_t size)
{
    scanner s = {.next = data, .end = data + size};

    (void)scan_item(&s, false, 0);
    return s.malformed;
}

size_t
wfbs_cbor_item_size(const uint8_t *data, size_t size)
{
    scanner s = {.next = data, .end = data + size};

    return scan_item(&s, false, 0) ? (size_t)(s.next - data) : size;
}

bool
wfbs_cbor_is_well_formed(const uint8_t *data, size_t size)
{
    scanner s = {.next = data, .end = data + size, .refusal = NULL, .malformed = NULL};

    return scan_item(&s, 0, 0) && s.next == s.end && !s.refusal && !s.malformed;
}
