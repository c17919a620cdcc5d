/* The words and the alphabet of byte-level BPE. Radford et al. 2019, "Language Models are Unsupervised Multitask
   Learners". */
#ifndef THAW_DATA_TEXT_BYTE_WORDS_H
#define THAW_DATA_TEXT_BYTE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the first word of a text of valid UTF-8 that is not empty. Words are the matches of
     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+  */
size_t thaw_byte_word(const unsigned char *text, size_t bytes);

/* The printable character that stands for a byte in the files of a vocabulary, and the byte of a character; -1: it
   stands for none. */
uint32_t thaw_byte_character(unsigned char byte);
int thaw_character_byte(uint32_t code);

#endif
