/*
 * wire - frames by hand where the bytes must stay as they are, and checks of text before sending.
 *
 * Symbols inside this library begin with tc_, so that it links beside any other code.
 */
#ifndef TURUNC_CLIENT_WIRE_H
#define TURUNC_CLIENT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* Field numbers of ClientFrame's bodies that are written by hand. */
enum { TC_FIELD_PUBLISH = 3, TC_FIELD_COMMAND = 8 };

/* Upper bounds of what surrounds a body in a ClientFrame, and an event in a Publish. */
enum { TC_FRAME_OVERHEAD = 32, TC_EVENT_OVERHEAD = 6 };

/* Writes tag and length of a length-delimited field; room for TC_EVENT_OVERHEAD bytes (fields
 * below 16, lengths below 2^28).  Returns the bytes written. */
size_t tc_wire_field(uint8_t *to, unsigned field, size_t len);
/* Writes the head of a ClientFrame whose body, of len bytes, follows; at most
 * TC_FRAME_OVERHEAD bytes. */
size_t tc_wire_head(uint8_t *to, uint64_t request, unsigned field, size_t len);

bool tc_utf8_valid(const char *text);
/* Every string in the message, at any depth, is UTF-8. */
bool tc_message_text_valid(const ProtobufCMessage *message);

/* CRC-32C (Castagnoli) of len bytes, continuing from crc (0 at first). */
uint32_t tc_crc32c(uint32_t crc, const void *data, size_t len);

uint64_t tc_now_ms(void); /* monotonic */
/* A number below bound, to spread retries; not for secrets. */
uint32_t tc_random_below(uint32_t bound);

#endif
