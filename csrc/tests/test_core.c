/* Unit tests of the core, without Python: written messages can be verified and read back, and
 * invalid ones are refused without reading outside the buffer.
 *
 * Every buffer under test is a heap block of exactly its size: see check.h. */
#include "../core/frame.h"
#include "../core/msgpack_keys.h"
#include "../core/read.h"
#include "../core/text.h"
#include "../core/valid_settings.h"
#include "../core/verify.h"
#include "../core/write.h"
#include "check.h"

/* A message on the heap, in a block of exactly its size; `data` is owned. */
typedef struct {
    uint8_t *data;
    size_t size;
} block;

static block
block_copy(const uint8_t *data, size_t size)
{
    return (block){take_copy(data, size), size};
}

static block
encode(const wfbs_record *record, uint8_t tag, const char *metadata)
{
    wfbs_outgoing message = {record, tag, {NULL, 0}};
    if (metadata) {
        message.metadata = (wfbs_span){(const uint8_t *)metadata, strlen(metadata)};
    }
    size_t room = wfbs_write_bound(&message);
    uint8_t *buffer = take(room);
    wfbs_written gather;
    wfbs_write_message(&message, buffer, room, &gather);
    block b = {take(gather.size), gather.size};
    wfbs_write_copy(&gather, b.data);
    free(buffer);
    return b;
}

static wfbs_value
text(const char *s)
{
    wfbs_value v;
    v.as.bytes = (const uint8_t *)s;
    v.size = strlen(s);
    return v;
}

static wfbs_value
number(uint64_t n)
{
    wfbs_value v = {.as.scalar = n, .size = 0};
    return v;
}

static int
slot_named(const wfbs_table *t, const char *name)
{
    for (int i = 0; i < t->slot_count; i++) {
        if (!strcmp(t->fields[i].name, name)) {
            return i;
        }
    }
    abort();
}

/* A PUBLISH with one field of every kind. */
static block
sample_publish(const char *topic)
{
    const wfbs_table *t = &wfbs_tables[WFBS_TABLE_Publish];
    wfbs_value values[WFBS_MAX_FIELDS];
    memset(values, 0, sizeof values);
    wfbs_record record = {t, 0, values};
#define PUT(name, value)                       \
    do {                                       \
        int slot = slot_named(t, name);        \
        values[slot] = (value);                \
        record.present |= UINT32_C(1) << slot; \
    } while (0)
    static const uint64_t sessions[] = {1, UINT64_MAX};
    static const wfbs_span names[] = {{(const uint8_t *)"a", 1}, {(const uint8_t *)"", 0}};
    wfbs_value ints = {.as.integers = sessions, .size = 2};
    wfbs_value strs = {.as.strings = names, .size = 2};
    const wfbs_table *principal = &wfbs_tables[WFBS_TABLE_Principal];
    wfbs_value hop[3] = {number(7), text("id"), text("role")};
    wfbs_record hops[2] = {{principal, 7, hop}, {principal, 7, hop}};
    wfbs_value chain = {.as.records = hops, .size = 2};
    PUT("request", number(9));
    PUT("topic", text(topic));
    PUT("args", text("\x81\x01"));
    PUT("acknowledge", number(0));
    PUT("exclude", ints);
    PUT("eligible_authid", strs);
    PUT("forward_for", chain);
#undef PUT
    return encode(&record, wfbs_messages[WFBS_MESSAGE_PUBLISH].code, "\xa0");
}

static bool
verify(block b, wfbs_envelope *envelope, wfbs_error *error)
{
    return wfbs_verify(b.data, b.size, WFBS_DIALECT_AUTOBAHN, &wfbs_default_limits, envelope,
                       error);
}

static void
what_is_written_is_verified_and_read_back(void)
{
    block b = sample_publish("com.example");
    wfbs_envelope e;
    wfbs_error error;
    CHECK(verify(b, &e, &error));
    CHECK(e.message == WFBS_MESSAGE_PUBLISH);
    CHECK(e.metadata_size == 1 && b.data[e.metadata] == 0xA0);
    const wfbs_table *t = &wfbs_tables[WFBS_TABLE_Publish];
    uint32_t place = wfbs_slot_position(b.data, e.table, (unsigned)slot_named(t, "request"));
    CHECK(place && wfbs_load_u64(b.data + place) == 9);
    place = wfbs_slot_position(b.data, e.table, (unsigned)slot_named(t, "topic"));
    wfbs_span topic = wfbs_span_at(b.data, place);
    CHECK(topic.size == 11 && !memcmp(topic.data, "com.example", 11));
    place = wfbs_slot_position(b.data, e.table, (unsigned)slot_named(t, "acknowledge"));
    CHECK(place && b.data[place] == 0); /* present, although it is the default */
    CHECK(!wfbs_slot_position(b.data, e.table, (unsigned)slot_named(t, "retain")));
    place = wfbs_slot_position(b.data, e.table, (unsigned)slot_named(t, "exclude"));
    uint32_t vector = wfbs_follow(b.data, place);
    CHECK(vector % 4 == 0 && (vector + 4) % 8 == 0 && wfbs_load_u32(b.data + vector) == 2);
    free(b.data);
}

static void
equal_vtables_are_written_once(void)
{
    block b = sample_publish("com.example");
    wfbs_envelope e;
    wfbs_error error;
    CHECK(verify(b, &e, &error));
    int slot = slot_named(&wfbs_tables[WFBS_TABLE_Publish], "forward_for");
    uint32_t vector = wfbs_follow(b.data, wfbs_slot_position(b.data, e.table, (unsigned)slot));
    uint32_t first = wfbs_follow(b.data, vector + 4), second = wfbs_follow(b.data, vector + 8);
    CHECK(first != second);
    CHECK(first - wfbs_load_u32(b.data + first) == second - wfbs_load_u32(b.data + second));
    free(b.data);
}

static void
large_byte_vectors_come_out_as_small_ones_do(void)
{
    const wfbs_table *t = &wfbs_tables[WFBS_TABLE_Publish];
    int topic = slot_named(t, "topic"), args = slot_named(t, "args");
    int kwargs = slot_named(t, "kwargs");
    static char big[3 * WFBS_BLOB_MIN];
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (char)i;
    }
    for (size_t size = WFBS_BLOB_MIN - 2; size < WFBS_BLOB_MIN + 3; size++) {
        wfbs_value values[WFBS_MAX_FIELDS];
        memset(values, 0, sizeof values);
        values[topic] = text("a.b");
        values[args].as.bytes = (const uint8_t *)big;
        values[args].size = size;
        values[kwargs].as.bytes = (const uint8_t *)big + 1;
        values[kwargs].size = 2 * size;
        uint32_t present = UINT32_C(1) << topic | UINT32_C(1) << args | UINT32_C(1) << kwargs;
        wfbs_record record = {t, present, values};
        block b = encode(&record, wfbs_messages[WFBS_MESSAGE_PUBLISH].code, NULL);
        wfbs_envelope e;
        wfbs_error error;
        CHECK(verify(b, &e, &error));
        wfbs_span a = wfbs_span_at(b.data, wfbs_slot_position(b.data, e.table, (unsigned)args));
        wfbs_span k = wfbs_span_at(b.data, wfbs_slot_position(b.data, e.table, (unsigned)kwargs));
        CHECK(a.size == size && !memcmp(a.data, big, size));
        CHECK(k.size == 2 * size && !memcmp(k.data, big + 1, 2 * size));
        free(b.data);
    }
}

static void
no_truncation_is_read_past_its_end(void)
{
    block whole = sample_publish("com.example");
    for (size_t size = 0; size < whole.size; size++) {
        block b = block_copy(whole.data, size);
        wfbs_envelope e;
        wfbs_error error;
        if (!verify(b, &e, &error)) {
            CHECK(error.code != WFBS_ERROR_OK);
        }
        free(b.data);
    }
    free(whole.data);
}

/* Reads every slot of a verified message's table, like a binding. */
static uint64_t
read_all(block b, const wfbs_envelope *e)
{
    const wfbs_table *t = &wfbs_tables[wfbs_messages[e->message].table];
    uint64_t sum = 0;
    for (unsigned slot = 0; slot < t->slot_count; slot++) {
        uint32_t place = wfbs_slot_position(b.data, e->table, slot);
        if (!place) {
            continue;
        }
        switch ((wfbs_kind)t->fields[slot].kind) {
        case WFBS_KIND_STRING:
        case WFBS_KIND_BYTES: {
            wfbs_span span = wfbs_span_at(b.data, place);
            for (size_t i = 0; i < span.size; i++) {
                sum += span.data[i];
            }
            break;
        }
        default:
            sum += b.data[place];
        }
    }
    return sum;
}

static void
every_changed_byte_is_refused_or_harmless(void)
{
    block whole = sample_publish("com.example");
    static const uint8_t values[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
    volatile uint64_t sink = 0;
    for (size_t at = 0; at < whole.size; at++) {
        for (size_t i = 0; i < sizeof values; i++) {
            block b = block_copy(whole.data, whole.size);
            b.data[at] = values[i];
            wfbs_envelope e;
            wfbs_error error;
            if (verify(b, &e, &error)) {
                sink += read_all(b, &e);
            }
            free(b.data);
        }
    }
    (void)sink;
    free(whole.data);
}

static void
references_to_one_string_are_charged_each_time(void)
{
    /* 8000 references to one string of 8 kB: 64 MB of apparent text in 40 kB. */
    enum { REFERENCES = 8000, LENGTH = 8000 };
    static char big[LENGTH + 1];
    memset(big, 'a', LENGTH);
    wfbs_span *names = take(REFERENCES * sizeof *names);
    for (int i = 0; i < REFERENCES; i++) {
        names[i] = (wfbs_span){(const uint8_t *)"x", 1};
    }
    names[0] = (wfbs_span){(const uint8_t *)big, LENGTH};
    const wfbs_table *t = &wfbs_tables[WFBS_TABLE_Publish];
    wfbs_value values[WFBS_MAX_FIELDS];
    memset(values, 0, sizeof values);
    int topic = slot_named(t, "topic"), eligible = slot_named(t, "eligible_authid");
    values[topic] = text("a.b");
    values[eligible].as.strings = names;
    values[eligible].size = REFERENCES;
    wfbs_record record = {t, UINT32_C(1) << topic | UINT32_C(1) << eligible, values};
    block b = encode(&record, wfbs_messages[WFBS_MESSAGE_PUBLISH].code, NULL);
    wfbs_envelope e;
    wfbs_error error;
    CHECK(verify(b, &e, &error));
    uint32_t vector = wfbs_follow(b.data, wfbs_slot_position(b.data, e.table, (unsigned)eligible));
    uint32_t target = wfbs_follow(b.data, vector + 4);
    for (uint32_t i = 0; i < REFERENCES; i++) {
        uint32_t offset = target - (vector + 4 + 4 * i);
        memcpy(b.data + vector + 4 + 4 * i, &offset, sizeof offset); /* little-endian hosts */
    }
    if (!WFBS_BIG_ENDIAN) {
        CHECK(!verify(b, &e, &error) && error.code == WFBS_ERROR_BUDGET);
    }
    free(b.data);
    free(names);
}

static void
utf8_is_judged_as_rfc_3629_has_it(void)
{
    struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"plain ascii, longer than eight", true},
        {"\xC3\xA9", true},
        {"\xE2\x82\xAC", true},
        {"\xF0\x9F\x98\x80", true},
        {"12345678\xC3\xA9", true},
        {"\xC0\x80", false},
        {"\xC1\xBF", false},
        {"\xE0\x80\x80", false},
        {"\xED\xA0\x80", false},
        {"\xF0\x80\x80\x80", false},
        {"\xF4\x90\x80\x80", false},
        {"\xF5\x80\x80\x80", false},
        {"\x80", false},
        {"\xC3", false},
        {"\xE2\x82", false},
        {"\xC3(", false},
        {"a\xFF", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].text);
        block b = block_copy((const uint8_t *)cases[i].text, size);
        CHECK(wfbs_utf8_is_valid(b.data, b.size) == cases[i].valid);
        free(b.data);
    }
}

static void
uris_are_judged_as_autobahn_does(void)
{
    struct {
        const char *uri;
        bool no_empty, any_empty, last_empty;
    } cases[] = {
        {"com.example", true, true, true},
        {"", false, true, true},
        {"com..example", false, true, false},
        {"com.example.", false, true, true},
        {".com", false, true, false},
        {"com.ex ample", false, false, false},
        {"com#x", false, false, false},
        {"com.example\n", true, true, true},
        {"com\n.example", false, false, false},
        {"com.\xC3\xA9", true, true, true},
        {"com.\xC2\xA0x", false, false, false},
        {"com.\xE2\x80\x83", false, false, false},
        {"com.\xE2\x80\x8Bx", true, true, true},
        {"\x01", true, true, true},
        {"\x1C", false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        block b = block_copy((const uint8_t *)cases[i].uri, strlen(cases[i].uri));
        CHECK(wfbs_uri_is_valid(b.data, b.size, WFBS_URI_NO_EMPTY) == cases[i].no_empty);
        CHECK(wfbs_uri_is_valid(b.data, b.size, WFBS_URI_ANY_EMPTY) == cases[i].any_empty);
        CHECK(wfbs_uri_is_valid(b.data, b.size, WFBS_URI_LAST_EMPTY) == cases[i].last_empty);
        free(b.data);
    }
}

static void
a_bad_uri_is_refused_with_its_place(void)
{
    block b = sample_publish("com example");
    wfbs_envelope e;
    wfbs_error error;
    CHECK(!verify(b, &e, &error));
    CHECK(error.code == WFBS_ERROR_URI && !strcmp(error.table, "Publish")
          && !strcmp(error.field, "topic") && error.offset > 0 && error.offset < b.size);
    free(b.data);
}

static void
a_message_above_the_size_limit_is_refused(void)
{
    block b = sample_publish("com.example");
    wfbs_limits limits = wfbs_default_limits;
    limits.max_size = b.size - 1;
    wfbs_envelope e;
    wfbs_error error;
    CHECK(!wfbs_verify(b.data, b.size, WFBS_DIALECT_AUTOBAHN, &limits, &e, &error));
    CHECK(error.code == WFBS_ERROR_TOO_LONG);
    free(b.data);
}

static void
a_bound_beyond_two_gigabytes_is_refused(void)
{
    wfbs_value values[WFBS_MAX_FIELDS];
    memset(values, 0, sizeof values);
    const wfbs_table *t = &wfbs_tables[WFBS_TABLE_Publish];
    int payload = slot_named(t, "payload");
    values[payload].size = (size_t)WFBS_MAX_MESSAGE + 1;
    wfbs_record record = {t, UINT32_C(1) << payload, values};
    wfbs_outgoing message = {&record, 16, {NULL, 0}};
    CHECK(wfbs_write_bound(&message) == 0);
    values[payload].size = SIZE_MAX;
    CHECK(wfbs_write_bound(&message) == 0);
}

static void
the_settings_under_which_bytes_are_valid_are_found(void)
{
    block b = sample_publish("com.example");
    CHECK(wfbs_valid_settings(b.data, b.size, &wfbs_default_limits) == 1u << 0);
    CHECK(!wfbs_valid_settings(b.data, 0, &wfbs_default_limits));
    for (size_t size = 1; size < b.size; size++) {
        block part = block_copy(b.data, size);
        wfbs_envelope e;
        wfbs_error error;
        CHECK(wfbs_valid_settings(part.data, size, &wfbs_default_limits)
              == (verify(part, &e, &error) ? 1u : 0u));
        free(part.data);
    }
    block two = {take(2 * (WFBS_FRAME_SIZE + b.size)), 2 * (WFBS_FRAME_SIZE + b.size)};
    for (size_t start = 0; start < two.size; start += WFBS_FRAME_SIZE + b.size) {
        wfbs_frame_store(two.data + start, b.size);
        memcpy(two.data + start + WFBS_FRAME_SIZE, b.data, b.size);
    }
    CHECK(wfbs_valid_settings(two.data, two.size, &wfbs_default_limits)
          == 1u << WFBS_SETTING_BATCHED);
    block cut = block_copy(two.data, two.size - 1);
    CHECK(!wfbs_valid_settings(cut.data, cut.size, &wfbs_default_limits));
    free(cut.data);
    free(two.data);
    free(b.data);
}

/* Whether this MessagePack is refused, and for the value at `at`. */
static bool
is_refused_at(const char *data, size_t size, size_t at)
{
    block b = block_copy((const uint8_t *)data, size);
    size_t found;
    bool refused = wfbs_msgpack_refusal(b.data, b.size, &found) && found == at;
    free(b.data);
    return refused;
}

static bool
is_accepted(const char *data, size_t size)
{
    block b = block_copy((const uint8_t *)data, size);
    size_t at;
    bool accepted = !wfbs_msgpack_refusal(b.data, b.size, &at);
    free(b.data);
    return accepted;
}

static void
keys_in_messagepack_are_text_or_binary(void)
{
    CHECK(is_accepted("\x82\xA1"
                      "a\x01\xC4\x01"
                      "b\x80",
                      8));
    CHECK(is_refused_at("\x81\x01\xC0", 3, 1));
    CHECK(is_refused_at("\x92\x80\xDE\x00\x01\x80\xC0", 7, 5));
    CHECK(is_refused_at("\x82\xA0\xC7\x01\x05x\xC0\xC0", 8, 6)); /* after an extension */
}

static void
truncated_messagepack_is_not_read_past_its_end(void)
{
    static const char data[] = "\x92\xDC\x00\x02\xCB"
                               "01234567\xDB\x00\x00\x00\x01x\x81\x01\xC0";
    for (size_t size = 0; size < 20; size++) {
        CHECK(is_accepted(data, size)); /* left to the library */
    }
    CHECK(is_refused_at(data, sizeof data - 1, 20));
    CHECK(is_accepted("\xDD\xFF\xFF\xFF\xFF\xC0", 6));
    CHECK(is_accepted("\xC6\xFF\xFF\xFF\xFF", 5));
    CHECK(is_accepted("\x92\xC1\x81\x01\xC0", 5));
}

static void
messagepack_has_a_maximum_of_levels(void)
{
    char levels[WFBS_MSGPACK_DEPTH + 1];
    memset(levels, 0x91, sizeof levels);
    CHECK(is_accepted(levels, WFBS_MSGPACK_DEPTH));
    CHECK(is_refused_at(levels, sizeof levels, WFBS_MSGPACK_DEPTH));
}

static void
every_error_has_a_text(void)
{
    for (int i = 0; i < WFBS_ERROR_COUNT; i++) {
        CHECK(wfbs_error_text((wfbs_error_code)i) && *wfbs_error_text((wfbs_error_code)i));
    }
}

int
main(void)
{
    what_is_written_is_verified_and_read_back();
    equal_vtables_are_written_once();
    large_byte_vectors_come_out_as_small_ones_do();
    no_truncation_is_read_past_its_end();
    every_changed_byte_is_refused_or_harmless();
    references_to_one_string_are_charged_each_time();
    utf8_is_judged_as_rfc_3629_has_it();
    uris_are_judged_as_autobahn_does();
    a_bad_uri_is_refused_with_its_place();
    a_message_above_the_size_limit_is_refused();
    a_bound_beyond_two_gigabytes_is_refused();
    the_settings_under_which_bytes_are_valid_are_found();
    keys_in_messagepack_are_text_or_binary();
    truncated_messagepack_is_not_read_past_its_end();
    messagepack_has_a_maximum_of_levels();
    every_error_has_a_text();
    return report("core");
}
