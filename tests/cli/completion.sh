#!/usr/bin/env bash
# What bash and zsh complete, with the functions that are installed.
# usage: completion.sh COMMAND COMPLETION_OF_BASH COMPLETION_OF_ZSH
set -euo pipefail
thaw=$(realpath "$1") zsh_file=$(realpath "$3")
# shellcheck source=/dev/null
source "$2"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir flowers
touch images labels source.safetensors 'my weights.safetensors'

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Completes the last of the words, which are split as readline splits them, and prints what it offers in order.
complete_words() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _thaw
    [ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort
}

# expect OFFERED WORD.. : the words of OFFERED are separated by '|'.
expect() {
    local wanted found
    wanted=$(tr '|' '\n' <<<"$1" | sort)
    shift
    found=$(complete_words "$@")
    [ "$found" = "$wanted" ] || fail "$*: offered: $found; wanted: $wanted"
}

[ "$(complete -p thaw)" = "complete -F _thaw thaw" ] || fail "nothing is registered"
expect 'train' thaw tr
expect '--version' thaw --v
expect '' thaw frobnicate --m
expect '--model|--merge|--max-bytes|--mixup|--monitor' thaw train --m
expect '--unfreeze' thaw train --model resnet18 --unf
expect '--ema' thaw train --em
expect 'resnet18|resnet34|resnet50' thaw train --model res
expect 'resnet18|resnet34|resnet50' thaw train --model = res
expect 'vgg16|vgg16-bn' thaw plan --data fashion-mnist : classes = 0-4 --model vgg
expect 'adadelta|adafactor|adagrad|adam|adamax|adamw|adan' thaw train --optimizer ada
expect 'momentum=' thaw train --optimizer sgd : mom
expect 'lookahead/' thaw train --optimizer look
expect 'lookahead/adopt' thaw train --optimizer lookahead/ado
expect "$("$thaw" optimizers | cut -d ' ' -f 1 | paste -sd '|')" thaw bench --optimizers = ''
expect 'lora:rank=8|lp-ft|last2' thaw bench --strategies l
expect 'lora:rank=8|lp-ft|last2' thaw finetune --strategy l
expect "full head gradual" thaw bench --strategies "'full head gra"
expect 'bf16|bf16-emulated' thaw train --precision bf
expect 'cosine|constant' thaw train --schedule co
expect 'test-loss|test-accuracy|test-top5|test-f1' thaw train --monitor te
expect '--test-data|--test-every' thaw train --test
expect 'source.safetensors' thaw train --best so
expect '--sampling|--save|--save-broken' thaw train --sa
expect 'source.safetensors' thaw train --save-broken so
expect '--confusion|--csv' thaw evaluate --c
expect '--html|--help' thaw evaluate --h
expect 'off' thaw train --cache of
expect 'source.safetensors' thaw train --output so
expect 'source.safetensors' thaw train -o so
expect '--batch|--batch-size' thaw train --bat
expect 'mpi' thaw train --ranks m
expect 'source.safetensors' thaw finetune --load so
expect 'my weights.safetensors' thaw finetune --load my
expect 'source.safetensors' thaw finetune --load = so
expect 'flowers' thaw bench --report fl
expect 'fashion-mnist|folder:' thaw train --data f
expect 'flowers' thaw train --data folder : f
expect 'images' thaw train --data idx : im
expect 'images,labels' thaw train --data idx : images,la
expect 'images' thaw train --data npz : im
expect 'images,labels' thaw train --data npy : images,la
expect 'images' thaw train --data csv : im
expect 'npy:|npz:' thaw train --data n
expect 'images' thaw predict im
expect 'images' thaw predict --json im
expect 'images' thaw embed im
expect '--layer|--load' thaw embed --l
expect 'source.safetensors' thaw embed --output so
expect '--images' thaw predict --im
expect 'source.safetensors' thaw export --load so
expect 'source.safetensors' thaw export --onnx so
expect '--probabilities' thaw export --pro
expect '' thaw train --batch ''
expect '' thaw train --batch 12
expect '' thaw train --drop-last word
# A user may have taken ':' and '=' out of the word breaks.
(COMP_WORDBREAKS=' ' && expect '--model=vgg16|--model=vgg16-bn' thaw train --model=vgg)
(COMP_WORDBREAKS=' ' && expect 'folder:flowers' thaw train --data folder:f)

networks=$("$thaw" --help | sed -n '/^Networks/,/^$/s/^  \([a-z0-9-]*\) .*/\1/p' | sort)
[ "$(complete_words thaw train --model '')" = "$networks" ] || fail "other networks than those of thaw --help"

# The names in the help of a command, with other names of the same option.
long_options() {
    "$thaw" "$1" --help | sed -n 's/^ \{2,6\}\(-[^ ].*\)/\1/p' | sed 's/  .*//' | grep -oE -- '--[a-z0-9-]+' | sort
}

commands=$("$thaw" --help | sed -n '3,/^$/s/^  \([a-z]*\)  .*/\1/p')
for name in $commands; do
    options=$(long_options "$name")
    [ "$(complete_words thaw "$name" --)" = "$options" ] || fail "bash: other options of $name than those of its --help"
done

if command -v zsh >/dev/null; then
    for name in $commands; do
        options=$(long_options "$name")
        # The names in what the function hands to zsh.
        found=$(zsh -fc '_arguments() { print -rl -- "$@"; }
                         words=(thaw '"$name"' --) CURRENT=3
                         source '"$zsh_file" | grep -v '^\*:' | grep -- '--' | sed 's/^\*\{0,1\}\(--[a-z0-9-]*\).*/\1/' | sort)
        [ "$found" = "$options" ] || fail "zsh: other options of $name than those of its --help"
    done
fi
