/* BERT's normalisation of texts. Devlin et al. 2018, arXiv 1810.04805, and the tokenizer published with it. */
#ifndef THAW_DATA_TEXT_BERT_TEXT_H
#define THAW_DATA_TEXT_BERT_TEXT_H

#include "data/text/list.h"

/* What is done, in this order. */
typedef struct thaw_bert_form {
    bool clean;      /* drop control characters and U+FFFD; spaces of all kinds become U+0020 */
    bool ideographs; /* put spaces around Chinese characters */
    bool accents;    /* decompose (NFD), and drop accents */
    bool lower;      /* lower case */
} thaw_bert_form;

/* Appends the normalised form of a text of valid UTF-8. `marks` is working memory. Returns false if there is no
   memory. */
bool thaw_bert_normalise(thaw_context *context, const thaw_bert_form *form, const unsigned char *text, size_t bytes,
                         thaw_id_list *marks, thaw_byte_list *normalised);

#endif
