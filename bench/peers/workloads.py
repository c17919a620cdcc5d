"""The workloads in which Thaw and PyTorch are compared: settings of worker.c, and notes."""

CACHE_BYTES = 1 << 30

# Settings of worker.c; `rounds` turns of `steps` steps, or of one epoch. The first epoch of each contender is not
# counted: it fills the cache.
ADAM, ADAMW, MOMENTUM = "adam:lr=1e-3", "adamw:lr=1e-3", "sgd:lr=1e-2,momentum=0.9"
IMAGES = dict(optimizer=MOMENTUM, batch=16)  # of 224x224
LSTM = dict(network="lstm", optimizer=MOMENTUM, batch=32)
VIT = dict(network="vit-small", optimizer=ADAMW, batch=16)
DINO = dict(network="dinov2-small", optimizer=ADAMW, batch=4)  # of 518x518
# Batches of text, of which a step's time is the mean. Nothing is dropped.
BERT = "minilm-l6:length=64,hidden-dropout=0,attention-dropout=0,dropout=0"
MINILM = dict(network=BERT, optimizer=ADAMW, batch=32, tokens="descriptions", batches=12, rounds=5)
GPT2 = dict(network="gpt2:hidden-dropout=0,attention-dropout=0", optimizer=ADAMW, tokens="random", batches=1, rounds=5,
            steps=1)
RESNET, MOBILE, LITE = (dict(IMAGES, network=name) for name in ("resnet18", "mobilenet-v2", "efficientnet-lite0"))
WORKLOADS = {
    "transfer-cnn all": dict(network="transfer-cnn", optimizer=ADAM, rounds=9, steps=15),
    "transfer-cnn frozen": dict(network="transfer-cnn", optimizer=ADAM, freeze="convolutions", rounds=9, steps=25),
    "transfer-cnn cached": dict(network="transfer-cnn", optimizer=ADAM, freeze="convolutions", rounds=5, samples=30000,
                                first=5, last=9, cache_file=True),
    "transfer-cnn cached in bf16": dict(network="transfer-cnn", optimizer=ADAM, freeze="convolutions", rounds=5,
                                        samples=30000, first=5, last=9, cache_file=True, cache_bf16=1),
    "transfer-cnn cached in memory": dict(network="transfer-cnn", optimizer=ADAM, freeze="convolutions", rounds=5,
                                          samples=30000, first=5, last=9, cache_bytes=CACHE_BYTES),
    "mlp-512 all": dict(network="mlp-512", optimizer=ADAM, rounds=9, steps=100),
    "mlp-512 head": dict(network="mlp-512", optimizer=ADAM, freeze="body", rounds=9, steps=200),
    "mlp-500 epoch": dict(network="mlp-500", optimizer=ADAMW, rounds=5, batch=500, samples=57000),
    "cnn-8-16 epoch": dict(network="cnn-8-16", optimizer=ADAMW, rounds=3, batch=500, samples=57000),
    "lstm, all trainable": dict(LSTM, rounds=9, steps=15),
    "lstm, head only, first epoch": dict(LSTM, freeze="body", rounds=9, steps=40),
    "lstm, head only, first epoch, bf16 prefix": dict(LSTM, freeze="body", frozen_precision="bf16", rounds=9, steps=40),
    "lstm, head only, later epochs": dict(LSTM, freeze="body", rounds=5, samples=1600, source="random",
                                          cache_bytes=CACHE_BYTES),
    "resnet18, all trainable": dict(RESNET, rounds=7, steps=2),
    "resnet18, layer4 and fc": dict(RESNET, freeze="before:layer4", rounds=7, steps=4),
    "resnet18, fc only, first epoch": dict(RESNET, freeze="body", rounds=9, steps=5),
    "resnet18, fc only, later epochs": dict(RESNET, freeze="body", rounds=5, samples=128, source="random",
                                            cache_bytes=CACHE_BYTES),
    "mobilenet-v2, all trainable": dict(MOBILE, rounds=7, steps=2),
    "mobilenet-v2, classifier only": dict(MOBILE, freeze="body", rounds=9, steps=5),
    "efficientnet-lite0, all trainable": dict(LITE, rounds=7, steps=2),
    "efficientnet-lite0, classifier only": dict(LITE, freeze="body", rounds=9, steps=5),
    "resnet18, all trainable, bf16": dict(RESNET, precision="bf16", rounds=7, steps=4),
    "resnet18, fc only, first epoch, bf16 prefix": dict(RESNET, freeze="body", frozen_precision="bf16", rounds=9,
                                                        steps=5),
    "vit-small, all trainable": dict(VIT, rounds=5, steps=1),
    "vit-small, last 2 blocks": dict(VIT, freeze="before:blocks.10", rounds=5, steps=2),
    "vit-small, LoRA of rank 8": dict(VIT, lora_rank=8, lora="blocks.*.attn.qkv.weight", rounds=5, steps=1),
    "vit-small, head only, first epoch": dict(VIT, freeze="body", rounds=5, steps=2),
    "vit-small, head only, later epochs": dict(VIT, freeze="body", rounds=5, samples=128, source="random",
                                               cache_bytes=CACHE_BYTES),
    "dinov2-small, head only, first epoch": dict(DINO, freeze="body", rounds=5, steps=1),
    "minilm-l6, all trainable": dict(MINILM, steps=1),
    "minilm-l6, last 2 blocks": dict(MINILM, freeze="before:bert.encoder.layer.4", steps=2),
    "minilm-l6, LoRA of rank 8": dict(MINILM, lora_rank=8, lora="bert.encoder.*.attention.self.*.weight", steps=1),
    "minilm-l6, head only, first epoch": dict(MINILM, freeze="body", steps=3),
    "gpt2, all trainable, 4 x 64": dict(GPT2, batch=4, length=64),
    "gpt2, all trainable, 1 x 1024": dict(GPT2, batch=1, length=1024),
}
NOTES = {
    "transfer-cnn cached": "in a file. PyTorch has no feature cache: its frozen epoch",
    "transfer-cnn cached in bf16": "in a file of half the bytes. PyTorch has no feature cache: its frozen epoch",
    "transfer-cnn cached in memory": "PyTorch has no feature cache: its frozen epoch",
    "lstm, head only, later epochs": "PyTorch has no feature cache: its frozen epoch",
    "resnet18, fc only, later epochs": "PyTorch has no feature cache: its frozen epoch",
    "vit-small, LoRA of rank 8": "on the query, key and value projections of all blocks; the head trains, too",
    "minilm-l6, LoRA of rank 8": "on queries, keys and values of all blocks; the head trains, too",
    "vit-small, head only, later epochs": "PyTorch has no feature cache: its frozen epoch",
}
