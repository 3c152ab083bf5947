/* SPDX-License-Identifier: MIT */
/*
 * Classifies raw inputs with the vendor's "standard API", as programs on boards do. Linked with zynpu's
 * libaipudrv it runs on the virtual NPU, on the vendor's kernel driver or on zynpu's; ZYNPU_DEVICE chooses.
 *   vendor_api GRAPH INPUT...
 * GRAPH is a compiled graph (`zynpu compile`, or the vendor's compiler) with one int8 or uint8 output row;
 * each INPUT holds the bytes of its one input tensor.
 */
#include <standard_api.h>
#include <stdio.h>
#include <stdlib.h>

static int failed(const aipu_ctx_handle_t* ctx, const char* what, aipu_status_t status) {
  const char* text = NULL;
  aipu_get_error_message(ctx, status, &text);
  fprintf(stderr, "vendor_api: %s: %s\n", what, text != NULL ? text : "unknown context");
  return EXIT_FAILURE;
}

static int read_input(const char* path, void* data, size_t bytes) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    return EXIT_FAILURE;
  }
  const size_t got = fread(data, 1, bytes, file);
  fclose(file);
  if (got == bytes) return EXIT_SUCCESS;
  fprintf(stderr, "vendor_api: %s has %zu bytes, the input %zu\n", path, got, bytes);
  return EXIT_FAILURE;
}

static void print_best(const char* path, const unsigned char* row, const aipu_tensor_desc_t* desc) {
  size_t best = 0;
  int best_value = -1000;
  for (size_t i = 0; i < desc->size; ++i) {
    const int value = desc->data_type == AIPU_DATA_TYPE_U8 ? row[i] : (signed char)row[i];
    if (value > best_value) {
      best_value = value;
      best = i;
    }
  }
  printf("%s: class %zu, score %g\n", path, best, (double)desc->scale * (best_value - desc->zero_point));
}

/* Starts the job and waits for it in a second call, as a program does that has other work in between. */
static aipu_status_t run(const aipu_ctx_handle_t* ctx, uint64_t job) {
  aipu_status_t status = aipu_flush_job(ctx, job, NULL);
  if (status != AIPU_STATUS_SUCCESS) return status;
  aipu_job_status_t state = AIPU_JOB_STATUS_NO_STATUS;
  status = aipu_get_job_status(ctx, job, &state, -1);
  if (status != AIPU_STATUS_SUCCESS) return status;
  return state == AIPU_JOB_STATUS_DONE ? AIPU_STATUS_SUCCESS : AIPU_STATUS_ERROR_JOB_EXCEPTION;
}

static int classify(const aipu_ctx_handle_t* ctx, uint64_t graph, int count, char** paths) {
  aipu_tensor_desc_t in, out;
  uint64_t job = 0;
  aipu_status_t status = aipu_get_tensor_descriptor(ctx, graph, AIPU_TENSOR_TYPE_INPUT, 0, &in);
  if (status == AIPU_STATUS_SUCCESS)
    status = aipu_get_tensor_descriptor(ctx, graph, AIPU_TENSOR_TYPE_OUTPUT, 0, &out);
  if (status != AIPU_STATUS_SUCCESS) return failed(ctx, "tensors", status);
  if (out.data_type != AIPU_DATA_TYPE_S8 && out.data_type != AIPU_DATA_TYPE_U8) {
    fprintf(stderr, "vendor_api: the output's data type is %u, not int8 or uint8\n", (unsigned)out.data_type);
    return EXIT_FAILURE;
  }
  status = aipu_create_job(ctx, graph, &job, NULL);
  if (status != AIPU_STATUS_SUCCESS) return failed(ctx, "job", status);

  unsigned char* input = malloc(in.size);
  unsigned char* output = malloc(out.size);
  int result = input == NULL || output == NULL ? EXIT_FAILURE : EXIT_SUCCESS;
  for (int i = 0; i < count && result == EXIT_SUCCESS; ++i) {
    result = read_input(paths[i], input, in.size);
    if (result != EXIT_SUCCESS) break;
    status = aipu_load_tensor(ctx, job, 0, input);
    if (status == AIPU_STATUS_SUCCESS) status = run(ctx, job);
    if (status == AIPU_STATUS_SUCCESS) status = aipu_get_tensor(ctx, job, AIPU_TENSOR_TYPE_OUTPUT, 0, output);
    if (status != AIPU_STATUS_SUCCESS)
      result = failed(ctx, paths[i], status);
    else
      print_best(paths[i], output, &out);
  }
  free(output);
  free(input);
  aipu_clean_job(ctx, job);
  return result;
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: vendor_api GRAPH INPUT...\n");
    return 2;
  }
  aipu_ctx_handle_t* ctx = NULL;
  uint64_t graph = 0;
  aipu_status_t status = aipu_init_context(&ctx);
  if (status != AIPU_STATUS_SUCCESS) return failed(NULL, "context", status);
  status = aipu_load_graph(ctx, argv[1], &graph, NULL);
  const int result =
      status != AIPU_STATUS_SUCCESS ? failed(ctx, argv[1], status) : classify(ctx, graph, argc - 2, argv + 2);
  aipu_deinit_context(ctx); /* unloads what is left */
  return result;
}
