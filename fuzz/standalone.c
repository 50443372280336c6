/* Runs a fuzz target without libFuzzer, for compilers that lack it:
 *
 *     target FILE...              each file once
 *     target -seconds=N FILE...   and then random changes of them, for N seconds
 *
 * The changes are simple ones. They won't find what libFuzzer finds by coverage. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SIZE = 64 * 1024 };

static uint64_t state = 0x9E3779B97F4A7C15u;

static uint64_t
next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Changes some bytes or words, or the length, of the `size` bytes at `data` (there is room for
 * MAX_SIZE). Returns the new length. */
static size_t
change(uint8_t *data, size_t size)
{
    static const uint8_t bytes[] = {0, 1, 2, 4, 8, 0x7F, 0x80, 0xFC, 0xFF};
    for (uint64_t left = 1 + next_random() % 5; left > 0 && size > 4; left--) {
        size_t at = next_random() % (size - 4);
        switch (next_random() % 6) {
        case 0:
            data[at] = (uint8_t)next_random();
            break;
        case 1:
            data[at] = bytes[next_random() % sizeof bytes];
            break;
        case 2:
            data[at] ^= (uint8_t)(1u << next_random() % 8);
            break;
        case 3:
            at -= at % 4;
            memcpy(data + at, data + next_random() % (size - 4), 4);
            break;
        case 4:
            memset(data + at, bytes[next_random() % sizeof bytes], 4);
            break;
        default:
            size = at + 4;
            break;
        }
    }
    return size;
}

int
main(int argc, char **argv)
{
    static uint8_t inputs[16 * 1024 * 1024];
    static uint8_t buffer[MAX_SIZE];
    struct {
        size_t at, size;
    } *files = calloc((size_t)argc, sizeof *files);
    size_t count = 0, used = 0;
    long seconds = 0;
    if (!files) {
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "-seconds=", 9)) {
            seconds = strtol(argv[i] + 9, NULL, 10);
            continue;
        }
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            return 2;
        }
        size_t left = sizeof inputs - used;
        size_t size = fread(inputs + used, 1, left < MAX_SIZE ? left : MAX_SIZE, file);
        fclose(file);
        files[count].at = used;
        files[count++].size = size;
        LLVMFuzzerTestOneInput(inputs + used, size);
        used += size;
    }
    unsigned long long executions = count;
    time_t end = time(NULL) + seconds;
    while (count && seconds && time(NULL) < end) {
        for (int k = 0; k < 1000; k++, executions++) {
            size_t file = next_random() % count;
            memcpy(buffer, inputs + files[file].at, files[file].size);
            LLVMFuzzerTestOneInput(buffer, change(buffer, files[file].size));
        }
    }
    printf("%llu executions\n", executions);
    free(files);
    return 0;
}
