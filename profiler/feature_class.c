/* SPDX-License-Identifier: Apache-2.0 */
/* Ports, paths and media types as small numbers, by tables. */
#include "profiler/features.h"

#include "base/assert.h"

#include <string.h>
#include <strings.h>

struct class_row {
	const char *word;
	uint8_t class;
};

uint8_t port_class(uint16_t port)
{
	static const struct {
		uint16_t port;
		uint8_t class;
	} rows[] = {
	    {80, 1},
	    {443, 1},
	    {3000, 1},
	    {8000, 1},
	    {8008, 1},
	    {8080, 1},
	    {8081, 1},
	    {8443, 1},
	    {8888, 1},
	    {22, 2},
	    {23, 2},
	    {2222, 2},
	    {3389, 2},
	    {5900, 2},
	    {25, 3},
	    {110, 3},
	    {143, 3},
	    {465, 3},
	    {587, 3},
	    {993, 3},
	    {995, 3},
	    {1433, 4},
	    {1521, 4},
	    {3306, 4},
	    {5432, 4},
	    {6379, 4},
	    {9042, 4},
	    {11211, 4},
	    {27017, 4},
	    {1883, 5},
	    {4222, 5},
	    {5222, 5},
	    {5672, 5},
	    {6667, 5},
	    {8883, 5},
	    {9092, 5},
	    {61613, 5},
	    {20, 6},
	    {21, 6},
	    {445, 6},
	    {873, 6},
	    {2049, 6},
	    {9418, 6},
	    {554, 7},
	    {1935, 7},
	};

	for (unsigned i = 0; i < BR_COUNT(rows); i++)
		if (rows[i].port == port)
			return rows[i].class;
	return 0;
}

static uint8_t class_find(
    const struct class_row *rows, unsigned n, const char *word, size_t length)
{
	for (unsigned i = 0; i < n; i++)
		if (strlen(rows[i].word) == length &&
		    strncasecmp(rows[i].word, word, length) == 0)
			return rows[i].class;
	return UINT8_MAX;
}

/* What stands before the first of the bytes in `ends`. */
static uint32_t length_before(
    const char *text, uint32_t length, const char *ends)
{
	uint32_t n = 0;

	while (n < length && !strchr(ends, text[n]))
		n++;
	return n;
}

static const struct class_row extensions[] = {
    {"html", 1},
    {"htm", 1},
    {"php", 1},
    {"asp", 1},
    {"aspx", 1},
    {"jsp", 1},
    {"cgi", 1},
    {"js", 2},
    {"mjs", 2},
    {"css", 2},
    {"json", 2},
    {"map", 2},
    {"wasm", 2},
    {"png", 3},
    {"jpg", 3},
    {"jpeg", 3},
    {"gif", 3},
    {"webp", 3},
    {"svg", 3},
    {"ico", 3},
    {"avif", 3},
    {"woff", 4},
    {"woff2", 4},
    {"ttf", 4},
    {"otf", 4},
    {"mp4", 5},
    {"mkv", 5},
    {"webm", 5},
    {"mov", 5},
    {"avi", 5},
    {"mp3", 5},
    {"flac", 5},
    {"ogg", 5},
    {"wav", 5},
    {"flv", 5},
    {"ts", 6},
    {"m4s", 6},
    {"m4a", 6},
    {"m4v", 6},
    {"aac", 6},
    {"m3u8", 7},
    {"mpd", 7},
    {"zip", 8},
    {"gz", 8},
    {"tgz", 8},
    {"xz", 8},
    {"bz2", 8},
    {"zst", 8},
    {"tar", 8},
    {"7z", 8},
    {"iso", 8},
    {"img", 8},
    {"bin", 8},
    {"exe", 8},
    {"dmg", 8},
    {"deb", 8},
    {"rpm", 8},
    {"apk", 8},
    {"jar", 8},
    {"pdf", 9},
    {"txt", 9},
    {"csv", 9},
    {"xml", 9},
    {"doc", 9},
    {"docx", 9},
    {"xlsx", 9},
};

uint8_t path_class(const char *path, uint32_t length)
{
	uint32_t end = length_before(path, length, "?#");
	uint32_t dot = end;
	uint8_t class;

	while (dot && path[dot - 1] != '.' && path[dot - 1] != '/')
		dot--;
	if (!dot || path[dot - 1] != '.' || dot == end)
		return 0;
	class =
	    class_find(extensions, BR_COUNT(extensions), path + dot, end - dot);
	return class == UINT8_MAX ? 10 : class;
}

uint8_t type_class(const char *type, uint32_t length)
{
	static const struct class_row whole[] = {
	    {"text/html", 1},
	    {"application/xhtml+xml", 1},
	    {"application/javascript", 2},
	    {"application/json", 3},
	    {"application/xml", 3},
	    {"text/xml", 3},
	    {"application/zip", 7},
	    {"application/gzip", 7},
	    {"application/x-tar", 7},
	    {"application/x-xz", 7},
	    {"application/octet-stream", 7},
	    {"application/vnd.debian.binary-package", 7},
	    {"application/vnd.apple.mpegurl", 5},
	    {"application/dash+xml", 5},
	    {"text/event-stream", 8},
	};
	static const struct class_row tree[] = {
	    {"text", 2}, {"image", 4}, {"audio", 5}, {"video", 5}, {"font", 6}};
	uint32_t end = length_before(type, length, "; \t");
	uint8_t class;

	if (!end)
		return 0;
	class = class_find(whole, BR_COUNT(whole), type, end);
	if (class == UINT8_MAX)
		class = class_find(
		    tree, BR_COUNT(tree), type, length_before(type, end, "/"));
	return class == UINT8_MAX ? 9 : class;
}
