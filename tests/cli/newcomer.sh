#!/usr/bin/env bash
# What a newcomer types on a first day: photos, tables and arrays to answers. Each command must end as it should and say
# what it did. usage: newcomer.sh SOURCE_ROOT COMMAND ; skipped (77) without Debian's dataset-fashion-mnist
set -euo pipefail
export OMP_WAIT_POLICY=passive # beside other tests
source_root=$(realpath "$1")
thaw=$(realpath "$2")

[ -e /usr/share/datasets/fashion-mnist ] || { echo "skipped: no dataset-fashion-mnist"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
/usr/bin/python3 "$source_root/tests/cli/newcomer.py" . # Debian's, which has python3-sklearn

count=0
# Runs a command: its exit code, a phrase that it must print, and its words. What it prints is in `output`.
says() {
    local wanted=$1 phrase=$2 code=0
    shift 2
    "$thaw" "$@" >output 2>&1 </dev/null || code=$?
    [ "$code" -eq "$wanted" ] || { cat output; echo "FAILED: exit code $code, must be $wanted: thaw $*"; exit 1; }
    [ -z "$phrase" ] || grep -qF -- "$phrase" output || { cat output; echo "FAILED: no \"$phrase\": thaw $*"; exit 1; }
    count=$((count + 1))
}

# What there is.
says 0 'thaw 0.1' --version
says 0 'finetune' --help
says 0 'mobilenet-v2' models
says 0 '"name":"adam"' optimizers --json
says 0 'only the head trains' strategies
says 0 'csv:FILE' datasets
says 0 'classifier.1' summary --model mobilenet-v2 --classes 5
says 0 'cached here' plan --model transfer-cnn --freeze 'conv*'

# Photos.
photos='folder:photos;size=28;channels=1'
says 0 'saved first.safetensors' train --model 'cnn:channels=8x16' --data "$photos" \
    --epochs 4 -b 16 -o first.safetensors
says 0 'accuracy' evaluate --load first.safetensors --data ./photos
says 0 'weighted mean' evaluate --load first.safetensors --data ./photos --per-class --confusion
says 0 'accuracy' evaluate --load first.safetensors --data ./photos --csv classes.csv --html classes.html
grep -q '^trouser,' classes.csv && grep -q '<svg\|<table' classes.html
says 0 '"accuracy"' evaluate --load first.safetensors --data ./photos --json
says 0 'photo.png: ' predict --load first.safetensors photo.png
says 0 '"class"' predict --load first.safetensors --top 3 --json photos/coat
says 0 '' embed --load first.safetensors --layer flatten1 photo.png -o vectors.npy
grep -qa NUMPY vectors.npy
says 0 'saved first.onnx' export --load first.safetensors --onnx first.onnx
says 0 'cached, test too' finetune --load first.safetensors --head linear --strategy head --data "$photos" \
    --epochs 3 -o head.safetensors
says 0 'saved lora.safetensors' finetune --load first.safetensors --data "$photos" --freeze '*' \
    --lora 'head.weight:rank=2' --epochs 2 \
    -o lora.safetensors
says 0 'accuracy' evaluate --load lora.safetensors --data ./photos
says 0 'suggestion: ' lr-find --model 'cnn:channels=8x16' --data "$photos" --steps 20 -b 16
says 0 'saved rates.svg' lr-find --model 'cnn:channels=8x16' --data "$photos" --steps 20 -b 16 --svg rates.svg
says 0 'best epoch' train --model 'cnn:channels=8x16' --data "$photos" --epochs 4 --best best.safetensors \
    --monitor test-accuracy --patience 2
says 0 'the run starts anew' train --model 'cnn:channels=8x16' --data "$photos" --epochs 2 --checkpoint run --resume
says 0 'the run continues from run' train --model 'cnn:channels=8x16' --data "$photos" --epochs 4 \
    --checkpoint run --resume
says 0 'Equal ranks are ties' bench --model 'cnn:channels=8x16' --load first.safetensors --data "$photos" \
    --strategies 'full head' --seeds 2 \
    --epochs 2 --report report
says 0 'again/index.html' report --input report/results.json --report again

# Photos whose labels are in a table.
says 0 'saved kinds.safetensors' train --model 'cnn:channels=8x16' --data "$photos;labels=kinds.csv" \
    --epochs 4 -b 16 -o kinds.safetensors
says 0 'accuracy' evaluate --load kinds.safetensors --data 'folder:photos;labels=kinds.csv'
says 0 'accuracy' evaluate --load kinds.safetensors --data ./photos # by the names of the classes
says 0 'photo.png: ' predict --load kinds.safetensors photo.png
says 0 'is long: accuracy' train --model 'cnn:channels=8x16' --data "$photos;labels=labels.csv;label=has sleeves,is long" \
    --epochs 2 -b 16 -o labels.safetensors
says 0 'photo.png: has sleeves ' predict --load labels.safetensors photo.png
says 0 'MAE ' train --model 'cnn:channels=8x16' --data "$photos;labels=prices.csv" --epochs 2 -b 16 -o prices.safetensors
says 0 'photo.png: price 1' predict --load prices.safetensors photo.png

# Tables and arrays.
says 0 'saved iris.safetensors' train --model 'mlp:hidden=16' --data 'csv:iris.csv;label=species;split=0.2' \
    --lr 0.02 --epochs 30 -b 16 \
    -o iris.safetensors
says 0 'on 150 samples' evaluate --load iris.safetensors --data 'csv:iris.csv;label=species'
grep -qE 'accuracy (9[0-9]|100)' output
says 0 'R2 0.' train --model 'mlp:hidden=16' --data 'csv:houses.csv;label=price;missing=mean;split=0.2' \
    --loss huber --lr 0.02 --epochs 60 -b 16
says 0 'new.csv: row 150: ' predict --load iris.safetensors new.csv
says 0 '' predict --load iris.safetensors new.csv --top 3 -o answers.csv
grep -q '^"new.csv",1,"setosa",' answers.csv
says 0 'saved rows.npy' embed --load iris.safetensors --layer dense1 new.csv -o rows.npy
says 0 'thaw.columns say' export --load iris.safetensors --onnx iris.onnx
says 0 'saved houses.safetensors' train --model 'mlp:hidden=16' \
    --data 'csv:houses.csv;label=price;missing=mean;split=0.2' --epochs 60 -b 16 -o houses.safetensors
grep -q 'R2 0.9' output
says 0 'R2 0.9' train --model 'mlp:hidden=16,embed=4' \
    --data 'csv:houses.csv;label=price;missing=mean;split=0.2' --epochs 60 -b 16
says 0 'R2 0.9' evaluate --load houses.safetensors --data 'csv:houses.csv'
says 0 '"numbers":[{"name":"price","value":' predict --load houses.safetensors houses.csv --json
says 0 'input [5]' export --load houses.safetensors --onnx houses.onnx
says 0 'test loss' train --model 'mlp:hidden=32' --data 'npy:x.npy,y.npy;split=0.2' --class-weights balanced \
    --epochs 5 -b 16
says 0 'test loss' train --model 'mlp:hidden=32' --data 'npz:digits.npz;split=0.2' --label-smoothing 0.1 \
    --epochs 5 -b 16
says 0 'saved digits.safetensors' train --model mlp-500 --data 'npy:x.npy,y.npy;split=0.2' --epochs 3 -o digits.safetensors
says 0 'x.npy: row 1: ' predict --load digits.safetensors x.npy
says 0 'input [64]' export --load digits.safetensors --onnx digits.onnx

# What goes wrong says why.
says 2 'did you mean --epochs?' train --model mlp-500 --data "$photos" --epocs 3
says 2 'did you mean "resnet18"?' train --model resnet81 --data "$photos"
says 1 'photos/missing.png' predict --load first.safetensors photos/missing.png
says 1 'broken.safetensors' predict --load broken.safetensors photo.png
says 1 'has no column "sepal length' predict --load iris.safetensors houses.csv
sed 1,2d kinds.csv | sed '1i file,kind' >short.csv
says 1 't-shirt/1.png: is an image for which short.csv has no row' train --model 'cnn:channels=8x16' \
    --data "$photos;labels=short.csv"
says 2 'has no column "specie", did you mean "species"?' train --model 'mlp:hidden=16' --data 'csv:iris.csv;label=specie'
echo "$count commands"
