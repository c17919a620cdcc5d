/* Thaw: trains neural networks on multicore CPUs and compiles freezing. Includes all public headers except those of
   libthaw-compare: thaw/compare.h, thaw/report.h and thaw/statistics.h. */
#ifndef THAW_H
#define THAW_H

#include <thaw/average.h>
#include <thaw/base.h>
#include <thaw/best.h>
#include <thaw/checkpoint.h>
#include <thaw/classification.h>
#include <thaw/combine.h>
#include <thaw/context.h>
#include <thaw/data.h>
#include <thaw/distributed.h>
#include <thaw/evaluation.h>
#include <thaw/export.h>
#include <thaw/image_data.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_export.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>
#include <thaw/matrix_stage.h>
#include <thaw/mixing.h>
#include <thaw/model.h>
#include <thaw/model_folder.h>
#include <thaw/network_module.h>
#include <thaw/notes.h>
#include <thaw/optimizer.h>
#include <thaw/optimizer_module.h>
#include <thaw/parameter.h>
#include <thaw/plan.h>
#include <thaw/policy.h>
#include <thaw/policy_module.h>
#include <thaw/precision.h>
#include <thaw/predictor.h>
#include <thaw/price.h>
#include <thaw/rate_finder.h>
#include <thaw/runtime.h>
#include <thaw/schedule.h>
#include <thaw/strategy.h>
#include <thaw/target_figures.h>
#include <thaw/tensor.h>
#include <thaw/tokenizer.h>
#include <thaw/train.h>
#include <thaw/trainer.h>
#include <thaw/weights.h>
#include <thaw/zoo.h>

#endif
