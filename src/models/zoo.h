/* A network of the zoo. There is one file per family; zoo.c lists them. */
#ifndef THAW_MODELS_ZOO_H
#define THAW_MODELS_ZOO_H

#include <thaw/data.h>
#include <thaw/layers.h>
#include <thaw/zoo.h>

enum { THAW_MOST_LAYERS_IN_LIST = 16 };

/* Sizes of layers, as "64x32" lists them. */
typedef struct thaw_size_list {
    size_t count;
    int64_t items[THAW_MOST_LAYERS_IN_LIST];
} thaw_size_list;

enum { THAW_MOST_CATEGORY_COLUMNS = 64 };

typedef struct thaw_column_list {
    size_t count;
    thaw_category_column items[THAW_MOST_CATEGORY_COLUMNS];
} thaw_column_list;

/* What comes after the features. */
typedef enum thaw_head_kind {
    THAW_HEAD_OWN, /* the network's own: one dense layer */
    THAW_HEAD_NONE,
    THAW_HEAD_LINEAR,
    THAW_HEAD_MLP
} thaw_head_kind;

/* The function after each hidden layer, in the order of thaw_activation_words. */
typedef enum thaw_hidden_function {
    THAW_HIDDEN_RELU,
    THAW_HIDDEN_RELU6,
    THAW_HIDDEN_LEAKY_RELU,
    THAW_HIDDEN_GELU,
    THAW_HIDDEN_SILU,
    THAW_HIDDEN_TANH,
    THAW_HIDDEN_SIGMOID
} thaw_hidden_function;

/* The normalisation before it, in the order of thaw_norm_words. */
typedef enum thaw_norm { THAW_NORM_NONE, THAW_NORM_BATCH, THAW_NORM_LAYER } thaw_norm;

/* What a vision transformer is made of. */
typedef struct thaw_vision_options {
    int64_t layers, width, heads;
    int64_t hidden; /* the width between the dense layers of a block; 0: four times the width */
    int64_t patch;  /* height and width of the patches */
    double epsilon; /* of layer normalisation */
    double scale;   /* the initial values of LayerScale; 0: there is none */
} thaw_vision_options;
/* The function between the dense layers of a transformer's block, in the order of thaw_text_function_words. */
typedef enum thaw_text_function { THAW_TEXT_GELU, THAW_TEXT_GELU_TANH, THAW_TEXT_RELU } thaw_text_function;

/* How the features come from a sequence: from its first token through the pooler, its mean, or its first token as it
   is. */
typedef enum thaw_pooling { THAW_POOLING_TOKEN, THAW_POOLING_MEAN, THAW_POOLING_CLS } thaw_pooling;

/* What a network of text is made of. */
typedef struct thaw_text_options {
    int64_t layers, width, heads;
    int64_t hidden; /* the width between the dense layers of a block; 0: four times the width */
    int64_t vocabulary, positions;
    int64_t types;  /* rows of the table of token types; 0: there is none */
    int64_t length; /* the longest sequence; 0: 128, or the positions if they are fewer */
    double epsilon; /* of layer normalisation */
    double hidden_dropout, attention_dropout;
    thaw_text_function activation;
    thaw_pooling pooling;
    bool normalises; /* the features have a Euclidean norm of 1 */
} thaw_text_options;

/* The options that a description sets. */
typedef struct thaw_network_options {
    int64_t classes;
    int64_t size;     /* height and width of the input; 0: the entry's */
    thaw_shape input; /* of rank 0: the entry's */
    thaw_size_list hidden, channels;
    int64_t embed; /* the width of embedded categories; 0: they are not embedded */
    thaw_column_list categories;
    int64_t kernel;
    thaw_hidden_function activation;
    thaw_norm norm;
    bool averages;    /* the features of a CNN are means over its channels */
    double dropout;   /* the rate */
    bool drops;       /* the description gives the rate */
    double drop_path; /* the rate of stochastic depth in the last block */
    thaw_head_kind head;
    thaw_size_list head_units; /* of the hidden layers of THAW_HEAD_MLP */
    bool has_initializer;      /* of the head */
    thaw_initializer initializer;
    thaw_vision_options vision;
    thaw_text_options text;
} thaw_network_options;

/* Which options a network takes: the size of its input, all that its layers are made from, stochastic depth, what a
   transformer of text is made of, and how that makes one vector of a sequence, its token types, or no head; what a
   vision transformer is made of; which features are categories. Those that take none of TEXT, TYPES and NO_HEAD have the options of a head. */
typedef enum thaw_network_takes {
    THAW_TAKES_SIZE = 1,
    THAW_TAKES_LAYERS = 2,
    THAW_TAKES_CHANNELS = 4,
    THAW_TAKES_DEPTH = 8,
    THAW_TAKES_TEXT = 16,
    THAW_TAKES_POOLING = 32,
    THAW_TAKES_TYPES = 64,
    THAW_TAKES_NO_HEAD = 128,
    THAW_TAKES_VISION = 256,
    THAW_TAKES_COLUMNS = 512
} thaw_network_takes;

typedef struct thaw_network {
    thaw_zoo_entry entry;
    bool any_input;                                 /* samples of any shape: it begins with a flatten */
    const thaw_vision_options *vision;              /* the defaults of a vision transformer; NULL: it is none */
    const thaw_text_options *text;                  /* the defaults of a network of text; NULL: it reads one input */
    bool predicts_tokens;                           /* its outputs are tokens' logits, and `build` appends its head */
    unsigned takes;                                 /* of thaw_network_takes; 0: THAW_TAKES_SIZE */
    thaw_size_list hidden, channels;                /* the defaults */
    double dropout;                                 /* the default rate */
    thaw_initializer initializer, bias_initializer; /* of its own head */
    /* Appends layers up to the features, of shape [features], to the model's input `*node`, which becomes the
       features. A network of text declares its inputs, and one that is its own head becomes the outputs. */
    thaw_status (*build)(thaw_model *model, const thaw_network_options *options, thaw_node *node);
} thaw_network;

extern const thaw_network thaw_network_transfer_cnn;
extern const thaw_network thaw_network_cnn_8_16;
extern const thaw_network thaw_network_mlp_500;
extern const thaw_network thaw_network_mlp_512;
extern const thaw_network thaw_network_mlp;
extern const thaw_network thaw_network_cnn;
extern const thaw_network thaw_network_resnet18;
extern const thaw_network thaw_network_resnet34;
extern const thaw_network thaw_network_resnet50;
extern const thaw_network thaw_network_vgg16;
extern const thaw_network thaw_network_vgg16_bn;
extern const thaw_network thaw_network_mobilenet_v2;
extern const thaw_network thaw_network_mobilenetv2_100;
extern const thaw_network thaw_network_efficientnet_lite0;
extern const thaw_network thaw_network_vit_tiny;
extern const thaw_network thaw_network_vit_small;
extern const thaw_network thaw_network_vit_base;
extern const thaw_network thaw_network_deit_small;
extern const thaw_network thaw_network_dinov2_small;
extern const thaw_network thaw_network_vit;
extern const thaw_network thaw_network_dinov2;
extern const thaw_network thaw_network_convnext_tiny;
extern const thaw_network thaw_network_bert_base;
extern const thaw_network thaw_network_minilm_l6;
extern const thaw_network thaw_network_distilbert;
extern const thaw_network thaw_network_gpt2;

#endif
