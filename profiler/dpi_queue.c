/* SPDX-License-Identifier: Apache-2.0 */
/* Message queues: Kafka, AMQP, MQTT, NATS, STOMP. */
#include "profiler/dpi_detect.h"

#include "base/assert.h"

/* --- Kafka: request header v1, v2 --- */

#define KAFKA_METADATA 3
#define KAFKA_SASL_HANDSHAKE 17
#define KAFKA_API_VERSIONS 18
#define KAFKA_VERSION_MAX 15
#define KAFKA_HEAD_BYTES 14
#define KAFKA_CLIENT_MAX 249
#define KAFKA_REQUEST_MAX 0x10000u

/* With what clients begin: which versions there are, how to authenticate, or
 * which topics. The client's name must fit in and be text. */
enum dpi_answer dpi_kafka_client(const uint8_t *bytes, size_t length)
{
	uint32_t size, client;
	unsigned key;

	if (bytes[0] || (length > 1 && bytes[1]))
		return DPI_NO;
	if (length < 8)
		return DPI_OPEN;
	size = dpi_be32(bytes);
	key = dpi_be16(bytes + 4);
	if ((key != KAFKA_METADATA && key != KAFKA_SASL_HANDSHAKE &&
		key != KAFKA_API_VERSIONS) ||
	    dpi_be16(bytes + 6) > KAFKA_VERSION_MAX ||
	    size < KAFKA_HEAD_BYTES - 4 || size > KAFKA_REQUEST_MAX)
		return DPI_NO;
	if (length < KAFKA_HEAD_BYTES)
		return DPI_OPEN;
	client = dpi_be16(bytes + 12);
	if (client == 0xffff)
		client = 0;
	if (client > KAFKA_CLIENT_MAX || client > size - KAFKA_HEAD_BYTES + 4)
		return DPI_NO;
	/* Before version 3, whoever asks for versions says nothing else; old
	 * clients add an empty list. */
	if (key == KAFKA_API_VERSIONS && dpi_be16(bytes + 6) < 3 &&
	    size > KAFKA_HEAD_BYTES - 4 + client + 4)
		return DPI_NO;
	if (length < KAFKA_HEAD_BYTES + client) {
		return dpi_printable(
			   bytes + KAFKA_HEAD_BYTES, length - KAFKA_HEAD_BYTES)
			   ? DPI_OPEN
			   : DPI_NO;
	}
	return dpi_printable(bytes + KAFKA_HEAD_BYTES, client) ? DPI_YES
							       : DPI_NO;
}

/* --- AMQP: 0-9-1 section 4.2.2, 1.0 section 2.2 --- */

enum dpi_answer dpi_amqp_client(const uint8_t *bytes, size_t length)
{
	static const uint16_t header[] = {
	    'A', 'M', 'Q', 'P', DPI_ANY, DPI_ANY, DPI_ANY, DPI_ANY};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, header);

	if (answer != DPI_YES)
		return answer;
	/* 1.0: protocol 0, 2 (TLS) or 3 (SASL), then 1 0 0. */
	if (bytes[5] == 1 && bytes[4] <= 3)
		return DPI_YES;
	/* 0-9-1: 0 0 9 1; 0-8 and 0-9: 1 1 and the version. */
	return bytes[4] <= 1 && bytes[5] <= 1 && bytes[6] <= 9 && bytes[7] <= 10
		   ? DPI_YES
		   : DPI_NO;
}

/* Connection.Start on channel 0, or a header that says what would do. */
enum dpi_answer dpi_amqp_server(const uint8_t *bytes, size_t length)
{
	static const uint16_t start[] = {
	    1, 0, 0, 0, DPI_ANY, DPI_ANY, DPI_ANY, 0, 10, 0, 10};

	return bytes[0] == 'A' ? dpi_amqp_client(bytes, length)
			       : DPI_PATTERN(bytes, length, start);
}

/* --- MQTT: 3.1.1 and 5 section 3.1 --- */

#define MQTT_CONNECT 0x10
#define MQTT_LENGTH_BYTES_MAX 4

/* The remaining length, seven bits a byte; *at goes behind it. */
static enum dpi_answer mqtt_length(
    const uint8_t *bytes, size_t length, size_t *at, uint32_t *ret)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < MQTT_LENGTH_BYTES_MAX; i++) {
		if (*at == length)
			return DPI_OPEN;
		value |= (uint32_t)(bytes[*at] & 0x7f) << 7 * i;
		if (!(bytes[(*at)++] & 0x80)) {
			*ret = value;
			return DPI_YES;
		}
	}
	return DPI_NO;
}

enum dpi_answer dpi_mqtt_client(const uint8_t *bytes, size_t length)
{
	static const uint16_t four[] = {
	    0, 4, 'M', 'Q', 'T', 'T', DPI_ANY, DPI_ANY};
	static const uint16_t three[] = {
	    0, 6, 'M', 'Q', 'I', 's', 'd', 'p', DPI_ANY, DPI_ANY};
	size_t at = 1, name = BR_COUNT(four);
	enum dpi_answer answer;
	uint8_t version, flags;
	uint32_t left;

	answer = mqtt_length(bytes, length, &at, &left);
	if (answer != DPI_YES)
		return answer;
	if (bytes[0] != MQTT_CONNECT || left < 12)
		return DPI_NO;
	answer = DPI_PATTERN(bytes + at, length - at, four);
	if (answer == DPI_NO) {
		answer = DPI_PATTERN(bytes + at, length - at, three);
		name = BR_COUNT(three);
	}
	if (answer != DPI_YES)
		return answer;
	version = bytes[at + name - 2] & 0x7f; /* bridges set the top bit */
	flags = bytes[at + name - 1];
	return version >= 3 && version <= 5 && !(flags & 1) &&
		       (flags & 0x18) != 0x18
		   ? DPI_YES
		   : DPI_NO;
}

/* CONNACK of 3.1.1; what else has four such bytes is the client's to say. */
enum dpi_answer dpi_mqtt_server(const uint8_t *bytes, size_t length)
{
	static const uint16_t acknowledged[] = {
	    0x20, DPI_ANY, DPI_ANY, DPI_ANY};
	enum dpi_answer answer = DPI_PATTERN(bytes, length, acknowledged);

	if (answer != DPI_YES)
		return answer;
	return bytes[1] >= 2 && bytes[1] < 0x80 && bytes[2] <= 1 ? DPI_MAYBE
								 : DPI_NO;
}

/* --- NATS --- */

/* A word, blanks, and JSON. */
static enum dpi_answer nats(
    const uint8_t *bytes, size_t length, const char *word)
{
	enum dpi_answer answer = dpi_begins_any_case(bytes, length, word);
	size_t at = 0;

	if (answer != DPI_YES)
		return answer;
	while (word[at])
		at++;
	while (at < length && bytes[at] == ' ')
		at++;
	if (at == length)
		return DPI_OPEN;
	return bytes[at] == '{' ? DPI_YES : DPI_NO;
}

enum dpi_answer dpi_nats_client(const uint8_t *bytes, size_t length)
{
	return nats(bytes, length, "connect ");
}

enum dpi_answer dpi_nats_server(const uint8_t *bytes, size_t length)
{
	return nats(bytes, length, "info ");
}

/* --- STOMP 1.0 to 1.2 --- */

/* The word on a line of its own, then a header or the empty line. */
static enum dpi_answer stomp(
    const uint8_t *bytes, size_t length, const char *word, bool needs_header)
{
	enum dpi_answer answer = dpi_begins(bytes, length, word);
	struct dpi_line line;
	size_t at = 0;

	if (answer != DPI_YES)
		return answer;
	while (word[at])
		at++;
	if (at < length && bytes[at] == '\r')
		at++;
	if (at == length)
		return DPI_OPEN;
	if (bytes[at++] != '\n')
		return DPI_NO;
	if (at == length)
		return DPI_OPEN;
	answer = dpi_line(bytes + at, length - at, &line);
	if (answer != DPI_YES)
		return answer;
	for (size_t i = 1; i < line.length; i++) {
		if (line.at[i] == ':')
			return DPI_YES;
		if (line.at[i] == ' ')
			return DPI_NO;
	}
	return line.length || needs_header ? DPI_NO : DPI_MAYBE;
}

enum dpi_answer dpi_stomp_client(const uint8_t *bytes, size_t length)
{
	return bytes[0] == 'S' ? stomp(bytes, length, "STOMP", true)
			       : stomp(bytes, length, "CONNECT", false);
}

enum dpi_answer dpi_stomp_server(const uint8_t *bytes, size_t length)
{
	return stomp(bytes, length, "CONNECTED", true);
}
