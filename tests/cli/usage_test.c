/* What is wrong with a command line or with what it names: the exit code, the message, and that nothing is left. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/command.h"
#include "support/support.h"

static char directory[SUPPORT_PATH_BYTES];
static char data[2048], data_0_4[4096], save[SUPPORT_PATH_BYTES], weights[SUPPORT_PATH_BYTES];
static char short_images[2048], text_file[SUPPORT_PATH_BYTES];

/* $a .. $f in command lines */
static const char *const variables[] = { data, data_0_4, save, weights, short_images, text_file };

static void begin(void)
{
    support_make_directory(directory);
    support_write_images(directory);
    snprintf(data, sizeof data, "idx:%s/train-images,%s/train-labels", directory, directory);
    snprintf(data_0_4, sizeof data_0_4, "%s;classes=0-4", data);
    snprintf(short_images, sizeof short_images, "idx:%s/test-images,%s/train-labels", directory, directory);
    support_path(save, directory, "saved.safetensors");
    support_path(weights, directory, "absent.safetensors");
    support_write_file(support_path(text_file, directory, "text"), "no weights", 10);
}

static void end(void)
{
    support_remove_directory(directory);
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *entries = opendir(directory);
    while (readdir(entries))
        count++;
    closedir(entries);
    return count;
}

#define TRAIN "train --model transfer-cnn --threads 1 --data $b --save $c "

static const struct {
    const char *line;
    int code;
    const char *message; /* on standard error */
} cases[] = {
    { "trian", 2, "thaw: trian: no such command, did you mean train?" },
    { "frobnicate", 2, "thaw: frobnicate: no such command; see" },
    { "--generate", 2, "thaw: --generate: \"\", must be man, man-COMMAND, bash or zsh" },
    { "--generate man-trian", 2, "thaw: --generate: \"man-trian\", must be" },
    { "train", 2, "thaw: --model: is missing" },
    { "train --model transfer-cnn", 2, "thaw: --data: is missing" },
    { "finetune --model ./no/net:size=8 --data fashion-mnist", 2, "thaw: --model: ./no/net:size=8: no such file" },
    { "finetune --model transfer-cnn --data $a", 2, "thaw: --load: is missing" },
    { "evaluate --model transfer-cnn --data $a", 2, "thaw: --load: is missing" },
    { "train --frobnicate", 2, "thaw: --frobnicate: thaw train has no such option; see 'thaw train --help'" },
    { "train --model", 2, "requires an argument" },
    { TRAIN "--lora dense1:rank=0", 2, "thaw: --lora: \"dense1:rank=0\", must be PATTERN:rank=N,alpha=X" },
    { TRAIN "--lora dense1:rank=300", 2, "thaw: --lora: rank is 300 for a weight of shape [128, 4608]" },
    { TRAIN "--lora *.bias", 2, "thaw: --lora: pattern \"*.bias\" selects no weight matrix" },
    { TRAIN "--bias-only nothing", 2, "thaw: --bias-only: pattern \"nothing\" matches no group" },
    { "summary --model transfer-cnn --save x", 2, "thaw: --save: thaw summary has no such option; thaw train has" },
    { TRAIN "--bach 16", 2,
      "thaw: --bach: thaw train has no such option, did you mean --batch? See 'thaw train --help'" },
    { TRAIN "--shedule=cosine", 2, "did you mean --schedule?" },
    { TRAIN "--json --bach=16", 2, "did you mean --batch?" },
    { TRAIN "-x", 2, "thaw: -x: thaw train has no such option" },
    { TRAIN "-b", 2, "requires an argument" },
    { TRAIN "-b 0", 2, "thaw: --batch: \"0\", must be a whole number from 1" },
    { TRAIN "--lr -1", 2, "thaw: --lr: \"-1\", must be a finite number from 0" },
    { TRAIN "--lr 0.1 --optimizer sgd:momentum=0.9,lr=0.1", 2, "thaw: --lr: cannot be used with lr= in --optimizer" },
    { TRAIN "--optimizer adam:wd=1,weight_decay=1", 2, "given twice" },
    { TRAIN "word", 2, "thaw: word: is not an option; options begin with --, see 'thaw train --help'" },
    { "train --model transfer-cmn --data $a --save $c", 2, "thaw: --model: " },
    { "summary --model transfer-cmn", 2, "transfer-cnn" },
    { TRAIN "--optimizer adm", 2, "did you mean \"adam\"?" },
    { TRAIN "--optimizer adam:lrr=1", 2, "did you mean \"lr\"?" },
    { TRAIN "--optimizer adam:lr=nan", 2, "thaw: --optimizer: adam: lr" },
    { TRAIN "--optimizer adam:lr=-1", 2, "thaw: --optimizer: adam: lr" },
    { TRAIN "--optimizer sgd:nesterov=1", 2, "thaw: --optimizer: sgd: " },
    { TRAIN "--optimizer=", 2, "thaw: --optimizer: \"\"" },
    { TRAIN "--batch 0", 2, "thaw: --batch: \"0\", must be a whole number from 1" },
    { TRAIN "--batch -1", 2, "thaw: --batch: \"-1\"" },
    { TRAIN "--batch 1e3", 2, "thaw: --batch: \"1e3\"" },
    { TRAIN "--batch 99999999999999999999", 2, "thaw: --batch: " },
    { TRAIN "--epochs 0", 2, "thaw: --epochs: \"0\"" },
    { TRAIN "--epochs 2.5", 2, "thaw: --epochs: \"2.5\"" },
    { TRAIN "--seed -1", 2, "thaw: --seed: \"-1\"" },
    { TRAIN "--threads 0", 2, "thaw: --threads: \"0\", must be a whole number from 1 to 1024" },
    { TRAIN "--threads 1025", 2, "thaw: --threads: \"1025\"" },
    { TRAIN "--clip-norm 0", 2, "thaw: --clip-norm: \"0\", must be a finite number above 0" },
    { TRAIN "--clip-norm nan", 2, "thaw: --clip-norm: \"nan\"" },
    { TRAIN "--clip-norm inf", 2, "thaw: --clip-norm: \"inf\"" },
    { TRAIN "--clip-norm -1", 2, "thaw: --clip-norm: \"-1\"" },
    { TRAIN "--ranks gasnet", 2, "thaw: --ranks: \"gasnet\", must be auto, mpi or off" },
    { TRAIN "--timeout 0", 2, "thaw: --timeout: \"0\", must be a finite number above 0" },
    { TRAIN "--timeout nan", 2, "thaw: --timeout: \"nan\"" },
    { "summary --model transfer-cnn --ranks off", 2, "thaw: --ranks: thaw summary has no such option; thaw train has" },
    { TRAIN "--resume", 2, "thaw: --resume: needs --checkpoint" },
    { TRAIN "--keep 2", 2, "thaw: --keep: needs --checkpoint" },
    { TRAIN "--checkpoint-every 10m", 2, "thaw: --checkpoint-every: needs --checkpoint" },
    { TRAIN "--checkpoint-every 10", 2,
      "thaw: --checkpoint-every: \"10\", must be a whole number above 0 and its unit" },
    { TRAIN "--checkpoint-every 0s", 2, "thaw: --checkpoint-every: \"0s\"" },
    { TRAIN "--checkpoint-every 5ms", 2, "thaw: --checkpoint-every: \"5ms\"" },
    { TRAIN "--checkpoint-every 1.5h", 2, "thaw: --checkpoint-every: \"1.5h\"" },
    { TRAIN "--checkpoint= --resume", 2, "thaw: --checkpoint: \"\"" },
    { TRAIN "--keep 0", 2, "thaw: --keep: \"0\"" },
    { TRAIN "--monitor loss", 2, "thaw: --monitor: needs --best or --patience" },
    { TRAIN "--best b --monitor accuracy", 2,
      "thaw: --monitor: \"accuracy\", must be loss, test-loss, test-accuracy, test-top5 or test-f1" },
    { TRAIN "--best=", 2, "thaw: --best: \"\", must be a file name" },
    { TRAIN "--best b --save b", 2, "thaw: --best: \"b\" is the file of --save" },
    { TRAIN "--best /nowhere/best.safetensors", 1, "thaw: --best: /nowhere/best.safetensors" },
    { TRAIN "--epochs 3 --patience 0", 2, "thaw: --patience: \"0\"" },
    { TRAIN "--epochs 3 --patience 3", 2, "thaw: --patience: 3, must be less than the 3 epochs" },
    { TRAIN "--cache-bytes 12Q", 2, "thaw: --cache-bytes: \"12Q\"" },
    { TRAIN "--cache-bytes 1GB", 2, "thaw: --cache-bytes: \"1GB\"" },
    { TRAIN "--cache-bytes 99999999999G", 2, "thaw: --cache-bytes: " },
    { TRAIN "--schedule cosin", 2, "thaw: --schedule: " },
    { TRAIN "--schedule step:gamma=nan", 2, "thaw: --schedule: " },
    { TRAIN "--freeze denze2", 2,
      "thaw: --freeze: pattern \"denze2\" matches no group and no parameter, did you mean \"dense2\"?" },
    { TRAIN "--freeze conv[", 2, "thaw: --freeze: " },
    { TRAIN "--unfreeze denze", 2, "thaw: --unfreeze: pattern \"denze\" matches no group" },
    { TRAIN "--unfreeze denze@2", 2, "thaw: --unfreeze: pattern \"denze\" matches no group" },
    { TRAIN "--unfreeze conv1@0", 2, "must be PATTERN@EPOCH" },
    { TRAIN "--unfreeze conv1@", 2, "must be PATTERN@EPOCH" },
    { TRAIN "--unfreeze conv1@two", 2, "must be PATTERN@EPOCH" },
    { TRAIN "--freeze conv[@2", 2, "thaw: --freeze: \"conv[\": " },
    { TRAIN "--freeze @tail", 2, "thaw: --freeze: " },
    { TRAIN "--unfreeze @top:9", 2, "\"@top:9\": the model has 4 blocks" },
    { TRAIN "--unfreeze @top:9@2", 2, "\"@top:9\": the model has 4 blocks" },
    { TRAIN "--unfreeze @tail@2", 2, "thaw: --unfreeze: \"@tail\": no such part" },
    { TRAIN "--strategy gradul", 2, "thaw: --strategy: unknown strategy \"gradul\", did you mean \"gradual\"?" },
    { TRAIN "--strategy last9", 2, "thaw: --strategy: strategy last9, rule 2: \"@top:9\": the model has 4 blocks" },
    { TRAIN "--strategy norm-only", 2, "\"@norm\" matches nothing" },
    { TRAIN "--strategy head --head denze", 2, "thaw: --head: \"denze\" matches no group and no parameter of " },
    { TRAIN "--head liner", 2, "thaw: --head: \"liner\" matches no group and no parameter of " },
    { TRAIN "--head liner", 2, "a new head is linear or mlp:UNITS" },
    { TRAIN "--head mpl:256", 2, "thaw: --head: unknown value of head \"mpl\", did you mean \"mlp\"?" },
    { TRAIN "--head mlp:0", 2, "thaw: --head: transfer-cnn: \"head=mlp:0\", must be none, linear, or mlp:UNITS" },
    { TRAIN "--head none", 2, "thaw: --model: transfer-cnn: head=none leaves nothing to compute a loss of" },
    { TRAIN "--dropout 1", 2, "thaw: --dropout: " },
    { TRAIN "--head-init xavier_unifrom", 2, "did you mean \"xavier_uniform\"?" },
    { TRAIN "--strategy-file /nowhere/a.json", 1, "thaw: --strategy-file: " },
    { TRAIN "--strategy full --strategy-file /nowhere/a.json", 1, "thaw: --strategy-file: " },
    { TRAIN "--freeze-before denze", 2, "thaw: --freeze-before: " },
    { TRAIN "--group dense2", 2, "must be PATTERN:SETTINGS" },
    { TRAIN "--group :lr=1", 2, "must be PATTERN:SETTINGS" },
    { TRAIN "--group dense2:", 2, "must be PATTERN:SETTINGS" },
    { TRAIN "--group denze:lr=1", 2, "thaw: --group: pattern \"denze\" matches no group" },
    { TRAIN "--group dense2:lr", 2, "\"lr\", must be NAME=VALUE" },
    { TRAIN "--group dense2:lr=nan", 2, "lr=nan, must be a finite number" },
    { TRAIN "--group dense2:lr=-1", 2, "lr=-1, must be a finite number" },
    { TRAIN "--group dense2:lr=1,lr=2", 2, "lr is given twice" },
    { TRAIN "--group dense2:momentum=0.9", 2, "unknown setting \"momentum\"" },
    { TRAIN "--group dense2:optimizer=", 2, "optimizer must have one name" },
    { TRAIN "--group dense2:optimizer=sgd,optimizer=adam", 2, "optimizer must have one name" },
    { TRAIN "--group dense2:optimizer=sgdd", 2, "did you mean \"sgd\"?" },
    { TRAIN "--group dense2:optimizer=sgd,beta1=0.9", 2, "unknown hyper-parameter of sgd" },
    { TRAIN "--group dense2:optimizer=sgd,momentum=2", 2, "sgd: momentum is 2" },
    { "train --model transfer-cnn --save $c --data fashion-mnits", 2, "did you mean \"fashion-mnist\"?" },
    { "train --model transfer-cnn --save $c --data fashion-mnist:classes=9-5", 2, "thaw: --data: " },
    { "train --model transfer-cnn --save $c --data fashion-mnist:clases=1", 2, "did you mean \"classes\"?" },
    { "finetune --model transfer-cnn --load $d --data $a --reset con[ --save $c", 2, "thaw: --reset: " },
    /* Files and data: not the command line's fault. */
    { "train --model transfer-cnn --save $c --data idx:/nowhere/a,/nowhere/b", 1, "/nowhere/b: cannot open" },
    { "train --model transfer-cnn --save $c --data $e", 1, "has 30 images" },
    { "finetune --model transfer-cnn --load $d --data $a --save $c", 1, "absent.safetensors: cannot open" },
    { "finetune --model transfer-cnn --load $f --data $a --save $c", 1, "/text: " },
    { "evaluate --model transfer-cnn --load $d --data $a", 1, "absent.safetensors: cannot open" },
    { TRAIN "--test-data idx:/nowhere/a,/nowhere/b", 1, "thaw: --test-data: /nowhere/b: cannot open" },
    { TRAIN "--test-data $a", 1, "thaw: --test-data: has 10 classes, must have at most 5" },
    { TRAIN "--freeze *", 1, "thaw: training: " },
    { TRAIN "--shards 0", 2, "thaw: --shards: \"0\", must be a whole number from 1 to 4096" },
    { TRAIN "--batch 16 --shards 3", 2, "thaw: --shards: \"3\", must divide the batch of 16 samples" },
    { TRAIN "--batch 16 --accumulate 5", 2, "thaw: --accumulate: \"5\", must divide the batch of 16 samples" },
    { TRAIN "--batch 16 --accumulate 4 --shards 4", 2, "thaw: --accumulate: cannot be used with --shards" },
    { TRAIN "--drop-last --batch 1000", 1, "do not fill a batch of 1000" },
    { "plan --model transfer-cnn --freeze *", 1, "thaw: plan: " },
    { "plan --model transfer-cnn --strategy gradual --epoch 3 --epochs 2", 2, "--epoch: \"3\", must be at most 2" },
    { "plan --model transfer-cnn --epoch 0", 2, "--epoch: \"0\", must be a whole number from 1" },
    { "train --model transfer-cnn --data $a --save /nowhere/x", 1, "thaw: --save: /nowhere/x: " },
    { "train --model transfer-cnn --data $a --save /dev/full", 1, "thaw: --save: /dev/full: " },
    { "train --model transfer-cnn --data $a --save /", 1, "thaw: --save: " },
    { "demo --data $a", 2, "has no test data" },
};

Test(usage, what_is_wrong_is_said_and_nothing_is_left, .init = begin, .fini = end, .timeout = 250)
{
    static support_run run;
    const size_t files = count_files();
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        support_command(&run, directory, cases[i].line, variables);
        cr_assert_eq(run.code, cases[i].code, "%s: exit code %d\n%s", cases[i].line, run.code, run.errors);
        cr_assert_not_null(strstr(run.errors, cases[i].message), "%s: %s", cases[i].line, run.errors);
        cr_assert_eq(count_files(), files, "%s: left a file", cases[i].line);
        /* Lines of a table may stand there when training itself refused, but no result. */
        cr_assert_null(strstr(run.output, " %"), "%s: %s", cases[i].line, run.output);
    }
}

Test(usage, nothing_at_all_prints_help_as_an_error, .init = begin, .fini = end)
{
    static support_run run;
    support_command(&run, directory, "", variables);
    cr_assert_eq(run.code, 2);
    cr_assert_str_empty(run.output);
    cr_assert_not_null(strstr(run.errors, "finetune"));
}

Test(usage, the_environments_limit_of_the_cpu_is_a_level, .init = begin, .fini = end)
{
    static const char *const levels[] = { "baseline", "v3", "v4" }, *const wrong[] = { "", "avx2", "V3", "v5" };
    static support_run run;
    for (size_t i = 0; i < THAW_COUNT(levels); i++) {
        setenv("THAW_MAX_CPU", levels[i], 1);
        support_command(&run, directory, "summary --model mlp-512", variables);
        cr_assert_eq(run.code, 0, "%s: %s", levels[i], run.errors);
    }
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        char message[64];
        setenv("THAW_MAX_CPU", wrong[i], 1);
        snprintf(message, sizeof message, "thaw: THAW_MAX_CPU: \"%s\", must be baseline, v3 or v4\n", wrong[i]);
        support_command(&run, directory, "summary --model mlp-512", variables);
        cr_assert_eq(run.code, 2, "%s: exit code %d", wrong[i], run.code);
        cr_assert_str_eq(run.errors, message);
        cr_assert_str_empty(run.output);
        support_command(&run, directory, "report --input $f --report $c", variables);
        cr_assert_eq(run.code, 2, "%s: exit code %d", wrong[i], run.code);
        cr_assert_str_eq(run.errors, message);
    }
}

Test(usage, help_and_version, .init = begin, .fini = end)
{
    static const struct {
        const char *line, *text;
    } questions[] = {
        { "--help", "evaluate" },
        { "--help", "THAW_MAX_CPU" },
        { "--version", "thaw 0.1.0\n" },
        { "--version --verbose", "thaw 0.1.0\nprocessor: " },
        { "-V -v", "\noneDNN: " },
        { "train --help", "--unfreeze=PATTERN[@EPOCH]" },
        { "finetune --help", "--reset=PATTERN" },
        { "evaluate --help", "--load=FILE" },
        { "summary --help", "--classes=N" },
        { "plan --help", "--inference" },
        { "demo --help", "--json" },
        { "plan --version", "thaw 0.1.0\n" },
    };
    static support_run run;
    for (size_t i = 0; i < THAW_COUNT(questions); i++) {
        support_command(&run, directory, questions[i].line, variables);
        cr_assert_eq(run.code, 0, "%s: %d", questions[i].line, run.code);
        cr_assert_not_null(strstr(run.output, questions[i].text), "%s: %s", questions[i].line, run.output);
        cr_assert_str_empty(run.errors);
        for (const char *line = run.output; *line; line += strcspn(line, "\n") + 1)
            cr_assert_leq(strcspn(line, "\n"), 90, "%s: a long line: %s", questions[i].line, line);
    }
}

Test(usage, the_verbose_version_tells_what_limits, .init = begin, .fini = end)
{
    static support_run run;
    unsetenv("GOMP_SPINCOUNT");
    setenv("THAW_MAX_CPU", "baseline", 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    setenv("OMP_WAIT_POLICY", "passive", 1);
    support_command(&run, directory, "--version --verbose", variables);
    cr_assert_eq(run.code, 0);
    cr_assert_not_null(strstr(run.output, "\nThaw's own kernels: baseline, "), "%s", run.output);
    cr_assert_not_null(strstr(run.output, "\nthreads: 1 unless --threads says otherwise, of "), "%s", run.output);
    cr_assert_not_null(strstr(run.output, "; OMP_NUM_THREADS=1"), "%s", run.output);
    cr_assert_not_null(strstr(run.output, "\nwaiting: OMP_WAIT_POLICY=passive, from the environment\n"));
    support_command(&run, directory, "--version --verbos", variables);
    cr_assert_eq(run.code, 2);
    cr_assert_str_eq(run.errors, "thaw: --verbos: after --version, there may only be --verbose\n");
}
