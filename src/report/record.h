/* Event files for TensorBoard: records in TFRecord framing, each a tensorflow.Event protocol buffer
   (tensorboard/compat/proto/event.proto, summary.proto). Encoded by hand, since scalars need only a few fields. */
#ifndef THAW_REPORT_RECORD_H
#define THAW_REPORT_RECORD_H

#include <thaw/runtime.h>

/* CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), masked as in TFRecord: rotated right by 15 bits, plus
   0xA282EAD8. */
uint32_t thaw_masked_crc(const void *bytes, size_t count);

/* A growing file. After a failed append it stays failed. */
typedef struct thaw_event_file {
    thaw_context *context;
    unsigned char *bytes;
    size_t count, capacity;
    bool failed;
} thaw_event_file;

/* The first record of a file. */
void thaw_event_begin(thaw_event_file *file);

/* A scalar after `step`, at `seconds` on the clock. */
void thaw_event_scalar(thaw_event_file *file, double seconds, int64_t step, const char *tag, double value);

/* The bytes of the first whole records of such a file, up to the last that is not after `step`. */
size_t thaw_events_until(const unsigned char *bytes, size_t count, uint64_t step);

void thaw_event_release(thaw_event_file *file);

#endif
