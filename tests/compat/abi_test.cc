// SPDX-License-Identifier: MIT
// The tables of standard-api.md 2-4 and 8 against the header, and the symbols of the library.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <set>
#include <sstream>
#include <string>

#include "standard_api.h"

namespace {

#define SIZE(type, bytes) static_assert(sizeof(type) == (bytes))
#define AT(type, field, offset) static_assert(offsetof(type, field) == (offset))

SIZE(aipu_status_t, 4);
SIZE(aipu_data_type_t, 4);
SIZE(aipu_tensor_type_t, 4);
SIZE(aipu_job_status_t, 4);
SIZE(aipu_config_type_t, 4);
SIZE(device_status_t, 4);
SIZE(aipu_ioctl_rw_t, 4);
SIZE(bool, 1);
SIZE(aipu_ctx_handle_t, 4);
AT(aipu_ctx_handle_t, handle, 0);
SIZE(aipu_tensor_desc_t, 20);
AT(aipu_tensor_desc_t, id, 0);
AT(aipu_tensor_desc_t, size, 4);
AT(aipu_tensor_desc_t, scale, 8);
AT(aipu_tensor_desc_t, zero_point, 12);
AT(aipu_tensor_desc_t, data_type, 16);
SIZE(aipu_debugger_job_info_t, 24);
AT(aipu_debugger_job_info_t, instr_base, 0);
AT(aipu_debugger_job_info_t, simulation_aipu, 8);
AT(aipu_debugger_job_info_t, simulation_mem_engine, 16);
SIZE(aipu_core_info_t, 8);
SIZE(aipu_job_config_dump_t, 32);
AT(aipu_job_config_dump_t, dump_dir, 0);
AT(aipu_job_config_dump_t, prefix, 8);
AT(aipu_job_config_dump_t, output_prefix, 16);
AT(aipu_job_config_dump_t, misc_prefix, 24);
SIZE(aipu_job_config_simulation_t, 8);
SIZE(aipu_global_config_simulation_t, 96);
AT(aipu_global_config_simulation_t, log_level, 0);
AT(aipu_global_config_simulation_t, verbose, 4);
AT(aipu_global_config_simulation_t, log_file_path, 8);
AT(aipu_global_config_simulation_t, json_filename, 16);
AT(aipu_global_config_simulation_t, print_subg_info, 24);
AT(aipu_global_config_simulation_t, plugin_name, 32);
AT(aipu_global_config_simulation_t, simulator, 40);
AT(aipu_global_config_simulation_t, npu_arch_desc, 48);
AT(aipu_global_config_simulation_t, gm_size, 56);
AT(aipu_global_config_simulation_t, enable_avx, 60);
AT(aipu_global_config_simulation_t, enable_calloc, 61);
AT(aipu_global_config_simulation_t, en_eval, 62);
AT(aipu_global_config_simulation_t, fp_mode, 63);
AT(aipu_global_config_simulation_t, en_l2d, 64);
AT(aipu_global_config_simulation_t, en_fast_perf, 65);
AT(aipu_global_config_simulation_t, freq_mhz, 68);
AT(aipu_global_config_simulation_t, ddr_latency_rd, 72);
AT(aipu_global_config_simulation_t, ddr_latency_wr, 76);
AT(aipu_global_config_simulation_t, ddr_bw, 80);
AT(aipu_global_config_simulation_t, ddr_bw_ratio, 84);
AT(aipu_global_config_simulation_t, perf_report, 88);
SIZE(aipu_global_config_hw_t, 2);
AT(aipu_global_config_hw_t, enable_tec_done_irq, 1);
SIZE(aipu_shared_tensor_info_t, 40);
AT(aipu_shared_tensor_info_t, type, 0);
AT(aipu_shared_tensor_info_t, tensor_idx, 4);
AT(aipu_shared_tensor_info_t, id, 8);
AT(aipu_shared_tensor_info_t, pa, 16);
AT(aipu_shared_tensor_info_t, dmabuf_fd, 24);
AT(aipu_shared_tensor_info_t, offset_in_dmabuf, 28);
AT(aipu_shared_tensor_info_t, shared_case_type, 32);
SIZE(aipu_dmabuf_op_t, 24);
AT(aipu_dmabuf_op_t, offset_in_dmabuf, 4);
AT(aipu_dmabuf_op_t, size, 8);
AT(aipu_dmabuf_op_t, data, 16);
SIZE(aipu_share_buf_t, 24);
AT(aipu_share_buf_t, va, 8);
AT(aipu_share_buf_t, size, 16);
AT(aipu_share_buf_t, mem_type, 20);
SIZE(aipu_dma_buf_req_t, 16);
AT(aipu_dma_buf_req_t, bytes, 8);
SIZE(aipu_dma_buf_desc_t, 24);
AT(aipu_dma_buf_desc_t, pa, 8);
AT(aipu_dma_buf_desc_t, bytes, 16);
SIZE(aipu_driver_version_t, 32);
AT(aipu_driver_version_t, kmd_version, 16);
SIZE(aipu_bin_buildversion_t, 16);
AT(aipu_bin_buildversion_t, aipubin_buildversion, 8);
SIZE(aipu_dynshape_num_t, 16);
AT(aipu_dynshape_num_t, ds_num, 8);
SIZE(aipu_dynshape_dim_num_t, 24);
AT(aipu_dynshape_dim_num_t, ds_idx, 8);
AT(aipu_dynshape_dim_num_t, max_threshhold, 12);
AT(aipu_dynshape_dim_num_t, ds_dim_num, 16);
SIZE(aipu_dynshape_info_t, 24);
AT(aipu_dynshape_info_t, max_threshhold, 12);
AT(aipu_dynshape_info_t, ds_data, 16);
SIZE(aipu_dynshape_rank_t, 16);
AT(aipu_dynshape_rank_t, ds_idx, 8);
AT(aipu_dynshape_rank_t, rank, 12);
SIZE(aipu_dynshape_dimension_t, 32);
AT(aipu_dynshape_dimension_t, min_dim, 16);
AT(aipu_dynshape_dimension_t, max_dim, 24);
SIZE(aipu_dynshape_item_t, 16);
AT(aipu_dynshape_item_t, ds_data, 8);
SIZE(aipu_dynshape_param_t, 16);
AT(aipu_dynshape_param_t, shape_items, 8);
SIZE(aipu_load_graph_cfg_t, 40);
AT(aipu_load_graph_cfg_t, misc, 0);
AT(aipu_load_graph_cfg_t, wt_idxes, 8);
AT(aipu_load_graph_cfg_t, wt_idxes_cnt, 16);
AT(aipu_load_graph_cfg_t, extra_weight_path, 24);
AT(aipu_load_graph_cfg_t, put_weight_gm, 32);
AT(aipu_load_graph_cfg_t, put_desc_gm, 33);
AT(aipu_load_graph_cfg_t, put_ws_gm, 34);
SIZE(aipu_create_job_cfg_t, 56);
AT(aipu_create_job_cfg_t, misc, 0);
AT(aipu_create_job_cfg_t, bind_enable, 4);
AT(aipu_create_job_cfg_t, bind_cluster_ids, 5);
AT(aipu_create_job_cfg_t, bind_core_ids, 6);
AT(aipu_create_job_cfg_t, reserved_iova_size, 8);
AT(aipu_create_job_cfg_t, fm_idxes, 16);
AT(aipu_create_job_cfg_t, fm_idxes_cnt, 24);
AT(aipu_create_job_cfg_t, dynshape, 32);
AT(aipu_create_job_cfg_t, dynshape_params, 40);
SIZE(aipu_reg_rw_t, 12);
AT(aipu_reg_rw_t, offset, 4);
AT(aipu_reg_rw_t, value, 8);
SIZE(aipu_mem_rw_t, 32);
AT(aipu_mem_rw_t, job_id, 8);
AT(aipu_mem_rw_t, size, 16);
AT(aipu_mem_rw_t, addr, 20);
AT(aipu_mem_rw_t, data, 24);
SIZE(aipu_is_ds_t, 16);
AT(aipu_is_ds_t, dynamic_shape, 8);

static_assert(AIPU_DATA_TYPE_BF16 == 13 && AIPU_DATA_TYPE_ALIGNED_S12 == 0x15 &&
              AIPU_DATA_TYPE_COMPACT_S12 == 0x23);
static_assert(AIPU_TENSOR_TYPE_OUT_TENSOR_SHAPE == 7 && AIPU_TENSOR_TYPE_PRINTF == 3);
static_assert(AIPU_STATUS_ERROR_SET_SHAPE_FAILED == 0x29 && AIPU_STATUS_ERROR_NOT_CONFIG_SHAPE == 0x30 &&
              AIPU_STATUS_MAX == 0x38 && AIPU_STATUS_ERROR_TIMEOUT == 0x23);
static_assert(AIPU_IOCTL_IS_DS == 260 && AIPU_IOCTL_SET_DYNAMIC_ASID1 == 263 &&
              AIPU_IOCTL_ALLOC_DMABUF == 266 && AIPU_IOCTL_GET_VERSION == 273 && AIPU_IOCTL_HW_RESET == 280);
static_assert(AIPU_CONFIG_TYPE_SIMULATION == 0x10000 && AIPU_CONFIG_TYPE_HW == 0x20000 &&
              AIPU_GLOBAL_CONFIG_TYPE_ENABLE_VER_CHECK == 0x2000000);

TEST(CompatAbi, JobOptionsLieInTheirBits) {
  const auto misc = [](auto set) {
    aipu_create_job_cfg_t config = {};
    set(config);
    return config.misc;
  };
  EXPECT_EQ(misc([](auto& config) { config.partition_id = 0xF; }), 0xFu);
  EXPECT_EQ(misc([](auto& config) { config.dbg_dispatch = 1; }), 0x10u);
  EXPECT_EQ(misc([](auto& config) { config.dbg_core_id = 7; }), 0xE0u);
  EXPECT_EQ(misc([](auto& config) { config.qos_level = 0xF; }), 0xF00u);
  EXPECT_EQ(misc([](auto& config) { config.fm_mem_region = 0xF; }), 0xF000u);
}

const std::set<std::string> kFunctions = {
    "aipu_init_context", "aipu_deinit_context", "aipu_get_error_message", "aipu_config_global",
    "aipu_load_graph", "aipu_load_graph_helper", "aipu_load_share_weight_graph", "aipu_unload_graph",
    "aipu_create_job", "aipu_finish_job", "aipu_flush_job", "aipu_get_job_status", "aipu_clean_job",
    "aipu_get_tensor_count", "aipu_get_tensor_descriptor", "aipu_load_tensor", "aipu_get_tensor",
    "aipu_config_job", "aipu_specify_iobuf", "aipu_get_partition_count", "aipu_get_cluster_count",
    "aipu_get_core_count", "aipu_debugger_get_core_info", "aipu_debugger_get_job_info",
    "aipu_debugger_bind_job", "aipu_debugger_run_job", "aipu_debugger_malloc", "aipu_debugger_free",
    "aipu_printf", "aipu_get_target", "aipu_get_device_status", "aipu_create_batch_queue",
    "aipu_clean_batch_queue", "aipu_config_batch_dump", "aipu_add_batch", "aipu_finish_batch", "aipu_ioctl",
    // internal, but exported
    "aipu_load_output_tensor", "aipu_rewrite_rodata", "aipu_malloc", "aipu_free", "aipu_memcpy",
    "aipu_get_va", "aipu_get_elf_note_size", "aipu_read_elf_note"};

std::set<std::string> exported(const std::string& library) {
  std::set<std::string> names;
  FILE* pipe = popen(("nm -D --defined-only '" + library + "'").c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::array<char, 4096> line{};
  while (pipe != nullptr && std::fgets(line.data(), line.size(), pipe) != nullptr) {
    std::istringstream fields(line.data());
    std::string address, kind, name;
    fields >> address >> kind >> name;
    names.insert(name);
  }
  if (pipe != nullptr) pclose(pipe);
  return names;
}

TEST(CompatAbi, ExportsTheVendorsFunctionsAndNothingElse) {
  EXPECT_EQ(kFunctions.size(), 45u);
  EXPECT_EQ(exported(ZYNPU_BINARY_DIR "/lib/libaipudrv.so.6.1.0"), kFunctions);
}

TEST(CompatAbi, IsFoundUnderEveryNameOfTheVendorsLibrary) {
  for (const char* name : {"libaipudrv.so", "libaipudrv.so.6", "libaipudrv.so.6.1.0"}) {
    void* library = dlopen((std::string(ZYNPU_BINARY_DIR "/lib/") + name).c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    EXPECT_NE(dlsym(library, "aipu_init_context"), nullptr);
    dlclose(library);
  }
  FILE* pipe = popen("readelf -d " ZYNPU_BINARY_DIR "/lib/libaipudrv.so.6.1.0", "r");
  ASSERT_NE(pipe, nullptr);
  std::string text;
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), part.size(), pipe) != nullptr) text += part.data();
  pclose(pipe);
  EXPECT_NE(text.find("soname: [libaipudrv.so]"), std::string::npos) << text;
}

}  // namespace
