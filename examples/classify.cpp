// SPDX-License-Identifier: MIT
// Classifies raw inputs with the C++ face of libzynpu, and says where the time goes:
//   classify_cpp MODEL INPUT...
#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <zynpu/zynpu.hpp>

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::cerr << "usage: classify_cpp MODEL INPUT...\n";
    return 2;
  }
  const zynpu::Device device;
  const zynpu::Graph graph = zynpu::Graph::load(device, argv[1]);
  zynpu::Job job(graph);
  const auto input = job.input(0);
  const zynpu_tensor_info output_info = graph.output(0);
  if (output_info.type != ZYNPU_TYPE_INT8)
    throw std::runtime_error(std::string("the output is ") + zynpu_type_text(output_info.type) +
                             ", not int8");

  for (int i = 2; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file.read(reinterpret_cast<char*>(input.data), static_cast<std::streamsize>(input.bytes)))
      throw std::runtime_error(std::string(argv[i]) + " has fewer than " + std::to_string(input.bytes) +
                               " bytes");
    job.run();
    const auto output = job.output(0);
    const auto* scores = reinterpret_cast<const signed char*>(output.data);
    const auto* best = std::max_element(scores, scores + output.bytes);
    std::cout << argv[i] << ": class " << best - scores << ", score "
              << output_info.scale * static_cast<float>(*best - output_info.zero_point) << '\n';
  }

  const zynpu_profile profile = job.profile();
  for (std::uint32_t i = 0; i < profile.layers; ++i) {
    const zynpu_layer_profile layer = job.layer(i);
    std::cout << (layer.placement == ZYNPU_PLACEMENT_NPU ? "npu " : "cpu ") << layer.name << ": "
              << layer.cycles << " cycles"
              << (layer.reason[0] != '\0' ? std::string(" (") + layer.reason + ")" : "") << '\n';
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << "classify_cpp: " << error.what() << '\n';
  return 1;
}
