/* Networks by name, built from public layer calls. */
#ifndef THAW_ZOO_H
#define THAW_ZOO_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A network that Thaw can build. Static storage. */
typedef struct thaw_zoo_entry {
    const char *name, *description; /* as users write it; in a few words */
    size_t classes;                 /* the default number of outputs */
    thaw_shape sample_shape;        /* the default input size; of text, the values of all inputs of a sample */
    size_t parameters;              /* elements of all parameters by default; statistics do not count */
    const char *weights;            /* the network elsewhere whose trained weights fit; NULL: there is none */
    const char *head;               /* name of the last layer, "fc"; with head=mlp, of its layers "fc.0", "fc.2" */
    bool text;                      /* its inputs are tokens: see below */
} thaw_zoo_entry;

/* The entries in the order of listings; NULL past the end. Thread-safe. */
THAW_API const thaw_zoo_entry *thaw_zoo_entry_at(size_t index);

/* Descriptions of networks. A description is a name, or a name and options: "resnet18:size=64",
   "mobilenet-v2:size=96,head=mlp:256,dropout=0.2". Options:
     size=N          (not mlp, cnn) height and width of the input (networks that pool over the whole image keep the
                     shapes of their parameters)
     dropout=X       the rate before the last layer, or before a new head; in VGG also between its other dense layers.
                     The default is torchvision's. A rate that is given acts on the features of a frozen body, too
                     (thaw_dropout_options.drop_when_frozen); the default rate does not
     layers=N, width=N, heads=N, hidden=N, patch=N, epsilon=X
                     (vit, deit, dinov2) blocks, features of a token, heads of attention, width between the dense layers
                     of a block (default: four times the width), height and width of a patch, and epsilon of layer
                     normalisation. heads must divide width, and patch the size
     drop-path=X     (vit, deit, dinov2, convnext) stochastic depth: the rate of the last block, from 0 in the first one
                     on (thaw_stochastic_depth). Default: 0
     head=linear     a new head: one dense layer
     head=mlp:UNITS  a new head: hidden dense layers with ReLU, "mlp:256" or "mlp:256x64", and a dense layer
     head=none       no head: the network ends with its features, the input of its last layer
     head-init=NAME  the initial weights of the head: default (PyTorch's Linear), zeros, normal (standard deviation
                     0.01), xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal (torch.nn.init's, with the
                     gain of ReLU for the latter two) or kaiming_normal_fan_out. Biases are then 0, but PyTorch's with
                     default. zeros is for the last layer alone: a hidden layer of zeros would never train
   Options of mlp and cnn, whose layers have PyTorch's initial values:
     input=SHAPE     the input: a number of features, "30", or height, width and channels, "28x28x1" (the default); cnn
                     takes images alone
     hidden=SIZES    the outputs of the hidden dense layers, "64x32", or none. Default: 128 in mlp, none in cnn. Layers
                     are named dense1, dense2 ..., and the last one head; dropout is before each but the first, in cnn
                     before the first, too
     channels=SIZES  (cnn) the filters of the convolutions conv1, conv2 ...; default: 16x32. Each keeps the image's
                     size, and is followed by 2x2 max-pooling where the image is not smaller
     kernel=N        (cnn) the height and width of the filters; default: 3
     features=NAME   (cnn) flatten: each pixel of the last convolution is a feature (the default); average: their mean
                     over each channel, for inputs of any size
     embed=N         (mlp) columns of categories, each a 1 among zeros in the input, become embeddings of N numbers, as
                     torch.nn.Embedding's and with its initial values; the first is embedding1.weight, of shape
                     [categories, N] in files
     categories=LIST (mlp) where they are: the index of the first feature and the count of each column, "3:5x9:2". A
                     command that reads a table fills this in, from thaw_dataset_categories
     activation=NAME after each hidden layer and convolution: relu (the default), relu6, leaky_relu, gelu, silu, tanh or
                     sigmoid
     norm=NAME       before each activation: none (the default), batch, or layer, which normalises all of a sample, as
                     PyTorch's LayerNorm([C, H, W]) with a weight and a bias a channel. Convolutions then have no bias
   Options of bert, minilm, distilbert and gpt2, whose defaults are those of the network's weights elsewhere:
     layers=N, width=N, heads=N
                     the blocks, the width of a token, and the heads of attention, which must divide it
     hidden=N        the width between the dense layers of a block; default: four times the width
     vocabulary=N, positions=N, types=N
                     rows of the tables of tokens, of positions and (bert, minilm) of token types; types=0: none
     length=N        the longest sequence that the inputs take, at most the positions; default: 128, or the positions
     activation=NAME in a block: gelu, gelu_tanh or relu
     epsilon=X       of layer normalisation
     hidden-dropout=X, attention-dropout=X
                     the rates behind the embeddings and at the end of each residual branch, and of the weights of
                     attention. Default: 0.1. Inside a frozen prefix nothing is dropped
     pooling=NAME    (not gpt2) token: the features are the first token, through a dense layer and tanh (distilbert:
                     ReLU). cls: the first token as it is. With both, nothing else is computed in the last block. mean:
                     the mean over the sequence's own tokens, minilm's default. With cls and mean, the pooler of bert
                     and minilm is of no use: its parameters stay for the file's sake and do not train. That of
                     distilbert is left out
     normalise=yes   (not gpt2) the features have a Euclidean norm of 1, as sentence embeddings
   Their inputs (thaw_named_input) are "token_ids", "lengths" and, with types, "token_types", which is optional: ids and
   types of [length] and the number of a sequence's own tokens, all THAW_I32. What is behind a length influences
   nothing. gpt2 has an output of [length, vocabulary], the logits of each next token, 0 behind the length, and its head
   is the table of tokens; of the options of heads it takes head=none, and its features are [length, width].
   A new head has PyTorch's initial values unless head-init says otherwise. It replaces the last dense layer, as in
   torchvision's `model.fc = Linear(...)` or `Sequential(Linear, ReLU, Linear)`, and its parameters have the names that
   they get there: "fc.weight", or "fc.0.weight" and "fc.2.weight".
   A name with a slash is the path of a shared object with a network of your own (thaw/network_module.h).
   The backbones use torchvision's names, layouts and initial values (efficientnet-lite0, vit, deit, dinov2 and
   convnext: timm's; bert, minilm, distilbert and gpt2: Hugging Face's), so that their weight files can be loaded.
   Positions of vision transformers are resampled if the size differs from the file's (thaw/weights.h). Their features
   are the class token, normalised: in the last block nothing else is computed. The networks vit and dinov2 have the
   names of Hugging Face's ViTForImageClassification and Dinov2ForImageClassification instead, and so the head
   "classifier"; the features of dinov2 are the class token beside the mean of the other tokens. mobilenetv2-100 has
   timm's names. A file of a bare BertModel, which has no "bert." before its names, is loaded with the renaming { "",
   "bert." } (thaw/weights.h), a DistilBertModel with { "", "distilbert." }, a GPT2Model with { "", "transformer." }; it
   has no classifier. */

/* Builds a network with a softmax cross-entropy loss (gpt2: thaw_token_cross_entropy) into an empty model; `classes` 0:
   the entry's default.
   Errors: THAW_NOT_FOUND (the message lists the known names), THAW_INVALID_ARGUMENT (an option, head=none, the model is
   not empty), THAW_SHAPE_MISMATCH (a size that the network does not support). */
THAW_API thaw_status thaw_zoo_build(thaw_model *model, const char *description, size_t classes);

/* The same without a loss: *output is the last node, the outputs of the head, of shape [outputs], or with head=none the
   features, of shape [features]. One's own head, and any loss, go on top:

     thaw_node node;
     thaw_zoo_network(model, "resnet18", 1, &node);
     thaw_mse(model, node, NULL, &node);

   `outputs` 0: the entry's default, for gpt2 the vocabulary, which others must equal; ignored with head=none. Errors:
   as above, but for head=none. */
THAW_API thaw_status thaw_zoo_network(thaw_model *model, const char *description, size_t outputs, thaw_node *output);

/* The same for samples of this shape (NULL: the entry's default). Networks that begin with a flatten, mlp-500 and
   mlp-512, take any shape, such as [features] of a table; the others keep theirs, and so does one whose description has
   a size. */
THAW_API thaw_status thaw_zoo_network_for(thaw_model *model, const char *description, const thaw_shape *samples,
                                          size_t outputs, thaw_node *output);

/* thaw_zoo_build for samples of this shape. */
THAW_API thaw_status thaw_zoo_build_for(thaw_model *model, const char *description, const thaw_shape *samples,
                                        size_t classes);

/* Checks a description without building the network. Errors: those of thaw_zoo_network, except an unsupported size. */
THAW_API thaw_status thaw_zoo_check(thaw_context *context, const char *description);

#ifdef __cplusplus
}
#endif

#endif
