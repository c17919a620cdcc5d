/* Event files, as TensorBoard reads them: records of TFRecord's framing, each a protocol buffer of tensorflow.Event
   (tensorboard/compat/proto/event.proto, summary.proto), written by hand for the few fields that scalars need. */
#ifndef THAW_REPORT_RECORD_H
#define THAW_REPORT_RECORD_H

#include <thaw/runtime.h>

/* CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as TFRecord masks it: rotated right by 15 bits, plus 0xA282EAD8. */
uint32_t thaw_masked_crc(const void *bytes, size_t count);

/* A file that grows. After a failed append it stays failed. */
typedef struct thaw_event_file {
    thaw_context *context;
    unsigned char *bytes;
    size_t count, capacity;
    bool failed;
} thaw_event_file;

/* The record that opens a file. */
void thaw_event_begin(thaw_event_file *file);

/* A scalar after `step`, at `seconds` on the clock. */
void thaw_event_scalar(thaw_event_file *file, double seconds, int64_t step, const char *tag, double value);

void thaw_event_release(thaw_event_file *file);

#endif
