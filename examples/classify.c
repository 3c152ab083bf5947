/* SPDX-License-Identifier: MIT */
/*
 * Classifies one raw input with libzynpu:
 *   classify_c MODEL INPUT [DEVICE]
 * MODEL is a .tflite or .zy file with one int8 or uint8 output row, INPUT holds the bytes of its one input
 * tensor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <zynpu/zynpu.h>

static int failed(const char* what) {
  fprintf(stderr, "classify_c: %s: %s\n", what, zynpu_last_error());
  return EXIT_FAILURE;
}

static int classify(zynpu_graph* graph, zynpu_job* job, const char* path) {
  void* input = NULL;
  size_t bytes = 0;
  if (zynpu_job_input_data(job, 0, &input, &bytes) != ZYNPU_OK) return failed("input");
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    return EXIT_FAILURE;
  }
  const size_t got = fread(input, 1, bytes, file);
  fclose(file);
  if (got != bytes) {
    fprintf(stderr, "classify_c: %s has %zu bytes, the input %zu\n", path, got, bytes);
    return EXIT_FAILURE;
  }

  if (zynpu_job_run(job) != ZYNPU_OK) return failed("run");

  zynpu_tensor_info info;
  ZYNPU_INIT(&info);
  if (zynpu_graph_output(graph, 0, &info) != ZYNPU_OK) return failed("output");
  if (info.type != ZYNPU_TYPE_INT8 && info.type != ZYNPU_TYPE_UINT8) {
    fprintf(stderr, "classify_c: the output is %s, not int8 or uint8\n", zynpu_type_text(info.type));
    return EXIT_FAILURE;
  }
  const void* output = NULL;
  if (zynpu_job_output_data(job, 0, &output, NULL) != ZYNPU_OK) return failed("output");
  size_t best = 0;
  int best_value = -1000;
  for (size_t i = 0; i < info.bytes; ++i) {
    const int value =
        info.type == ZYNPU_TYPE_INT8 ? ((const signed char*)output)[i] : ((const unsigned char*)output)[i];
    if (value > best_value) {
      best_value = value;
      best = i;
    }
  }
  printf("class %zu, score %g\n", best, (double)info.scale * (best_value - info.zero_point));

  zynpu_profile profile;
  ZYNPU_INIT(&profile);
  if (zynpu_job_profile(job, &profile) != ZYNPU_OK) return failed("profile");
  printf("%llu %scycles\n", (unsigned long long)profile.cycles, profile.modelled ? "modelled " : "");
  return EXIT_SUCCESS;
}

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    fprintf(stderr, "usage: classify_c MODEL INPUT [DEVICE]\n");
    return 2;
  }
  zynpu_device* device = NULL;
  zynpu_graph* graph = NULL;
  zynpu_job* job = NULL;
  int result;
  if (zynpu_device_open(argc == 4 ? argv[3] : NULL, &device) != ZYNPU_OK)
    result = failed("device");
  else if (zynpu_graph_load_file(device, argv[1], NULL, &graph) != ZYNPU_OK)
    result = failed("model");
  else if (zynpu_job_create(graph, NULL, &job) != ZYNPU_OK)
    result = failed("job");
  else
    result = classify(graph, job, argv[2]);
  zynpu_job_destroy(job);
  zynpu_graph_destroy(graph);
  zynpu_device_close(device);
  return result;
}
