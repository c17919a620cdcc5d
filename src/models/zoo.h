/* A network of the zoo. There is one file per family; zoo.c lists them. */
#ifndef THAW_MODELS_ZOO_H
#define THAW_MODELS_ZOO_H

#include <thaw/layers.h>
#include <thaw/zoo.h>

/* The options that a description sets. */
typedef struct thaw_network_options {
    int64_t classes;
    int64_t size;   /* height and width of the input; 0: the entry's */
    double dropout; /* the rate */
} thaw_network_options;

typedef struct thaw_network {
    thaw_zoo_entry entry;
    bool drops;     /* whether dropout can be set; otherwise the network has none, or fixed rates */
    double dropout; /* the default */
    /* Appends layers up to the logits to the model's input `*node`, which becomes the logits. */
    thaw_status (*build)(thaw_model *model, const thaw_network_options *options, thaw_node *node);
} thaw_network;

extern const thaw_network thaw_network_transfer_cnn;
extern const thaw_network thaw_network_cnn_8_16;
extern const thaw_network thaw_network_mlp_500;
extern const thaw_network thaw_network_mlp_512;
extern const thaw_network thaw_network_resnet18;
extern const thaw_network thaw_network_resnet34;
extern const thaw_network thaw_network_resnet50;
extern const thaw_network thaw_network_vgg16;
extern const thaw_network thaw_network_vgg16_bn;
extern const thaw_network thaw_network_mobilenet_v2;
extern const thaw_network thaw_network_efficientnet_lite0;

#endif
